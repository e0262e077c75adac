/** Parts that many results have alike, kept as long as a run goes on: each is there once. Owns those it has seen. */
export class Interner {
  readonly #known = new Map<string, unknown>()

  /** The part itself, or one that is the same; `text` says all of it. */
  one<T>(part: T, text: string): T {
    const known = this.#known.get(text)
    if (known !== undefined) return known as T
    // they are not alike after all
    if (this.#known.size >= most) this.#known.clear()
    this.#known.set(text, part)
    return part
  }
}

const most = 1000
