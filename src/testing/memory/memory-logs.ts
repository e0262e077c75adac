import type { LogLine } from '../../ports/executor.ts'
import type { LogPosition, LogStore, PrintedCall } from '../../ports/logs.ts'

/** Logs in memory. */
export class MemoryLogs implements LogStore {
  readonly #lines = new Map<string, (LogLine & { readonly attempt: number })[]>()

  write(run: string, call: number, attempt: number, lines: readonly LogLine[]): void {
    const id = `${run}/${call}`
    const kept = this.#lines.get(id) ?? []
    this.#lines.set(id, kept)
    for (const line of lines) kept.push({ ...line, attempt })
  }

  read(run: string, call: number, from: LogPosition | undefined, limit: number) {
    const start = from?.byte ?? 0
    const lines = (this.#lines.get(`${run}/${call}`) ?? []).slice(start, start + limit)
    return Promise.resolve({
      lines,
      next: { attempt: lines.at(-1)?.attempt ?? from?.attempt ?? 1, byte: start + lines.length },
    })
  }

  printed(run: string): Promise<readonly PrintedCall[]> {
    const printed = [...this.#lines].flatMap(([id, lines]) => {
      const call = id.startsWith(`${run}/`) ? Number(id.slice(run.length + 1)) : undefined
      const attempts = [...new Set(lines.map(({ attempt }) => attempt))].sort((a, b) => a - b)
      return call === undefined ? [] : [{ call, attempts }]
    })
    return Promise.resolve(printed.sort((a, b) => a.call - b.call))
  }

  remove(run: string): Promise<void> {
    for (const id of this.#lines.keys()) if (id.startsWith(`${run}/`)) this.#lines.delete(id)
    return Promise.resolve()
  }

  flush(): Promise<void> {
    return Promise.resolve()
  }
}
