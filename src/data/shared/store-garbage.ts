import { type Listing, parseListing } from '../../core/tree/listing.ts'
import { decode } from '../../model/codec.ts'
import { isAlmanacError } from '../../model/errors.ts'
import type { RunId } from '../../model/records.ts'
import type { Digest } from '../../model/refs.ts'
import { DirRef, FileRef } from '../../model/refs.ts'
import { eachRef } from '../../model/value-refs.ts'
import type { ObjectInfo, Objects } from '../../ports/objects.ts'
import { Semaphore } from '../../util/semaphore.ts'
import { isDigest } from '../files/home.ts'
import { type Found, marksText, noMarks, parseMarks, sweep } from '../garbage/marks.ts'
import { reachTree } from '../garbage/reachable.ts'
import { readKnownDocument, unknownDocument } from './documents.ts'
import {
  baseFolder,
  cacheFolder,
  deletingFolder,
  garbageKey,
  listingFolder,
  resultFolder,
  versionFolder,
} from './layout.ts'
import { ObjectBlobs } from './object-blobs.ts'
import { goneRuns, type OwnRuns, sweepRuns } from './run-marks.ts'
import { unchangedObjects } from './unchanged-objects.ts'

/** Documents that are read at once. */
const width = 32

export interface StoreGarbageOptions {
  readonly dryRun: boolean
  /** longer than any work that has not yet told of its results takes, ms */
  readonly graceMs: number
  readonly now: number
  /** results that can be reused go when they are older, ms; none if absent */
  readonly olderMs?: number
  /** the journal whose removed runs are looked for */
  readonly own?: OwnRuns
  /** runs of journals that have stored nothing for so long, ms, are no more; none if absent */
  readonly goneMs?: number
}

export interface StoreGarbageReport {
  readonly kept: number
  readonly keptBytes: number
  readonly unreachable: number
  readonly unreachableBytes: number
  readonly deleted: number
  readonly freedBytes: number
  /** results that can no longer be reused */
  readonly forgotten: number
  /** results and logs of runs that are no more */
  readonly orphans: number
  /** listings that a document needs and that are not there */
  readonly missing: number
}

/**
 * Mark and sweep of a shared store, beside all who use it.
 *
 * G1 a blob goes only after two rounds more than a grace apart found it unreachable, and none was put anew between.
 * G2 between the rounds all can read what is marked, and send anew what of that they need (`Remote`).
 * G3 what came while a round went on is looked at before anything is removed.
 * G4 what is about to be deleted is announced before it is looked at for the last time. So either the collection sees
 *    that somebody has sent it anew, or who sends it sees the announcement, and sends it again when that has gone.
 * G5 documents go before what they stand for; a round that cannot read one removes nothing.
 * G6 of a removed run nothing stays, whoever removed it and however it was stopped; what a collection announced that died
 *    is swept when nobody can be deleting by it any more.
 */
export async function collectStore(
  objects: Objects,
  options: StoreGarbageOptions,
): Promise<StoreGarbageReport> {
  const earlier = parseMarks(await textOf(objects, garbageKey))
  const marks = noMarks()
  const gone = await goneRuns(objects, options.own, options)
  const round = new Round(objects, new Set(gone.map(({ run }) => run)))
  const forgotten = await round.mark(options)
  const doomed = new Map<ObjectBlobs, Found[]>()
  const report = { kept: 0, keptBytes: 0, unreachable: 0, unreachableBytes: 0 }
  for (const [blobs, reachable] of round.reachable) {
    const found: Found[] = []
    doomed.set(blobs, found)
    const kind = round.kindOf(blobs)
    const part = await sweep(blobs.list(), reachable, options, earlier[kind], marks[kind], (blob) =>
      found.push(blob),
    )
    for (const key of Object.keys(report) as (keyof typeof report)[]) report[key] += part[key]
  }
  // what came meanwhile, before anything goes
  await round.mark(options)
  const freed = { deleted: 0, freedBytes: 0 }
  if (!options.dryRun) await objects.remove(forgotten)
  const orphans = await sweepRuns(objects, gone, options)
  for (const [blobs, found] of doomed) {
    const reachable = round.reachable.get(blobs)
    const still = found.filter(({ digest }) => reachable?.has(digest) !== true)
    const removed = options.dryRun ? still : await removeUnchanged(blobs, still)
    freed.deleted += removed.length
    for (const { size } of removed) freed.freedBytes += size
  }
  if (!options.dryRun) {
    await objects.put(garbageKey, Buffer.from(marksText(marks)))
    await sweepAnnouncements(objects, options.now)
  }
  return { ...report, ...freed, forgotten: forgotten.length, orphans, missing: round.missing }
}

/** What collections that died had announced: who sends any of it waits for them in vain. */
async function sweepAnnouncements(objects: Objects, now: number): Promise<void> {
  const left: string[] = []
  for await (const { key, changedAt } of objects.list(deletingFolder))
    if (changedAt < now - deadAnnouncementMs) left.push(key)
  await objects.remove(left)
}

/** Marks what documents need; those that were looked at are not looked at again. */
class Round {
  readonly reachable: ReadonlyMap<ObjectBlobs, Set<Digest>>
  readonly #objects: Objects
  readonly #content: ObjectBlobs
  readonly #listings: ObjectBlobs
  readonly #seen = new Set<string>()
  readonly #semaphore = new Semaphore(width)
  readonly #count = { missing: 0 }
  readonly #gone: ReadonlySet<RunId>

  /** `gone`: runs that are no more, whose results keep nothing */
  constructor(objects: Objects, gone: ReadonlySet<RunId>) {
    this.#objects = objects
    this.#gone = gone
    this.#content = new ObjectBlobs(objects)
    this.#listings = new ObjectBlobs(objects, listingFolder)
    this.reachable = new Map([
      [this.#content, new Set()],
      [this.#listings, new Set()],
    ])
  }

  /** Marks of the two are apart: bytes may be the same. */
  kindOf(blobs: ObjectBlobs): 'unreachable' | 'listing' {
    return blobs === this.#listings ? 'listing' : 'unreachable'
  }

  get missing(): number {
    return this.#count.missing
  }

  /** Gives the keys of documents that are too old to stay. */
  async mark({ olderMs, now }: StoreGarbageOptions): Promise<string[]> {
    const old: string[] = []
    for (const folder of [versionFolder, resultFolder, cacheFolder, baseFolder]) {
      const isResult = folder === cacheFolder || folder === baseFolder
      const reading: Promise<void>[] = []
      for await (const info of this.#objects.list(folder)) {
        if (isResult && olderMs !== undefined && info.changedAt < now - olderMs) {
          old.push(info.key)
          continue
        }
        if (folder === resultFolder && this.#gone.has(info.key.split('/')[1] ?? '')) continue
        if (this.#isSeen(info)) continue
        const read = this.#semaphore.run(() => this.#document(info.key))
        read.catch(() => undefined)
        reading.push(read)
        if (reading.length >= 1000) await Promise.all(reading.splice(0))
      }
      await Promise.all(reading)
    }
    return old
  }

  #isSeen({ key, changedAt }: ObjectInfo): boolean {
    const name = `${changedAt} ${key}`
    if (this.#seen.has(name)) return true
    this.#seen.add(name)
    return false
  }

  async #document(key: string): Promise<void> {
    const fields = await readKnownDocument(this.#objects, key)
    if (fields === undefined) return
    const { valueWire, shownWire, digest, input } = fields
    // what it needs it says in words that are not ours
    if (![valueWire, shownWire, digest, input].some((field) => typeof field === 'string'))
      throw unknownDocument(this.#objects, key)
    if (typeof shownWire === 'string') await this.#value(shownWire)
    if (typeof valueWire === 'string') await this.#value(valueWire)
    else if (typeof digest === 'string') await this.#tree(this.#content, digest)
    if (typeof input === 'string') await this.#tree(this.#listings, input)
  }

  async #value(wire: string): Promise<void> {
    const trees: Digest[] = []
    eachRef(decode(wire), (ref) => {
      if (ref instanceof FileRef) this.reachable.get(this.#content)?.add(ref.digest)
      else if (ref instanceof DirRef) trees.push(ref.digest)
    })
    for (const digest of trees) await this.#tree(this.#content, digest)
  }

  async #tree(blobs: ObjectBlobs, root: Digest): Promise<void> {
    const reachable = this.reachable.get(blobs)
    if (reachable === undefined || !isDigest(root)) return
    await reachTree((digest) => listingOf(blobs, digest), root, reachable, this.#count)
  }
}

async function listingOf(blobs: ObjectBlobs, digest: Digest): Promise<Listing | undefined> {
  try {
    return parseListing(digest, Buffer.from(await blobs.get(digest)).toString('utf8'))
  } catch (error) {
    if (isAlmanacError(error) && error.code === 'ALM_BLOB_MISSING') return undefined
    throw error
  }
}

/** Far less than writers wait for an announcement to go (`Remote`), ms. */
const longestDeletionMs = 60_000

/** Of a collection that old, ms, nothing is under way any more, whatever the clocks of a store and a machine say. */
const deadAnnouncementMs = 3600_000

/** Those that nobody has sent anew since they were listed; gives them. */
async function removeUnchanged(blobs: ObjectBlobs, found: readonly Found[]): Promise<Found[]> {
  const removed: Found[] = []
  for (let at = 0; at < found.length; at += 256) {
    const some = found.slice(at, at + 256)
    const key = `${deletingFolder}${crypto.randomUUID()}.txt`
    await blobs.objects.put(key, Buffer.from(some.map(({ digest }) => `${digest}\n`).join('')))
    try {
      removed.push(...(await removeAnnounced(blobs, some)))
    } finally {
      await blobs.objects.remove([key])
    }
  }
  return removed
}

async function removeAnnounced(blobs: ObjectBlobs, some: readonly Found[]): Promise<readonly Found[]> {
  const began = performance.now()
  const listed = some.map((found) => ({ ...found, key: blobs.keyOf(found.digest) }))
  const same = await unchangedObjects(blobs.objects, listed)
  // writers may have stopped to wait: a later round takes these
  if (performance.now() - began > longestDeletionMs) return []
  await blobs.remove(same.map(({ digest }) => digest))
  return same
}

export async function textOf(objects: Objects, key: string): Promise<string> {
  const pieces: Uint8Array[] = []
  await objects.read(key, (piece) => void pieces.push(piece))
  return Buffer.concat(pieces).toString('utf8')
}
