import type { Clock } from '../ports/clock.ts'

/** Longer delays overflow Node's timers and would fire at once. */
const maxDelayMs = 2 ** 31 - 1

/** The machine's time. */
export const systemClock: Clock = {
  now: () => Date.now(),

  at(time, wake) {
    let timer: NodeJS.Timeout
    const wait = (): void => {
      const delay = time - Date.now()
      timer = delay > maxDelayMs ? setTimeout(wait, maxDelayMs) : setTimeout(wake, Math.max(0, delay))
    }
    wait()
    return () => clearTimeout(timer)
  },

  atRest(then) {
    setImmediate(then)
  },
}
