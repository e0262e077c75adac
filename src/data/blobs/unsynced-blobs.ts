import { open } from 'node:fs/promises'
import type { Digest } from '../../model/refs.ts'
import { Semaphore } from '../../util/semaphore.ts'
import { isMissing, storeError } from '../files/failures.ts'
import { shard } from '../files/home.ts'

/** Larger ones begin to go to the disk as soon as they are there, while others are still read. */
const earlyBytes = 4 << 20

/** More digests are not remembered as synced. */
const keptSynced = 200_000

/**
 * What this process has put into the store and is not known to be on the disk. Owns the syncs of blobs.
 *
 * U1 after `flush` all that was added before it is on disk, with its name.
 * U2 a sync that failed is never tried again for the same file: the system says it once, and the next one would succeed
 *    although the bytes are lost. Whoever flushes is told of it, whenever it was.
 */
export class UnsyncedBlobs {
  readonly #store: string
  /** takes a blob out of use whose bytes may be lost */
  readonly #lost: (digest: Digest) => void
  #pending = new Set<Digest>()
  readonly #synced = new Set<Digest>()
  readonly #durableShards = new Set<string>()
  /** syncs of blobs that have begun, or are done: what went wrong, if anything */
  readonly #early = new Map<Digest, Promise<Failed | undefined>>()
  /** few: the system's threads serve others too */
  readonly #semaphore = new Semaphore(2)

  constructor(store: string, lost: (digest: Digest) => void) {
    this.#store = store
    this.#lost = lost
  }

  get any(): boolean {
    return this.#pending.size > 0
  }

  /**
   * `fresh`: it was put there now; what was there may have been written by another process, and not be synced.
   * `size`: of one whose sync may begin before `flush`.
   */
  add(digest: Digest, fresh: boolean, size = 0): void {
    if (!fresh && this.#synced.has(digest)) return
    this.#pending.add(digest)
    // another file of that name is another sync
    if (fresh) this.#early.delete(digest)
    if (size >= earlyBytes && !this.#early.has(digest)) this.#begin(digest)
  }

  forget(digest: Digest): void {
    this.#pending.delete(digest)
    this.#synced.delete(digest)
    this.#early.delete(digest)
  }

  /** `more`: what others have put. @throws ALM_STORE_…; then it is still to be done, but for what is lost */
  async flush(more: Iterable<Digest> = []): Promise<void> {
    const pending = this.#pending
    for (const digest of more) pending.add(digest)
    if (pending.size === 0) return
    this.#pending = new Set()
    try {
      await each(pending, (digest) => this.#sync(digest))
      const touched = new Set([...pending].map((digest) => digest.slice(0, 2)))
      await each(touched, (name) => fsyncAt(`${this.#store}/${name}`))
      if ([...touched].some((name) => !this.#durableShards.has(name))) await fsyncAt(this.#store)
      for (const name of touched) this.#durableShards.add(name)
    } catch (error) {
      for (const digest of pending) this.#pending.add(digest)
      throw error
    }
    if (this.#synced.size + pending.size > keptSynced) this.#synced.clear()
    for (const digest of pending) this.#synced.add(digest)
  }

  #begin(digest: Digest): void {
    const sync = this.#semaphore.run(() => fsyncAt(shard(this.#store, digest)))
    this.#early.set(
      digest,
      sync.then(
        () => undefined,
        (error: unknown) => ({ error }),
      ),
    )
  }

  async #sync(digest: Digest): Promise<void> {
    const begun = this.#early.get(digest)
    this.#early.delete(digest)
    try {
      if (begun === undefined) await fsyncAt(shard(this.#store, digest))
      else {
        const failed = await begun
        if (failed !== undefined) throw failed.error
      }
    } catch (error) {
      this.#lost(digest)
      throw error
    }
  }
}

interface Failed {
  readonly error: unknown
}

/** Four at once: as many as the thread pool has. */
async function each<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]()
  const lane = async () => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) await work(next.value)
  }
  await Promise.all([lane(), lane(), lane(), lane()])
}

async function fsyncAt(path: string): Promise<void> {
  try {
    const file = await open(path, 'r')
    try {
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    // a blob that was removed meanwhile needs no sync
    if (!isMissing(error)) throw storeError(error, path)
  }
}
