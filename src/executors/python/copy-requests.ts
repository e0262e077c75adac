type Answer = (path: string | undefined) => void

/** Copies of held values that a worker was asked to make, to be kept. Owns who waits for them. */
export class AskedCopies {
  readonly #asked = new Map<number, Answer>()
  #tokens = 0

  /** The answer is the path of the file, if it is there. */
  ask(): { readonly token: number; readonly answer: Promise<string | undefined> } {
    const token = this.#tokens++
    const answer = new Promise<string | undefined>((resolve) => {
      this.#asked.set(token, resolve)
    })
    return { token, answer }
  }

  get size(): number {
    return this.#asked.size
  }

  made(token: number, path: string | undefined): void {
    this.#asked.get(token)?.(path)
    this.#asked.delete(token)
  }

  /** The worker is gone. */
  close(): void {
    for (const answer of this.#asked.values()) answer(undefined)
    this.#asked.clear()
  }
}
