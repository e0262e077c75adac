import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest } from '../../model/refs.ts'
import { inStore } from '../files/failures.ts'
import type { Home } from '../files/home.ts'
import { isDigest } from '../files/home.ts'
import { namesIn } from '../files/missing-files.ts'
import type { Presence } from './presence.ts'
import { isPresent } from './presence.ts'

/**
 * What runs read and attempts under way use, for other processes to see: an empty file `work/<id>/pins/<digest>` each.
 * Owns those of this process.
 *
 * P1 a pin is there before what it pins is looked at, and goes when the last that uses it has ended, or with its
 *    process, however that ends.
 * P2 to whoever collects, or makes room, what is pinned is a root.
 */
export class Pins {
  readonly #home: Home
  readonly #folder: string
  /** nothing can be written: nobody who collects here is told */
  readonly #isReadOnly: boolean
  readonly #counts = new Map<Digest, number>()

  constructor(home: Home, presence: Presence) {
    this.#home = home
    this.#folder = join(presence.directory, 'pins')
    this.#isReadOnly = presence.isReadOnly
  }

  pin(digest: Digest): void {
    const count = this.#counts.get(digest) ?? 0
    this.#counts.set(digest, count + 1)
    if (count > 0 || !isDigest(digest) || this.#isReadOnly) return
    inStore(this.#folder, () => {
      mkdirSync(this.#folder, { recursive: true })
      writeFileSync(join(this.#folder, digest), '')
    })
  }

  release(digest: Digest): void {
    const count = this.#counts.get(digest)
    if (count === undefined) return
    if (count > 1) return void this.#counts.set(digest, count - 1)
    this.#counts.delete(digest)
    if (this.#isReadOnly) return
    inStore(this.#folder, () => rmSync(join(this.#folder, digest), { force: true }))
  }

  /** Of all processes that are there. */
  all(): Set<Digest> {
    const pinned = new Set<Digest>()
    for (const name of namesIn(this.#home.work)) {
      if (!name.endsWith('.json')) continue
      const id = name.slice(0, -'.json'.length)
      const pins = namesIn(join(this.#home.work, id, 'pins'))
      if (pins.length > 0 && isPresent(this.#home, id)) for (const digest of pins) pinned.add(digest)
    }
    return pinned
  }
}
