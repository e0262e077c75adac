import type { EndStatus } from '../core/run/call.ts'
import type { CallInfo } from './calls/call-info.ts'
import { executed } from './calls/ends.ts'
import type { RunContext } from './run-context.ts'

const withdrawn = { state: 'cancelled', reason: 'request' } as const

/**
 * Timers of functions, as an event loop has them: most are withdrawn before they ring.
 *
 * T1 one that has rung is remembered. One that was withdrawn is not, and begins anew when it is set again: what it bounds
 *    may be executed again, and has its time.
 * T2 one that is open when the process dies rings when it is due, as a sleep does.
 */
export class TimerCalls {
  readonly #run: RunContext
  readonly #left: (info: CallInfo, status: EndStatus) => void
  /** what takes them back, by call */
  readonly #open = new Map<number, () => void>()

  constructor(run: RunContext, left: (info: CallInfo, status: EndStatus) => void) {
    this.#run = run
    this.#left = left
  }

  enter(info: CallInfo): void {
    const { ports, isIn, at } = this.#run
    const { ms } = info.args as { ms: number }
    const since = info.own?.outcome?.state === 'cancelled' ? ports.clock.now() : info.madeAt
    // until it rings no outcome is known by it
    const { fingerprint } = info
    info.fingerprint = undefined
    const takeBack = at(since + ms, () => {
      this.#open.delete(info.id)
      if (!isIn(info, 'entered')) return
      info.fingerprint = fingerprint
      this.#left(info, executed)
    })
    this.#open.set(info.id, takeBack)
  }

  withdraw(info: CallInfo): void {
    this.#open.get(info.id)?.()
    this.#open.delete(info.id)
    if (this.#run.isIn(info, 'entered')) this.#left(info, withdrawn)
  }
}
