/** Things that wait: what came first goes first, at a constant cost. */
export class Queue<T> {
  #items: (T | undefined)[]
  #first = 0

  constructor(items: readonly T[] = []) {
    this.#items = [...items]
  }

  get size(): number {
    return this.#items.length - this.#first
  }

  get isEmpty(): boolean {
    return this.#items.length === this.#first
  }

  push(item: T): void {
    this.#items.push(item)
  }

  peek(): T | undefined {
    return this.#items[this.#first]
  }

  shift(): T | undefined {
    if (this.isEmpty) return undefined
    const item = this.#items[this.#first]
    this.#items[this.#first++] = undefined
    // those that have gone are let go in one piece, whenever they are more than half
    if (this.#first > 64 && this.#first > this.#items.length / 2) {
      this.#items = this.#items.slice(this.#first)
      this.#first = 0
    }
    return item
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = this.#first; i < this.#items.length; i++) yield this.#items[i] as T
  }
}
