import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { AlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import type { BlobStore } from '../../ports/data.ts'
import { inStore, isMissing, storeError } from '../files/failures.ts'
import type { Home } from '../files/home.ts'
import { isDigest, shard, shards } from '../files/home.ts'
import { namesIn } from '../files/missing-files.ts'
import type { Departed, Presence } from '../processes/presence.ts'
import type { AdoptRunner } from './adopt-files.ts'
import { Adoption, type SizedFile, type TakenFile } from './adoption.ts'
import type { Adopted, BlobFiles } from './blob-files.ts'
import {
  digestOf,
  isWhole,
  looksWhole,
  placeBlob,
  renewBlob,
  seal,
  statBlob,
  writeBlob,
} from './blob-files.ts'
import type { CheckRunner, Damage } from './check-blobs.ts'
import { jobBatches, totalSize } from './job-batches.ts'
import { timesKept } from './stamp.ts'
import { UnsyncedBlobs } from './unsynced-blobs.ts'
import { WholeTrees } from './whole-trees.ts'

/** Larger files are read and hashed beside the main thread. */
const largeBytes = 1 << 20

/** How often the time since which blobs may be lost is moved on, ms. */
const markEvery = 10_000

/** Clocks of a file system and of the process may differ by the grain of either. */
const clockGrain = 2000

/**
 * The blobs of one `.almanac`.
 *
 * S1 after `sync` all that was put before it is on disk, with its name, whoever wrote it first.
 * S2 what a crash of the machine may have torn is read and checked before anything else happens (`recover`).
 * S3 damage is moved aside: what is damaged is missing, so that it is made again.
 * S4 a blob that is older than this process, and than all that others have not yet synced, is on disk: whoever made it
 *    synced it before it left, or whoever came after it did. Finding it again writes nothing and waits for nothing.
 */
export class LocalBlobStore implements BlobStore {
  readonly files: BlobFiles
  readonly whole: WholeTrees
  readonly #home: Home
  readonly #pool: AdoptRunner & CheckRunner
  readonly #presence: Presence
  readonly #now: () => number
  readonly #unsynced: UnsyncedBlobs
  readonly #adoption: Adoption
  /** what was changed last before that time of the file system (ns) is on disk (S4) */
  readonly #syncedBefore: bigint
  /** damaged, where nothing can be moved aside */
  readonly #outOfUse = new Set<Digest>()
  #adopting = 0
  #markedAt = 0
  /** a process that died left blobs of since then that may not be on disk */
  #inherited: number | undefined
  #syncing: Promise<void> = Promise.resolve()

  constructor(home: Home, presence: Presence, pool: AdoptRunner & CheckRunner, now: () => number) {
    this.#home = home
    this.#presence = presence
    this.#pool = pool
    this.#now = now
    const { store, trash, damaged } = home
    // what is only read is read whole, or compared with its digest where it is copied: its size is enough
    const readOnly = { stamps: false, now: undefined }
    const times = presence.isReadOnly
      ? readOnly
      : inStore(store, () => {
          for (const directory of [trash, damaged]) mkdirSync(directory, { recursive: true })
          return timesKept(`${presence.temporary}/${crypto.randomUUID()}`)
        })
    this.files = { store, trash, temporary: presence.temporary, stamps: times.stamps }
    this.#syncedBefore = inStore(home.work, () => syncedBefore(times.now, presence.othersUnsynced()))
    this.whole = new WholeTrees(home)
    this.#unsynced = new UnsyncedBlobs(store, (digest) => this.quarantine(digest))
    const { files, whole } = this
    this.#adoption = new Adoption({ files, whole, pool, presence, unsynced: this.#unsynced })
  }

  async put(bytes: Uint8Array): Promise<Digest> {
    return this.putNow(bytes)
  }

  /** `put` for callers that have many. */
  putNow(bytes: Uint8Array): Digest {
    const digest = digestOf(bytes)
    if (this.#renewed(digest, bytes.length)) return digest
    this.#mark()
    writeBlob(this.files, digest, bytes)
    this.#unsynced.add(digest, true)
    return digest
  }

  async get(digest: Digest): Promise<Uint8Array> {
    const stat = this.#stat(digest)
    const path = shard(this.files.store, digest)
    let bytes: Uint8Array
    try {
      bytes = stat.size > largeBytes ? await readFile(path) : readFileSync(path)
    } catch (error) {
      throw isMissing(error) ? missing(digest) : storeError(error, path)
    }
    return this.#sound(digest, bytes)
  }

  /** `get` for callers that cannot wait. */
  getNow(digest: Digest): Uint8Array {
    this.#stat(digest)
    const path = shard(this.files.store, digest)
    let bytes: Uint8Array
    try {
      bytes = readFileSync(path)
    } catch (error) {
      throw isMissing(error) ? missing(digest) : storeError(error, path)
    }
    return this.#sound(digest, bytes)
  }

  #sound(digest: Digest, bytes: Uint8Array): Uint8Array {
    if (digestOf(bytes) === digest) return bytes
    this.quarantine(digest)
    throw new AlmanacError('ALM_BLOB_DAMAGED', { digest, why: 'its bytes are others' })
  }

  /** One that is there but not as it was made is read: it may only have been touched. */
  async has(digest: Digest): Promise<boolean> {
    if (this.#outOfUse.has(digest)) return false
    const stat = isDigest(digest) ? inStore(this.files.store, () => statBlob(this.files, digest)) : undefined
    if (stat === undefined) return false
    if (looksWhole(this.files, digest, stat)) return true
    if ((await this.check([digest])).length > 0) return false
    const path = shard(this.files.store, digest)
    inStore(path, () => seal(path, digest, stat.mtimeNs))
    return true
  }

  /** Is it there, as it was made by size and stamp? */
  hasNow(digest: Digest, size?: number): boolean {
    if (!isDigest(digest) || this.#outOfUse.has(digest)) return false
    return inStore(this.files.store, () => isWhole(this.files, digest, size))
  }

  pathOf(digest: Digest): string {
    return shard(this.files.store, digest)
  }

  /** Takes a file of ours whose digest is known to be this; it is no longer where it was. */
  place(path: string, digest: Digest): void {
    this.#mark()
    inStore(path, () => {
      seal(path, digest, BigInt(this.#now()) * 1_000_000n)
      placeBlob(this.files, path, digest)
    })
    this.#unsynced.add(digest, true)
  }

  /** Dates it anew for collections, as if it were put; false if it is not there. */
  renew(digest: Digest): boolean {
    return this.#renewed(digest)
  }

  async adopt(path: string): Promise<Adopted> {
    const size = lstatSync(path, { throwIfNoEntry: false })?.size ?? 0
    return (await this.adoptAll([{ path, size }]))[0] as Adopted
  }

  /** `size`: about, to share them out among threads, or not. What was linked is given back where not all can be taken. */
  async adoptAll(files: readonly SizedFile[], how: 'move' | 'link' = 'move'): Promise<readonly Adopted[]> {
    return await this.taking(() => this.#adoption.all(files, how))
  }

  /** Gives back files that were linked, as something went wrong since; the error to throw then. */
  undone(linked: readonly TakenFile[], error: unknown): unknown {
    return this.#adoption.undone(linked, error)
  }

  /** A blob that a thread of `taking` has put there, or found. */
  taken(digest: Digest, size: number): void {
    this.#unsynced.add(digest, true, size)
  }

  /** Work that puts blobs by threads of its own, and says so (`taken`); who does it renews them afterwards. */
  async taking<T>(work: () => Promise<T>): Promise<T> {
    this.#mark()
    this.#adopting++
    try {
      return await work()
    } finally {
      this.#adopting--
    }
  }

  sync(): Promise<void> {
    // one at a time: a later one must not return before what an earlier one took is on disk
    const syncing = this.#syncing.catch(() => undefined).then(() => this.#flush())
    this.#syncing = syncing
    return syncing
  }

  async *list(): AsyncGenerator<{
    readonly digest: Digest
    readonly size: number
    readonly changedAt: number
  }> {
    for (const name of shards) {
      const directory = `${this.files.store}/${name}`
      for (const digest of inStore(directory, () => namesIn(directory))) {
        const stat = isDigest(digest)
          ? lstatSync(`${directory}/${digest}`, { throwIfNoEntry: false })
          : undefined
        if (stat !== undefined) yield { digest, size: stat.size, changedAt: stat.ctimeMs }
      }
      // a large store is listed between other work
      await new Promise(setImmediate)
    }
  }

  async remove(digests: readonly Digest[]): Promise<void> {
    if (digests.length > 0) this.whole.changed()
    for (const digest of digests) {
      const path = shard(this.files.store, digest)
      inStore(path, () => rmSync(path, { force: true }))
      this.#unsynced.forget(digest)
    }
  }

  /** Reads the given blobs whole; damaged ones are moved aside. */
  async check(digests: readonly Digest[]): Promise<readonly Damage[]> {
    const sized = digests.map((digest) => ({ digest, size: this.#sizeOf(digest) }))
    const jobs = jobBatches(sized).map((batch) => ({
      kind: 'check' as const,
      files: this.files,
      digests: batch.map(({ digest }) => digest),
    }))
    const here = jobs.length < 2 && totalSize(sized) <= largeBytes
    const damage = here
      ? jobs.flatMap((job) => this.#pool.runHere(job))
      : (await this.#pool.runAll(jobs)).flat()
    for (const { digest } of damage) this.quarantine(digest)
    return damage
  }

  /** Moves a damaged blob aside, so that it is missing; where nothing can be written it is missing to this process. */
  quarantine(digest: Digest): void {
    if (this.#presence.isReadOnly) this.#outOfUse.add(digest)
    else this.#moveTo(this.#home.damaged, digest)
  }

  /** Takes a blob out of use; whoever asks for it takes it back. */
  moveAside(digest: Digest): void {
    this.#moveTo(this.#home.trash, digest)
  }

  /** Removes a blob that can be had elsewhere: by way of the trash, as all that looks for removed ones looks there. */
  evict(digest: Digest): void {
    this.moveAside(digest)
    const path = `${this.#home.trash}/${digest}`
    inStore(path, () => rmSync(path, { force: true }))
  }

  #moveTo(directory: string, digest: Digest): void {
    const path = shard(this.files.store, digest)
    this.#unsynced.forget(digest)
    try {
      renameSync(path, `${directory}/${digest}`)
    } catch (error) {
      if (!isMissing(error)) throw storeError(error, path)
    }
  }

  /**
   * What processes that are gone left: blobs that were not synced are checked if the machine has started anew since
   * then, and are synced with ours if it has not.
   */
  async recover(others: readonly Departed[], bootId: string): Promise<readonly Damage[]> {
    const since = (here: boolean) =>
      others
        .filter((one) => (one.identity.bootId === bootId) === here)
        .reduce(
          (least, one) => Math.min(least, one.unsyncedSince ?? Number.POSITIVE_INFINITY),
          Number.POSITIVE_INFINITY,
        )
    const sameBoot = since(true)
    if (sameBoot !== Number.POSITIVE_INFINITY) {
      this.#inherited = Math.min(sameBoot, this.#inherited ?? sameBoot)
      this.#presence.setUnsynced(Math.min(sameBoot, this.#presence.unsyncedSince ?? sameBoot))
    }
    const earlier = since(false)
    return earlier === Number.POSITIVE_INFINITY ? [] : await this.check(await this.#changedSince(earlier))
  }

  async close(): Promise<void> {
    await this.sync()
  }

  #renewed(digest: Digest, size?: number): boolean {
    const stat = inStore(this.files.store, () => statBlob(this.files, digest))
    if (stat === undefined || !looksWhole(this.files, digest, stat, size)) return false
    // no collection takes what nobody can write to
    if (this.#presence.isReadOnly) return !this.#outOfUse.has(digest)
    if (!inStore(this.files.store, () => renewBlob(this.files, digest))) return false
    if (stat.ctimeNs < this.#syncedBefore) return true
    this.#mark()
    this.#unsynced.add(digest, false)
    return true
  }

  #sizeOf(digest: Digest): number {
    return lstatSync(shard(this.files.store, digest), { throwIfNoEntry: false })?.size ?? 0
  }

  async #flush(): Promise<void> {
    const startedAt = this.#now()
    const inherited = this.#inherited
    if (!this.#unsynced.any && inherited === undefined) return
    await this.#unsynced.flush(inherited === undefined ? [] : await this.#changedSince(inherited))
    if (this.#inherited === inherited) this.#inherited = undefined
    this.#unmark(startedAt)
  }

  async #changedSince(since: number): Promise<Digest[]> {
    const digests: Digest[] = []
    for await (const { digest, changedAt } of this.list())
      if (changedAt >= since - clockGrain) digests.push(digest)
    return digests
  }

  /** Before anything is written. */
  #mark(): void {
    if (this.#presence.unsyncedSince !== undefined) return
    this.#markedAt = this.#now()
    this.#presence.setUnsynced(this.#markedAt)
  }

  #unmark(syncedAt: number): void {
    if (this.#adopting > 0 || this.#inherited !== undefined || syncedAt - this.#markedAt < markEvery) return
    this.#markedAt = syncedAt
    this.#presence.setUnsynced(syncedAt)
  }

  #stat(digest: Digest): { readonly size: number } {
    const stat = isDigest(digest) ? inStore(this.files.store, () => statBlob(this.files, digest)) : undefined
    if (stat === undefined) throw missing(digest)
    return { size: Number(stat.size) }
  }
}

/** `now`: of the file system, before `others` was found out. */
const syncedBefore = (now: bigint | undefined, others: number): bigint => {
  if (now === undefined) return 0n
  const before =
    BigInt(Math.floor(Math.max(0, Math.min(others, Number.MAX_SAFE_INTEGER) - clockGrain))) * 1_000_000n
  return before < now ? before : now
}

const missing = (digest: Digest) => new AlmanacError('ALM_BLOB_MISSING', { digest })
