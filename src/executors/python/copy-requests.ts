import type { SharedFile } from '../jobs/shared-file.ts'
import type { HeldValues } from './held-values.ts'
import type { WorkerMessage } from './messages.ts'
import { misspoken } from './messages.ts'
import type { SharedFiles } from './shared-files.ts'
import type { HeldPlace } from './wire.ts'
import type { WorkerProcess } from './worker-process.ts'

type Answer = (path: string | undefined) => void
type Said<Kind extends WorkerMessage['kind']> = Extract<WorkerMessage, { kind: Kind }>

/**
 * Copies of values that a worker holds which it was asked to make: in shared files for other workers, or to be kept. Owns
 * how many it has not answered, and who waits for those to be kept.
 */
export class CopyRequests {
  readonly #process: Pick<WorkerProcess, 'hold' | 'tell'>
  readonly #held: HeldValues
  readonly #files: SharedFiles
  readonly #kept = new Map<number, Answer>()
  #tokens = 0
  #exports = 0

  constructor(process: Pick<WorkerProcess, 'hold' | 'tell'>, held: HeldValues, files: SharedFiles) {
    this.#process = process
    this.#held = held
    this.#files = files
  }

  /** not answered yet */
  get size(): number {
    return this.#exports + this.#kept.size
  }

  export(handle: number, file: SharedFile): void {
    this.#process.hold(true)
    this.#exports += 1
    this.#process.tell(['export', handle, file.name, file.path, file.spare])
  }

  /** To be kept, of what it holds or what one wrote to a file; the path of the copy, if it is there. */
  persist(handle: number, file: SharedFile, exported?: HeldPlace): Promise<string | undefined> {
    this.#process.hold(true)
    const token = this.#tokens++
    const answer = new Promise<string | undefined>((resolve) => {
      this.#kept.set(token, resolve)
    })
    const from = exported === undefined ? [] : [[exported.path, exported.spans]]
    this.#process.tell(['persist', token, handle, file.path, file.spare, ...from])
    return answer
  }

  exported({ handle, segment, path, spans, why }: Said<'exported'>): void {
    this.#exports -= 1
    this.#held.exported(handle, segment, path === undefined ? why : { path: this.#own(path), spans })
  }

  persisted({ token, path }: Said<'persisted'>): void {
    const own = path === undefined ? undefined : this.#own(path)
    this.#kept.get(token)?.(own)
    this.#kept.delete(token)
  }

  /** The worker is gone. */
  close(): void {
    for (const answer of this.#kept.values()) answer(undefined)
    this.#kept.clear()
  }

  #own(path: string): string {
    if (!this.#files.owns(path)) throw misspoken(`a path that is not shared: ${path.slice(0, 200)}`)
    return path
  }
}
