import { createHash } from 'node:crypto'
import { createWriteStream, rmSync, unlinkSync } from 'node:fs'
import { AlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import type { BlobStore } from '../../ports/data.ts'
import type { Objects } from '../../ports/objects.ts'
import { digestOf } from '../blobs/blob-files.ts'
import { storeError } from '../files/failures.ts'
import { isDigest } from '../files/home.ts'
import { hashInput } from '../files/read-file.ts'
import { blobFolder, blobKey } from './layout.ts'

/** How often an object is read whose bytes are not those of its name: what is on the way may be at fault. */
const tries = 3

/**
 * Blobs in a bucket: `blobs/<aa>/<digest>`.
 *
 * K1 what is read is compared with its digest before anybody sees it.
 * K2 writing a blob that is there is harmless, and dates it anew.
 */
export class ObjectBlobs implements BlobStore {
  readonly objects: Objects
  readonly #folder: string

  constructor(objects: Objects, folder = blobFolder) {
    this.objects = objects
    this.#folder = folder
  }

  keyOf(digest: Digest): string {
    return blobKey(digest, this.#folder)
  }

  async put(bytes: Uint8Array): Promise<Digest> {
    const digest = digestOf(bytes)
    await this.objects.put(this.keyOf(digest), bytes)
    return digest
  }

  async get(digest: Digest): Promise<Uint8Array> {
    let pieces: Uint8Array[] = []
    await this.#read(digest, () => {
      pieces = []
      return { take: (piece) => void pieces.push(piece), end: () => Promise.resolve() }
    })
    return pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces)
  }

  async has(digest: Digest): Promise<boolean> {
    return isDigest(digest) && (await this.objects.look(this.keyOf(digest))) !== undefined
  }

  async adopt(path: string): Promise<{ readonly digest: Digest; readonly size: number }> {
    const { digest, state } = hashInput(path)
    await this.send(digest, path)
    unlinkSync(path)
    return { digest, size: Number(state.size) }
  }

  async sync(): Promise<void> {
    // what was put is there when the promise of `put` resolves
  }

  async *list(): AsyncGenerator<{
    readonly digest: Digest
    readonly size: number
    readonly changedAt: number
  }> {
    for await (const { key, size, changedAt } of this.objects.list(this.#folder)) {
      const digest = key.slice(key.lastIndexOf('/') + 1)
      if (isDigest(digest) && key === this.keyOf(digest)) yield { digest, size, changedAt }
    }
  }

  async remove(digests: readonly Digest[]): Promise<void> {
    await this.objects.remove(digests.map((digest) => this.keyOf(digest)))
  }

  /** Keeps a copy of a file whose digest is known. @throws ALM_INPUT_CHANGED where it has another */
  async send(digest: Digest, path: string): Promise<void> {
    await this.objects.putFile(this.keyOf(digest), path, digest)
  }

  /** Writes a blob to a new file, which is not there where this fails; returns its size. @throws ALM_BLOB_MISSING, ALM_BLOB_DAMAGED */
  async fetch(digest: Digest, path: string): Promise<number> {
    try {
      return await this.#read(digest, () => fileAt(path))
    } catch (error) {
      rmSync(path, { force: true })
      throw error
    }
  }

  async #read(digest: Digest, begin: () => Taker): Promise<number> {
    const place = `${this.objects.url}/${this.keyOf(digest)}`
    if (!isDigest(digest)) throw new AlmanacError('ALM_BLOB_MISSING', { digest })
    for (let attempt = 1; ; attempt++) {
      const taker = begin()
      const whole = createHash('sha256')
      let size: number | undefined
      try {
        size = await this.objects.read(this.keyOf(digest), (piece) => {
          whole.update(piece)
          return taker.take(piece)
        })
      } finally {
        await taker.end()
      }
      if (size === undefined) throw new AlmanacError('ALM_BLOB_MISSING', { digest, path: place })
      const found = whole.digest('hex')
      if (found === digest) return size
      if (attempt < tries) continue
      const why = `what ${place} gives has the SHA-256 ${found}`
      throw new AlmanacError('ALM_BLOB_DAMAGED', { digest, why })
    }
  }
}

/** Where the pieces of one try go. */
interface Taker {
  take(piece: Uint8Array): void | Promise<void>
  end(): Promise<void>
}

/** Written as fast as the disk takes it. */
function fileAt(path: string): Taker {
  const file = createWriteStream(path, { flags: 'w', mode: 0o600 })
  let failure: unknown
  file.on('error', (error) => {
    failure = error
  })
  const check = () => {
    if (failure !== undefined) throw storeError(failure, path)
  }
  return {
    take: (piece) =>
      new Promise<void>((resolve, reject) => {
        file.write(piece, (error) => {
          if (error === null || error === undefined) resolve()
          else reject(storeError(error, path))
        })
      }),
    end: async () => {
      check()
      await new Promise<void>((resolve) => {
        file.once('close', resolve)
        file.end()
      })
      check()
    },
  }
}
