import { lstatSync } from 'node:fs'
import type { Digest } from '../../model/refs.ts'
import { temporaryPath } from '../blobs/blob-files.ts'
import type { LocalBlobStore } from '../blobs/blob-store.ts'
import type { Listings } from '../blobs/listings.ts'
import { inStore, isMissing, storeError } from '../files/failures.ts'
import type { Home } from '../files/home.ts'
import { shards } from '../files/home.ts'
import { namesIn } from '../files/missing-files.ts'
import { moveClosed } from '../files/move-closed.ts'
import { removeTree } from '../files/remove-tree.ts'
import { beginsAsListing, digestOfName, reach, shownIn } from '../garbage/reachable.ts'
import type { Pins } from '../processes/pins.ts'
import type { Remote } from './remote.ts'

/** What was used since then may be about to be used again, ms. */
const youngMs = 60_000

/** It is emptied to this part of what it may hold, so that it is not looked through for each blob. */
const emptied = 0.9

export interface BoundTools {
  readonly home: Home
  readonly store: LocalBlobStore
  readonly listings: Listings
  readonly remote: Remote
  readonly pins: Pins
  /** where results are shown */
  readonly data: string
  readonly now: () => number
}

export interface Trimmed {
  /** bytes in the store before, and those that went */
  readonly bytes: number
  readonly freed: number
}

/**
 * Holds the local store of a machine that shares a larger one to so many bytes: what was not used for the longest
 * goes first.
 *
 * E1 nothing goes that the shared store has not got.
 * E2 nothing goes that an attempt under way uses, in whichever process, nor what is shown under the data directory.
 * E3 listings stay: they are small, and say what a collection may take.
 */
export class LocalBound {
  readonly #tools: BoundTools
  readonly #most: number
  #fetched = 0
  #trimming: Promise<Trimmed> | undefined

  constructor(tools: BoundTools, most: number) {
    this.#tools = tools
    this.#most = most
  }

  /** So many bytes came. */
  came(bytes: number): void {
    this.#fetched += bytes
    if (this.#fetched < this.#most * (1 - emptied) || this.#trimming !== undefined) return
    // what goes wrong here goes wrong again, and is told, at the next `trim` that somebody waits for
    this.trim().catch(() => undefined)
  }

  /** Makes room, if there is not enough. One that is under way may not have seen what came last: the next follows it. */
  trim(): Promise<Trimmed> {
    const trim = () => this.#trim()
    const trimming = this.#trimming === undefined ? trim() : this.#trimming.then(trim, trim)
    this.#trimming = trimming
    const end = () => {
      if (this.#trimming === trimming) this.#trimming = undefined
    }
    trimming.then(end, end)
    return trimming
  }

  async #trim(): Promise<Trimmed> {
    this.#fetched = 0
    const { store, remote, now } = this.#tools
    const blobs: { readonly digest: Digest; readonly size: number; readonly changedAt: number }[] = []
    let bytes = 0
    for await (const blob of store.list()) {
      bytes += blob.size
      blobs.push(blob)
    }
    if (bytes <= this.#most) return { bytes, freed: 0 }
    let used = await this.#used()
    this.#unstage(used)
    let freed = 0
    blobs.sort((a, b) => a.changedAt - b.changedAt)
    for (const [i, { digest, size, changedAt }] of blobs.entries()) {
      if (bytes - freed <= this.#most * emptied || changedAt > now() - youngMs) break
      // others go on meanwhile
      if (i % 256 === 255) used = await this.#used()
      if (used.has(digest) || beginsAsListing(store.pathOf(digest)) || !(await remote.has(digest))) continue
      store.evict(digest)
      freed += size
    }
    return { bytes, freed }
  }

  async #used(): Promise<Set<Digest>> {
    const { pins, listings, store, data } = this.#tools
    const roots = [...pins.all(), ...inStore(data, () => [...shownIn(data)])]
    const used = new Set<Digest>()
    for (const root of roots) await reach(store, listings, root, used, { missing: 0 })
    return used
  }

  /** Files and directories that are put in place hold on to their content; they are put there again in no time. */
  #unstage(used: ReadonlySet<Digest>): void {
    const { home, pins, store, now } = this.#tools
    for (const parent of [home.files, home.trees]) {
      for (const part of shards) {
        for (const name of inStore(parent, () => namesIn(`${parent}/${part}`))) {
          const digest = digestOfName(name)
          const path = `${parent}/${part}/${name}`
          const stat = lstatSync(path, { throwIfNoEntry: false })
          if (
            used.has(digest) ||
            stat === undefined ||
            Math.max(stat.mtimeMs, stat.ctimeMs) > now() - youngMs
          )
            continue
          const aside = temporaryPath(store.files)
          if (!move(path, aside)) continue
          // somebody may have come in between
          if (pins.all().has(digest) && move(aside, path)) continue
          inStore(aside, () => removeTree(aside))
        }
      }
    }
  }
}

function move(from: string, to: string): boolean {
  try {
    moveClosed(from, to)
    return true
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (
      isMissing(error) ||
      code === 'ENOTEMPTY' ||
      code === 'EEXIST' ||
      code === 'EACCES' ||
      code === 'EPERM'
    )
      return false
    throw storeError(error, from)
  }
}
