/**
 * The orders of the outcomes that functions have been given, as far as they are asked for again.
 *
 * They nearly always rise; only an outcome of an earlier life that turns up late falls back.
 */
export class GivenOrders {
  /** falling: each is the highest of those given since */
  readonly #orders: number[] = []
  /** how many had been given before each of them */
  readonly #before: number[] = []
  /** how many outcomes were given */
  count = 0
  /** the highest order given */
  highest = -1

  give(order: number): void {
    while (this.#orders.length > 0 && (this.#orders.at(-1) as number) <= order) {
      this.#orders.pop()
      this.#before.pop()
    }
    this.#orders.push(order)
    this.#before.push(this.count)
    this.count++
    this.highest = Math.max(this.highest, order)
  }

  /** The highest order given since so many had been given; -1 if none. */
  since(count: number): number {
    let low = 0
    let high = this.#before.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#before[middle] as number) < count) low = middle + 1
      else high = middle
    }
    return this.#orders[low] ?? -1
  }
}
