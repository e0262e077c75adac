import { readFile } from 'node:fs/promises'
import { HeldRef } from '../../model/refs.ts'
import type { HeldValues } from './held-values.ts'
import type { SharedFiles } from './shared-files.ts'
import type { HeldPlace } from './wire.ts'
import type { Worker } from './worker.ts'

/** Copies of held values as they are kept beyond this executor: made of what workers hold, and given back to them. */
export class HeldCopies {
  readonly #held: HeldValues
  readonly #files: SharedFiles
  readonly #workers: ReadonlySet<Worker>
  #restored = 0

  constructor(held: HeldValues, files: SharedFiles, workers: ReadonlySet<Worker>) {
    this.#held = held
    this.#files = files
    this.#workers = workers
  }

  async persist(handle: number): Promise<Uint8Array | undefined> {
    const place = this.#held.placeOf(handle)
    const holder = [...this.#workers].find((worker) => worker === this.#held.holderOf(handle))
    if (holder !== undefined) return this.#persisted(holder, handle)
    const [span] = place?.spans ?? []
    if (place === undefined || span === undefined) return undefined
    // what was restored is in its file as it is to be kept
    if (place.spans.length === 1) return (await readFile(place.path)).subarray(0, span[1])
    return this.#persistedFrom(place, handle)
  }

  /** What went to disk, or moves: any worker in whose environment it can be made of the file. */
  async #persistedFrom(place: HeldPlace, handle: number): Promise<Uint8Array | undefined> {
    const segment = place.file.name
    for (const worker of [...this.#workers]) {
      if (!this.#workers.has(worker)) continue
      this.#held.use(segment, worker.id, 1)
      const bytes = await this.#persisted(worker, handle, place)
      // what a dead one had was given back with it
      if (this.#workers.has(worker)) this.#held.use(segment, worker.id, -1)
      if (bytes !== undefined) return bytes
    }
    return undefined
  }

  async #persisted(by: Worker, handle: number, exported?: HeldPlace): Promise<Uint8Array | undefined> {
    const file = this.#files.take(this.#held.sizeOf(handle))
    try {
      const path = await by.persist(handle, file, exported)
      return path === undefined ? undefined : await readFile(path)
    } finally {
      // it has the length of what was written, not its capacity
      this.#files.drop(file)
    }
  }

  restore(bytes: Uint8Array, { key, path, type, size }: HeldRef, executor: string): HeldRef {
    const file = this.#files.take(bytes.length)
    const written = this.#files.write(file, bytes)
    this.#restored += 1
    const form = Buffer.from(bytes.subarray(0, 6)).toString('latin1') === '\x93NUMPY' ? 'npy' : 'pickle'
    const place: HeldPlace = { file, path: written, form, spans: [[0, bytes.length]] }
    this.#held.addFile(this.#restored, bytes.length, place)
    return new HeldRef(key, path, type, size, executor, this.#restored)
  }
}
