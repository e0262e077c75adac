import { readFileSync } from 'node:fs'
import type { Made, TreeMaker } from '../../core/tree/chunk.ts'
import { isOneLeaf } from '../../core/tree/chunk.ts'
import type { Listing } from '../../core/tree/listing.ts'
import { isIndex, parseListing } from '../../core/tree/listing.ts'
import type { Finding, Reading } from '../../core/tree/reading.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import { isMissing, storeError } from '../files/failures.ts'
import { shard } from '../files/home.ts'
import { digestOf } from './blob-files.ts'
import type { LocalBlobStore } from './blob-store.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** How many listings are read before other work has its turn. */
const turn = 64

/** Entries and parts of the listings that are kept parsed. */
const keptItems = 300_000

/** Listings of the store: reads and writes them for the pure core, and keeps the last ones parsed. */
export class Listings {
  readonly maker: TreeMaker
  readonly #store: LocalBlobStore
  /** brings what is not here, from wherever there may be more */
  readonly #fetch: ((digest: Digest) => Promise<boolean>) | undefined
  /** oldest first */
  readonly #kept = new Map<Digest, Listing>()
  #items = 0

  constructor(store: LocalBlobStore, fetch?: (digest: Digest) => Promise<boolean>) {
    this.#store = store
    this.#fetch = fetch
    this.maker = { hash: digestOf, write: (_digest, text) => void store.putNow(Buffer.from(text)) }
  }

  /** @throws ALM_BLOB_MISSING, ALM_BLOB_DAMAGED */
  read(digest: Digest): Listing {
    const kept = this.#kept.get(digest)
    if (kept !== undefined) {
      this.#kept.delete(digest)
      this.#kept.set(digest, kept)
      return kept
    }
    const listing = parseListing(digest, this.#text(digest))
    this.#keep(digest, listing)
    return listing
  }

  /** Nothing to wait for where it is here, or can be nowhere else. `read` then says which. */
  bring(digest: Digest): Promise<boolean> | undefined {
    if (this.#fetch === undefined || this.#kept.has(digest) || this.#store.hasNow(digest)) return undefined
    return this.#fetch(digest)
  }

  async run<T>(reading: Reading<T>): Promise<T> {
    let reads = 0
    let step = reading.next()
    while (step.done !== true) {
      const coming = this.bring(step.value)
      if (coming !== undefined) await coming
      step = reading.next(this.read(step.value))
      if (++reads % turn === 0) await new Promise(setImmediate)
    }
    return step.value
  }

  /** Gives what is found as it is found. */
  async *find<Item extends object, T>(finding: Finding<Item, T>): AsyncGenerator<Item, T> {
    let reads = 0
    let step = finding.next()
    while (step.done !== true) {
      if (typeof step.value === 'string') {
        const coming = this.bring(step.value)
        if (coming !== undefined) await coming
        step = finding.next(this.read(step.value))
        if (++reads % turn === 0) await new Promise(setImmediate)
      } else {
        yield step.value
        // not looked at: the finding was not waiting for a listing
        step = finding.next(undefined as never)
      }
    }
    return step.value
  }

  /**
   * Is a directory's own listing there with all its parts? Dates them anew if so: a scan that finds nothing changed
   * writes nothing, and yet its result must outlive the next collection.
   */
  renew({ digest, entries }: Made): boolean {
    if (!this.#store.renew(digest)) return false
    return isOneLeaf(entries) || this.#renewParts(this.read(digest))
  }

  #renewParts(listing: Listing): boolean {
    if (!isIndex(listing)) return true
    return listing.nodes.every(
      (node) =>
        this.#store.renew(node.digest) && (node.level === 0 || this.#renewParts(this.read(node.digest))),
    )
  }

  #text(digest: Digest): string {
    const path = shard(this.#store.files.store, digest)
    if (!this.#store.hasNow(digest)) {
      this.#store.whole.forget()
      throw new AlmanacError('ALM_BLOB_MISSING', { digest })
    }
    let bytes: Buffer
    try {
      bytes = readFileSync(path)
    } catch (error) {
      throw isMissing(error) ? new AlmanacError('ALM_BLOB_MISSING', { digest }) : storeError(error, path)
    }
    if (digestOf(bytes) !== digest) {
      this.#store.quarantine(digest)
      throw new AlmanacError('ALM_BLOB_DAMAGED', { digest, why: 'its bytes are others' })
    }
    try {
      return utf8.decode(bytes)
    } catch (error) {
      throw new AlmanacError(
        'ALM_BLOB_DAMAGED',
        { digest, why: 'it is no listing of a directory' },
        { cause: error },
      )
    }
  }

  #keep(digest: Digest, listing: Listing): void {
    this.#kept.set(digest, listing)
    this.#items += itemsOf(listing)
    for (const [oldest, dropped] of this.#kept) {
      if (this.#items <= keptItems || oldest === digest) break
      this.#kept.delete(oldest)
      this.#items -= itemsOf(dropped)
    }
  }
}

const itemsOf = (listing: Listing): number =>
  1 + (isIndex(listing) ? listing.nodes.length : listing.entries.length)
