import { createReadStream } from 'node:fs'
import { appendFile, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunId } from '../model/records.ts'
import type { LogLine } from '../ports/executor.ts'
import type { LogPosition, LogStore, PrintedCall } from '../ports/logs.ts'

type KeptLine = LogLine & { readonly attempt: number }

/**
 * Logs as files of JSON lines, one an attempt: `<home>/logs/<run>/<call>.<attempt>.jsonl`.
 *
 * L1 a file is made with the first line: a hundred thousand silent tasks leave none.
 * L2 lines of an attempt are in the order they came.
 * L3 of a line that is damaged it is said that it was there; the others are read.
 */
export class LogFiles implements LogStore {
  readonly #root: string
  readonly #onFailure: (error: unknown) => void
  #waiting = new Map<string, string[]>()
  #writing: Promise<void> = Promise.resolve()
  #scheduled = false
  readonly #made = new Set<string>()

  /** `onFailure`: a log that cannot be written fails no task, but it is said. */
  constructor(home: string, onFailure: (error: unknown) => void) {
    this.#root = join(home, 'logs')
    this.#onFailure = onFailure
  }

  folderOf(run: RunId): string {
    return join(this.#root, run)
  }

  pathOf(run: RunId, call: number, attempt: number): string {
    return join(this.#root, run, `${call}.${attempt}.jsonl`)
  }

  write(run: RunId, call: number, attempt: number, lines: readonly LogLine[]): void {
    const file = this.pathOf(run, call, attempt)
    const texts = this.#waiting.get(file) ?? []
    this.#waiting.set(file, texts)
    for (const { at, stream, text } of lines) texts.push(`${JSON.stringify({ at, stream, text })}\n`)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      void this.flush()
    })
  }

  async read(
    run: RunId,
    call: number,
    from: LogPosition | undefined,
    limit: number,
    attempts?: readonly number[],
  ): Promise<{ lines: KeptLine[]; next: LogPosition }> {
    const lines: KeptLine[] = []
    let next: LogPosition = from ?? { attempt: 1, byte: 0 }
    for (const attempt of attempts ?? (await this.#attempts(run, call))) {
      if (attempt < next.attempt) continue
      if (attempt > next.attempt) next = { attempt, byte: 0 }
      next = await this.#readAttempt(run, call, next, lines, limit)
      if (lines.length >= limit) break
    }
    return { lines, next }
  }

  async printed(run: RunId): Promise<PrintedCall[]> {
    const calls = new Map<number, number[]>()
    for (const { call, attempt } of await this.#files(run)) {
      const attempts = calls.get(call)
      if (attempts === undefined) calls.set(call, [attempt])
      else attempts.push(attempt)
    }
    return [...calls]
      .map(([call, attempts]) => ({ call, attempts: attempts.sort((a, b) => a - b) }))
      .sort((a, b) => a.call - b.call)
  }

  async remove(run: RunId): Promise<void> {
    await rm(join(this.#root, run), { recursive: true, force: true })
  }

  flush(): Promise<void> {
    const batch = this.#waiting
    this.#waiting = new Map()
    this.#writing = this.#writing.then(async () => {
      for (const [file, texts] of batch) await this.#append(file, texts.join(''))
    })
    return this.#writing
  }

  async #append(file: string, text: string): Promise<void> {
    const folder = file.slice(0, file.lastIndexOf('/'))
    try {
      if (!this.#made.has(folder)) await mkdir(folder, { recursive: true })
      this.#made.add(folder)
      await appendFile(file, text)
    } catch (error) {
      this.#onFailure(error)
    }
  }

  async #attempts(run: RunId, call: number): Promise<number[]> {
    return (await this.#files(run))
      .filter((file) => file.call === call)
      .map(({ attempt }) => attempt)
      .sort((a, b) => a - b)
  }

  async #files(run: RunId): Promise<{ readonly call: number; readonly attempt: number }[]> {
    let names: string[]
    try {
      names = await readdir(join(this.#root, run))
    } catch {
      // nothing was printed
      return []
    }
    return names.flatMap((name) => {
      const match = /^(\d+)\.(\d+)\.jsonl$/.exec(name)
      return match === null ? [] : [{ call: Number(match[1]), attempt: Number(match[2]) }]
    })
  }

  async #readAttempt(
    run: RunId,
    call: number,
    from: LogPosition,
    lines: KeptLine[],
    limit: number,
  ): Promise<LogPosition> {
    const { attempt } = from
    let { byte } = from
    for await (const bytes of wholeLines(this.pathOf(run, call, attempt), byte)) {
      const line = parseLine(bytes.toString('utf8')) ?? {
        at: lines.at(-1)?.at ?? 0,
        stream: 'stderr',
        text: `(${bytes.length} bytes of this log are damaged, at byte ${byte} of its file)`,
      }
      byte += bytes.length + 1
      lines.push({ ...line, attempt })
      if (lines.length >= limit) break
    }
    return { attempt, byte }
  }
}

/**
 * Lines of a file, split at line feeds alone: `readline` splits at U+2028 and U+2029 too, which JSON does not escape.
 * One that is still being written is none yet.
 */
async function* wholeLines(path: string, start: number): AsyncIterable<Buffer> {
  let begun: Buffer[] = []
  for await (const chunk of createReadStream(path, { start }) as AsyncIterable<Buffer>) {
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([...begun, chunk.subarray(from, end)])
      begun = []
      from = end + 1
    }
    if (from < chunk.length) begun.push(chunk.subarray(from))
  }
}

function parseLine(text: string): LogLine | undefined {
  try {
    const { at, stream, text: line } = JSON.parse(text) as LogLine
    return typeof line === 'string' ? { at, stream, text: line } : undefined
  } catch {
    return undefined
  }
}
