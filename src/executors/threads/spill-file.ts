import { mkdtempSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AlmanacError } from '../../model/errors.ts'

/** Where bytes lie in the file. */
export interface Extent {
  readonly offset: number
  readonly capacity: number
}

/**
 * A file for what memory has no room for. Owns it and the places in it.
 *
 * D1 it has no name: nothing is left of it when the process is gone, however that ends
 * D2 a place that was given back is used again
 */
export class SpillFile {
  readonly #directory: string
  #file: Promise<FileHandle> | undefined
  readonly #free = new Map<number, number[]>()
  #end = 0

  constructor(directory: string = tmpdir()) {
    this.#directory = directory
  }

  /** @throws what the file system says */
  async write(bytes: Uint8Array): Promise<Extent> {
    this.#file ??= nameless(this.#directory)
    const file = await this.#file
    const extent = this.#take(bytes.length)
    try {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, at, bytes.length - at, extent.offset + at)
        at += bytesWritten
      }
    } catch (error) {
      this.give(extent)
      throw error
    }
    return extent
  }

  /** Fills the bytes. @throws what the file system says */
  async read({ offset }: Extent, into: Uint8Array): Promise<void> {
    const file = await (this.#file as Promise<FileHandle>)
    for (let at = 0; at < into.length; ) {
      const { bytesRead } = await file.read(into, at, into.length - at, offset + at)
      if (bytesRead === 0) throw new AlmanacError('ALM_BUG', { why: 'what was written out is cut short' })
      at += bytesRead
    }
  }

  give({ offset, capacity }: Extent): void {
    const known = this.#free.get(capacity)
    if (known === undefined) this.#free.set(capacity, [offset])
    else known.push(offset)
  }

  async close(): Promise<void> {
    const file = await this.#file?.catch(() => undefined)
    await file?.close()
  }

  #take(bytes: number): Extent {
    const capacity = Math.ceil(bytes / page) * page
    const offset = this.#free.get(capacity)?.pop()
    if (offset !== undefined) return { offset, capacity }
    const end = this.#end
    this.#end += capacity
    return { offset: end, capacity }
  }
}

const page = 4096

async function nameless(directory: string): Promise<FileHandle> {
  const folder = mkdtempSync(join(directory, 'almanac-arrays-'))
  try {
    return await open(join(folder, 'arrays'), 'wx+', 0o600)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
