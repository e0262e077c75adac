import { rmSync, statSync } from 'node:fs'
import { AlmanacError, isAlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import { Semaphore } from '../../util/semaphore.ts'
import { temporaryPath } from '../blobs/blob-files.ts'
import type { LocalBlobStore } from '../blobs/blob-store.ts'
import { isDigest } from '../files/home.ts'
import { parseMarks } from '../garbage/marks.ts'
import { deletingFolder, garbageKey } from './layout.ts'
import type { ObjectBlobs } from './object-blobs.ts'
import { textOf } from './store-garbage.ts'

/** Blobs that are fetched, sent or asked for at once. */
const width = 16

/** Larger blobs are asked for before they are sent; smaller ones are sent at once, which also dates them anew. */
const smallBytes = 64 * 1024

/** Far less than the time between two rounds of a collection, ms. */
const lookEveryMs = 300_000

/** How often, ms, it is looked whether a collection has deleted what it announced; and how long at most. */
const deletionLookMs = 200
const deletionPatienceMs = 300_000

/** Digests of which it is remembered that they are there. */
const keptKnown = 1_000_000

/**
 * The shared store behind a local one. Owns what is known of it, and what is on its way.
 *
 * H1 a blob on its way is fetched once, whoever waits for it, and appears in the local store whole or not at all.
 * H2 at most `width` transfers are under way.
 * H3 what a collection has marked counts as sent when it was put while no collection was about to delete it.
 */
export class Remote {
  readonly blobs: ObjectBlobs
  readonly #store: LocalBlobStore
  readonly #known = new Set<Digest>()
  readonly #fetching = new Map<Digest, Promise<boolean>>()
  readonly #sending = new Map<Digest, Promise<void>>()
  readonly #semaphore = new Semaphore(width)
  #condemned: ReadonlySet<Digest> = new Set()
  #lookedAt = Number.NEGATIVE_INFINITY

  /** is told of the bytes of what came */
  onFetched: (bytes: number) => void = () => undefined

  constructor(blobs: ObjectBlobs, store: LocalBlobStore) {
    this.blobs = blobs
    this.#store = store
  }

  /** Blobs that a collection has marked are sent again by whoever needs them; to be called before something is sent. */
  async lookAround(now = Date.now()): Promise<void> {
    if (now - this.#lookedAt < lookEveryMs) return
    this.#lookedAt = now
    const { unreachable, listing } = parseMarks(await textOf(this.blobs.objects, garbageKey))
    // of either folder: to send one too many is harmless
    this.#condemned = new Set([...unreachable.keys(), ...listing.keys()])
    for (const digest of this.#condemned) this.#known.delete(digest)
  }

  isCondemned(digest: Digest): boolean {
    return this.#condemned.has(digest) && !this.#known.has(digest)
  }

  /** Brings a blob into the local store; false where the shared one has not got it. @throws ALM_BLOB_DAMAGED, ALM_STORE_… */
  fetch(digest: Digest): Promise<boolean> {
    if (!isDigest(digest)) return Promise.resolve(false)
    return once(this.#fetching, digest, () => this.#semaphore.run(() => this.#fetch(digest)))
  }

  has(digest: Digest): Promise<boolean> {
    if (this.#known.has(digest)) return Promise.resolve(true)
    return this.#semaphore.run(async () => {
      if (!(await this.blobs.has(digest))) return false
      if (!this.#condemned.has(digest)) this.know(digest)
      return true
    })
  }

  isKnown(digest: Digest): boolean {
    return this.#known.has(digest)
  }

  know(digest: Digest): void {
    if (this.#known.size >= keptKnown) this.#known.clear()
    this.#known.add(digest)
  }

  /** Sends a blob of the local store, unless it is there. @throws ALM_BLOB_MISSING where neither has it */
  send(digest: Digest): Promise<void> {
    if (this.#known.has(digest)) return Promise.resolve()
    return once(this.#sending, digest, () => this.#semaphore.run(() => this.#send(digest)))
  }

  async #fetch(digest: Digest): Promise<boolean> {
    if (this.#store.hasNow(digest)) return true
    const temporary = temporaryPath(this.#store.files)
    try {
      const size = await this.blobs.fetch(digest, temporary)
      this.#store.place(temporary, digest)
      this.onFetched(size)
      if (!this.#condemned.has(digest)) this.know(digest)
      return true
    } catch (error) {
      if (isAlmanacError(error) && error.code === 'ALM_BLOB_MISSING') return false
      throw error
    } finally {
      rmSync(temporary, { force: true })
    }
  }

  async #send(digest: Digest): Promise<void> {
    const path = this.#store.pathOf(digest)
    const isCondemned = this.#condemned.has(digest)
    if (isCondemned && !this.#store.hasNow(digest)) await this.#fetch(digest)
    const size = this.#store.hasNow(digest) ? statSync(path, { throwIfNoEntry: false })?.size : undefined
    const small = size !== undefined && size <= smallBytes
    if ((small || isCondemned || !(await this.blobs.has(digest))) && !(await this.#put(digest, path, size)))
      throw new AlmanacError('ALM_BLOB_MISSING', {
        digest,
        path: `${this.blobs.objects.url}/${this.blobs.keyOf(digest)}`,
      })
    if (isCondemned && size !== undefined) await this.#outlast(digest, path)
    this.know(digest)
  }

  /** Sends it again for as long as a collection may have deleted it since (G4). */
  async #outlast(digest: Digest, path: string): Promise<void> {
    const until = performance.now() + deletionPatienceMs
    while (await this.#isBeingDeleted(digest)) {
      // a collection that died here deletes no more
      while (performance.now() < until && (await this.#isBeingDeleted(digest)))
        await new Promise((resolve) => setTimeout(resolve, deletionLookMs))
      await this.blobs.send(digest, path)
      if (performance.now() >= until) return
    }
  }

  async #isBeingDeleted(digest: Digest): Promise<boolean> {
    const { objects } = this.blobs
    for await (const { key } of objects.list(deletingFolder))
      if ((await textOf(objects, key)).includes(digest)) return true
    return false
  }

  async #put(digest: Digest, path: string, size: number | undefined): Promise<boolean> {
    if (size === undefined) return await this.blobs.has(digest)
    await this.blobs.send(digest, path)
    return true
  }
}

/** Work that is under way is not begun again. */
function once<T>(underWay: Map<Digest, Promise<T>>, digest: Digest, work: () => Promise<T>): Promise<T> {
  const earlier = underWay.get(digest)
  if (earlier !== undefined) return earlier
  const begun = work().finally(() => underWay.delete(digest))
  underWay.set(digest, begun)
  return begun
}
