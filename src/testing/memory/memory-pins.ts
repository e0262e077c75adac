import type { Digest } from '../../model/refs.ts'

/** What is read, and by how many. */
export class MemoryPins {
  readonly #counts = new Map<Digest, number>()

  /** Gives what lets it go again. */
  pin(digest: Digest): () => void {
    this.#counts.set(digest, (this.#counts.get(digest) ?? 0) + 1)
    let isPinned = true
    return () => {
      const count = this.#counts.get(digest) ?? 0
      if (isPinned && count > 1) this.#counts.set(digest, count - 1)
      else if (isPinned) this.#counts.delete(digest)
      isPinned = false
    }
  }

  all(): ReadonlySet<Digest> {
    return new Set(this.#counts.keys())
  }

  clear(): void {
    this.#counts.clear()
  }
}
