import { createHash } from 'node:crypto'
import { crc32, gunzipSync } from 'node:zlib'
import { AlmanacError } from '../../model/errors.ts'
import { DirRef, type FileRef } from '../../model/refs.ts'
import type { Begun, ChecksumAlgorithm, Downloads, Kept, Part } from '../../ports/downloads.ts'

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

const checksumOf = (bytes: Buffer, algorithm: ChecksumAlgorithm): string =>
  algorithm === 'crc32'
    ? crc32(bytes).toString(16).padStart(8, '0')
    : createHash(algorithm).update(bytes).digest('hex')

/** Downloads in memory: what an executor of sources is tested with. */
export class MemoryDownloads implements Downloads {
  readonly blobs = new Map<string, Buffer>()
  readonly names = new Map<string, Kept>()
  /** what the last directory was made of: path → content */
  made: Record<string, string> = {}
  readonly #parts = new Map<string, MemoryPart>()

  async known(name: string): Promise<Kept | undefined> {
    const kept = this.names.get(name)
    return kept !== undefined && this.blobs.has(kept.digest) ? kept : undefined
  }

  remember(name: string, kept: Kept): void {
    this.names.set(name, kept)
  }

  async checksum({ digest }: Kept, algorithm: ChecksumAlgorithm): Promise<string | undefined> {
    const bytes = this.blobs.get(digest)
    return bytes && checksumOf(bytes, algorithm)
  }

  async part(name: string): Promise<Part> {
    const part = this.#parts.get(name) ?? new MemoryPart(this.blobs, () => this.#parts.delete(name))
    this.#parts.set(name, part)
    return part
  }

  async assemble(files: Iterable<readonly [path: string, file: FileRef]>): Promise<DirRef> {
    const all = [...files].sort(([a], [b]) => (a < b ? -1 : 1))
    this.made = Object.fromEntries(
      all.map(([path, { digest }]) => [path, (this.blobs.get(digest) as Buffer).toString()]),
    )
    const size = all.reduce((sum, [, file]) => sum + file.size, 0)
    return new DirRef(
      sha256(JSON.stringify(all.map(([path, { digest }]) => [path, digest]))),
      all.length,
      size,
    )
  }

  /** Names of which a part is left. */
  get left(): readonly string[] {
    return [...this.#parts.keys()].filter((name) => (this.#parts.get(name) as MemoryPart).size > 0)
  }
}

class MemoryPart implements Part {
  readonly #blobs: Map<string, Buffer>
  readonly #gone: () => void
  #begun: Begun | undefined
  #bytes: Buffer = Buffer.alloc(0)

  constructor(blobs: Map<string, Buffer>, gone: () => void) {
    this.#blobs = blobs
    this.#gone = gone
  }

  get begun(): Begun | undefined {
    return this.#begun
  }

  get size(): number {
    return this.#bytes.length
  }

  async begin(begun: Begun): Promise<void> {
    this.#begun = begun
    this.#bytes = Buffer.alloc(0)
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
  }

  async checksums(algorithms: readonly ChecksumAlgorithm[]): Promise<Readonly<Record<string, string>>> {
    return Object.fromEntries(algorithms.map((name) => [name, checksumOf(this.#bytes, name)]))
  }

  async keep({ maxBytes }: { readonly maxBytes: number }) {
    const bytes = this.#begun?.encoding === undefined ? this.#bytes : decoded(this.#bytes, maxBytes)
    const digest = sha256(bytes)
    this.#blobs.set(digest, bytes)
    await this.discard()
    return { digest, size: bytes.length }
  }

  async discard(): Promise<void> {
    this.#begun = undefined
    this.#bytes = Buffer.alloc(0)
    this.#gone()
  }

  async leave(): Promise<void> {}
}

function decoded(bytes: Buffer, maxBytes: number): Buffer {
  try {
    const whole = gunzipSync(bytes)
    if (whole.length <= maxBytes) return whole
  } catch (error) {
    throw new AlmanacError('ALM_SOURCE_CODING', { encoding: 'gzip', why: 'it is damaged' }, { cause: error })
  }
  throw new AlmanacError('ALM_SOURCE_CODING', {
    encoding: 'gzip',
    why: `it unpacks to more than ${maxBytes} bytes`,
  })
}
