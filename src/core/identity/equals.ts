import type { Digest } from '../../model/refs.ts'
import { DigestTable } from './digest-table.ts'

/** How often each of very many digests was met. Nearly all are met once. */
export class Equals {
  readonly #digests: Digest[] = []
  readonly #places = new DigestTable((place) => this.#digests[place] as Digest)
  /** by place, of those that were met again */
  readonly #again = new Map<number, number>()

  /** It is met: how often was it before? */
  met(digest: Digest): number {
    const place = this.#places.enter(digest, this.#digests.length)
    if (place === undefined) {
      this.#digests.push(digest)
      return 0
    }
    const count = this.#again.get(place) ?? 1
    this.#again.set(place, count + 1)
    return count
  }

  /** One that was met counts as met so often. */
  set(digest: Digest, count: number): void {
    this.#again.set(this.#places.find(digest) as number, count)
  }
}
