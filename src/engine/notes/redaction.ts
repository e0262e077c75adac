import type { ErrorRecord } from '../../model/records.ts'
import type { Value } from '../../model/value.ts'
import type { AttemptNote, LogLine } from '../../ports/executor.ts'

/** Keeps what let an attempt in to a server out of all that is written of it. */
export class Redaction {
  readonly #secrets: readonly string[]

  /** longer ones go first: others may be parts of them */
  constructor(secrets: readonly string[]) {
    this.#secrets = [...new Set(secrets)].sort((a, b) => b.length - a.length)
  }

  text(text: string): string {
    return this.#secrets.reduce((left, secret) => left.replaceAll(secret, '…'), text)
  }

  error(error: ErrorRecord): ErrorRecord {
    return this.#deep(error) as ErrorRecord
  }

  lines(lines: readonly LogLine[]): LogLine[] {
    return lines.map((line) => ({ ...line, text: this.text(line.text) }))
  }

  note({ type, name, body }: AttemptNote): AttemptNote {
    return { type, name: this.text(name), body: this.#deep(body) as Value }
  }

  /** Is any of it in there? */
  isIn(value: unknown): boolean {
    if (typeof value === 'string') return this.#secrets.some((secret) => value.includes(secret))
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false
    return Object.entries(value).some(([name, field]) => this.isIn(name) || this.isIn(field))
  }

  #deep(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value)
    if (Array.isArray(value)) return value.map((item) => this.#deep(item))
    if (typeof value !== 'object' || value === null) return value
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, field]) => [this.text(name), this.#deep(field)]),
    )
  }
}
