import { decode, encode } from '../../model/codec.ts'
import { isAlmanacError } from '../../model/errors.ts'
import type { BaseRecord, CacheRecord, RunId } from '../../model/records.ts'
import type { Digest } from '../../model/refs.ts'
import { DirRef, FileRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { eachRef } from '../../model/value-refs.ts'
import type { RunCache } from '../../ports/journal.ts'
import type { Objects } from '../../ports/objects.ts'
import { Semaphore } from '../../util/semaphore.ts'
import type { LocalDataPlane } from '../local-data-plane.ts'
import type { SharedBase, SharedEntry } from './documents.ts'
import { baseOf, entryOf, readDocument, withoutPlaces, writeDocument } from './documents.ts'
import { baseKey, cacheKey, resultFolder } from './layout.ts'
import type { PendingUploads } from './pending-uploads.ts'
import type { RunMarks } from './run-marks.ts'

/** Questions at once. */
const width = 32

/** Results that are on their way at once: what waits takes no memory, and is never begun where nothing arrives. */
const sharedAtOnce = 16

/** So many failures with nothing between them that arrived: the store takes none. */
const enoughFailures = 8

/** Fingerprints that are remembered as not there. */
const keptAbsent = 1_000_000

export interface SharedCacheOptions {
  readonly objects: Objects
  readonly data: Pick<LocalDataPlane, 'push' | 'pushListings' | 'pullListings'>
  readonly pendingUploads: PendingUploads
  readonly marks: RunMarks
  /** nothing is written */
  readonly readOnly: boolean
  readonly onMessage: (text: string) => void
}

/**
 * The run cache of this machine, joined with that of all who share a store. Owns what is on its way there.
 *
 * X1 an entry is written once, by the first or by who was asked to replace it, and only when all that its value stands
 *    for is there.
 * X2 what is not there is asked for once in the life of a process; at most `width` questions are under way.
 * X3 a store that cannot be asked costs results, not runs: it is said once, and then it is left alone. So is one that
 *    takes nothing: what it was not given is left to the next process.
 */
export class SharedCache implements RunCache {
  readonly #own: RunCache
  readonly #options: SharedCacheOptions
  readonly #absent = new Set<string>()
  readonly #semaphore = new Semaphore(width)
  readonly #sharing = new Set<Promise<void>>()
  readonly #shares = new Semaphore(sharedAtOnce)
  readonly #failed = new Set<Digest>()
  #isLost = false
  #failures = 0
  #isWorking = false
  #unshared = 0

  constructor(own: RunCache, options: SharedCacheOptions) {
    this.#own = own
    this.#options = options
  }

  async find(fingerprint: Digest, notBefore: number): Promise<SharedEntry | undefined> {
    const own = await this.#own.find(fingerprint, notBefore)
    if (own !== undefined) return own
    const entry = await this.#ask(cacheKey(fingerprint), entryOf)
    return entry?.fingerprint === fingerprint && entry.at >= notBefore ? entry : undefined
  }

  async findBase(base: Digest, environment: string): Promise<SharedBase | undefined> {
    const own = await this.#own.findBase(base, environment)
    if (own !== undefined) return own
    const found = await this.#ask(baseKey(environment, base), baseOf)
    if (found?.base !== base || found.environment !== environment) return undefined
    return (await this.#options.data.pullListings(found.input)) ? found : undefined
  }

  nearest(name: string): ReturnType<RunCache['nearest']> {
    return this.#own.nearest(name)
  }

  roots(): AsyncIterable<Digest> {
    return this.#own.roots()
  }

  /** Of this machine; others keep theirs. */
  forget(fingerprints: readonly Digest[]): Promise<void> {
    return this.#own.forget(fingerprints)
  }

  /** This process executes runs, and does not only look at them. */
  work(): void {
    this.#isWorking = true
  }

  /** An entry was recorded here. */
  shareEntry(run: RunId, { kind: _, ...entry }: CacheRecord): void {
    this.#absent.delete(cacheKey(entry.fingerprint))
    if (!this.#options.readOnly) this.#options.pendingUploads.note(entry.fingerprint)
    this.#shareEntry(run, entry)
  }

  #shareEntry(run: RunId, entry: Omit<CacheRecord, 'kind'>): void {
    const { fingerprint, replaces } = entry
    // until it is there
    this.#failed.add(fingerprint)
    this.#share(async () => {
      const value = decode(entry.valueWire)
      const shown = entry.shownWire === undefined ? undefined : decode(entry.shownWire)
      await this.#options.data.push([...refsOf(value), ...refsOf(shown)])
      const shared: SharedEntry = {
        fingerprint,
        name: entry.name,
        run,
        call: entry.call,
        valueWire: encode(withoutPlaces(value)),
        digest: entry.digest,
        blobs: entry.blobs,
        costMs: entry.costMs,
        at: entry.at,
        partsWire: entry.partsWire,
        ...(shown !== undefined && { shownWire: encode(withoutPlaces(shown)) }),
      }
      await writeDocument(this.#options.objects, cacheKey(fingerprint), shared, { once: replaces !== true })
    }, fingerprint)
  }

  /** The result of a map was recorded here: the newest counts. */
  shareBase(run: RunId, { kind: _, ...record }: BaseRecord): void {
    const key = baseKey(record.environment, record.base)
    this.#absent.delete(key)
    this.#share(async () => {
      const value = decode(record.valueWire)
      const shown = record.shownWire === undefined ? undefined : decode(record.shownWire)
      await this.#options.data.push([...refsOf(value), ...refsOf(shown)])
      // the directory that was mapped is compared with the next one, and its files may lie with the user
      await this.#options.data.pushListings(record.input)
      const shared: SharedBase = {
        ...record,
        run,
        valueWire: encode(withoutPlaces(value)),
        ...(shown !== undefined && { shownWire: encode(withoutPlaces(shown)) }),
      }
      await writeDocument(this.#options.objects, key, shared)
    })
  }

  /** A result was recorded that is not in the run cache: it stays for as long as its run is kept. */
  shareValue(run: RunId, call: number, value: Value): void {
    const refs = refsOf(value)
    if (refs.length === 0) return
    this.#share(async () => {
      await this.#options.marks.mark(run)
      await this.#options.data.push(refs)
      const key = `${resultFolder}${run}/${call}.json`
      await writeDocument(this.#options.objects, key, { run, call, valueWire: encode(withoutPlaces(value)) })
    })
  }

  /** Work of others that is to have ended when this has `settled`. */
  shareMore(work: () => Promise<void>): void {
    this.#share(work)
  }

  get underWay(): number {
    return this.#sharing.size
  }

  /** All that was begun is there, here or by a process that is gone, or it was said why not. */
  async settled(): Promise<void> {
    if (this.#options.readOnly || !this.#isWorking) return await this.#sent()
    for (const fingerprint of this.#options.pendingUploads.left()) {
      const entry = await this.#own.find(fingerprint, 0)
      if (entry !== undefined) this.#shareEntry(entry.run, entry)
    }
    await this.#sent()
    this.#options.pendingUploads.done(this.#failed)
  }

  async #sent(): Promise<void> {
    while (this.#sharing.size > 0) await Promise.all(this.#sharing)
    if (this.#unshared > 1)
      this.#options.onMessage(
        `${this.#unshared - 1} more could not be stored in ${this.#options.objects.url}.`,
      )
    this.#unshared = 0
  }

  #share(work: () => Promise<void>, fingerprint = ''): void {
    if (this.#options.readOnly || this.#isLost) return
    const sharing = this.#shares.run(() => this.#shareNow(work, fingerprint))
    this.#sharing.add(sharing)
    void sharing.then(() => this.#sharing.delete(sharing))
  }

  async #shareNow(work: () => Promise<void>, fingerprint: Digest): Promise<void> {
    if (this.#isLost) return
    if (this.#failures >= enoughFailures) {
      this.#unshared++
      return
    }
    try {
      await work()
      this.#failures = 0
    } catch (error) {
      // a part of it lies with the user, and stays there: nobody else could use it
      if (!isAlmanacError(error) || error.code !== 'ALM_BLOB_MISSING') {
        this.#failures++
        if (this.#unshared++ === 0)
          this.#options.onMessage(`Not stored for others: ${(error as Error).message}`)
        return
      }
    }
    this.#failed.delete(fingerprint)
  }

  async #ask<T>(
    key: string,
    parse: (fields: Readonly<Record<string, unknown>>) => T | undefined,
  ): Promise<T | undefined> {
    if (this.#isLost || this.#absent.has(key)) return undefined
    try {
      const fields = await this.#semaphore.run(async () =>
        this.#isLost ? undefined : await readDocument(this.#options.objects, key),
      )
      const found = fields && parse(fields)
      if (found === undefined && this.#absent.size < keptAbsent) this.#absent.add(key)
      return found
    } catch (error) {
      if (!this.#isLost)
        this.#options.onMessage(
          `Results are neither taken from others nor given to them: ${(error as Error).message}`,
        )
      this.#isLost = true
      return undefined
    }
  }
}

function refsOf(value: Value): (FileRef | DirRef)[] {
  const refs: (FileRef | DirRef)[] = []
  eachRef(value, (ref) => {
    if (ref instanceof FileRef || ref instanceof DirRef) refs.push(ref)
  })
  return refs
}
