import { Queue } from './queue.ts'

/** Lets at most so many pieces of work be under way at once; the others wait in order. */
export class Semaphore {
  #free: number
  readonly #waiting = new Queue<() => void>()

  constructor(width: number) {
    this.#free = width
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    const leave = await this.enter()
    try {
      return await work()
    } finally {
      leave()
    }
  }

  /** Resolves when there is a place, with what gives it back: for work that begins here and ends elsewhere. */
  async enter(): Promise<() => void> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return () => {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}
