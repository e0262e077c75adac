import type { Clock } from '../../ports/clock.ts'
import { Queue } from '../../util/queue.ts'

/** What one host is asked for at once. */
export interface Rate {
  /** requests under way */
  readonly concurrency: number
  /** requests a second */
  readonly perSecond: number
}

interface Waiter {
  readonly rate: Rate
  readonly enter: () => void
  /** it waits no more */
  hasGone: boolean
}

/** The throttles of all hosts: made once, and shared by all who ask servers for something. */
export class HostThrottles {
  readonly #clock: Clock
  readonly #throttles = new Map<string, HostThrottle>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  of(host: string): HostThrottle {
    let throttle = this.#throttles.get(host)
    if (throttle === undefined) {
      throttle = new HostThrottle(this.#clock)
      this.#throttles.set(host, throttle)
    }
    return throttle
  }
}

/**
 * One host's throttle, for all calls of this process.
 *
 * G1 who comes first goes first, held by the rate of its own call.
 * G2 while the host has asked for a pause (`Retry-After`) nobody goes in.
 */
export class HostThrottle {
  readonly #clock: Clock
  readonly #waiting = new Queue<Waiter>()
  #inside = 0
  #enteredAt = Number.NEGATIVE_INFINITY
  #closedUntil = 0
  #untime: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves with what is to be called at the end of the request. */
  async enter(rate: Rate, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const stop = (): void => {
        waiter.hasGone = true
        reject(signal.reason)
        this.#open()
      }
      const enter = (): void => {
        // a signal that lives as long as a call would gather one for each of its files
        signal.removeEventListener('abort', stop)
        resolve()
      }
      const waiter = { rate, enter, hasGone: false }
      this.#waiting.push(waiter)
      signal.addEventListener('abort', stop, { once: true })
      this.#open()
    })
    let left = false
    return () => {
      if (left) return
      left = true
      this.#inside--
      this.#open()
    }
  }

  pauseUntil(time: number): void {
    this.#closedUntil = Math.max(this.#closedUntil, time)
  }

  #open(): void {
    this.#untime?.()
    this.#untime = undefined
    for (let next = this.#first(); next !== undefined; next = this.#first()) {
      if (this.#inside >= next.rate.concurrency) return
      const now = this.#clock.now()
      const due = Math.max(this.#closedUntil, this.#enteredAt + 1000 / next.rate.perSecond)
      if (due > now) {
        this.#untime = this.#clock.at(due, () => this.#open())
        return
      }
      this.#waiting.shift()
      this.#inside++
      this.#enteredAt = now
      next.enter()
    }
  }
  /** Whoever has waited for the longest. */
  #first(): Waiter | undefined {
    while (this.#waiting.peek()?.hasGone === true) this.#waiting.shift()
    return this.#waiting.peek()
  }
}
