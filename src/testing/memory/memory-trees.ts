import { hash } from 'node:crypto'
import type { TreeMaker } from '../../core/tree/chunk.ts'
import { makeListing } from '../../core/tree/chunk.ts'
import type { PathChange } from '../../core/tree/edit.ts'
import { editTree } from '../../core/tree/edit.ts'
import type { Listing } from '../../core/tree/listing.ts'
import { parseListing, totals } from '../../core/tree/listing.ts'
import type { Finding, Reading } from '../../core/tree/reading.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import { DirRef, FileRef } from '../../model/refs.ts'
import type { MemoryFile } from './memory-files.ts'

export const digestOf = (bytes: Uint8Array | string): Digest => hash('sha256', bytes, 'hex')

/** Blobs in memory, and the trees among them. Owns what is there and which of it a power loss would take. */
export class MemoryTrees {
  readonly #blobs = new Map<Digest, Uint8Array>()
  readonly #unsynced = new Set<Digest>()
  readonly #listings = new Map<Digest, Listing>()
  readonly #maker: TreeMaker = {
    hash: digestOf,
    write: (_, text) => void this.put(new TextEncoder().encode(text)),
  }

  put(bytes: Uint8Array): Digest {
    const digest = digestOf(bytes)
    if (!this.#blobs.has(digest)) this.#unsynced.add(digest)
    this.#blobs.set(digest, bytes)
    return digest
  }

  get(digest: Digest): Uint8Array | undefined {
    return this.#blobs.get(digest)
  }

  has(digest: Digest): boolean {
    return this.#blobs.has(digest)
  }

  sync(): void {
    this.#unsynced.clear()
  }

  lose(digest: Digest): void {
    this.#blobs.delete(digest)
    this.#listings.delete(digest)
    this.#unsynced.delete(digest)
  }

  loseUnsynced(): void {
    for (const digest of [...this.#unsynced]) this.lose(digest)
  }

  /** @throws ALM_BLOB_MISSING */
  read(digest: Digest): Listing {
    const known = this.#listings.get(digest)
    if (known !== undefined) return known
    const bytes = this.#blobs.get(digest)
    if (bytes === undefined) throw new AlmanacError('ALM_BLOB_MISSING', { digest })
    const listing = parseListing(digest, new TextDecoder().decode(bytes))
    this.#listings.set(digest, listing)
    return listing
  }

  run<T>(reading: Reading<T>): T {
    let step = reading.next()
    while (step.done !== true) step = reading.next(this.read(step.value))
    return step.value
  }

  *find<Item extends object>(finding: Finding<Item>): Generator<Item> {
    let step = finding.next()
    while (step.done !== true) {
      if (typeof step.value === 'string') step = finding.next(this.read(step.value))
      else {
        yield step.value
        step = finding.next(undefined as never)
      }
    }
  }

  edit(base: Digest | undefined, changes: readonly (readonly [string, PathChange])[]): DirRef {
    const made = this.run(editTree(this.#maker, base, changes))
    return new DirRef(made.digest, made.files, made.size)
  }

  /** An empty directory where there is no file. */
  changeTo(file: MemoryFile | undefined): PathChange {
    if (file === undefined) return { kind: 'dir', executable: false, ...makeListing(this.#maker, []) }
    const { bytes, executable } = file
    return { kind: 'file', digest: digestOf(bytes), size: bytes.length, executable, files: 1 }
  }

  changeToRef(ref: FileRef | DirRef | undefined): PathChange {
    if (ref === undefined) return undefined
    const { digest } = ref
    if (ref instanceof FileRef) {
      return { kind: 'file', digest, size: ref.size, executable: ref.executable, files: 1 }
    }
    const { size, files } = totals(this.read(digest))
    return { kind: 'dir', digest, size, files, executable: false }
  }
}
