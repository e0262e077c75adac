import type { ErrorRecord } from '../../model/records.ts'
import type { CallInfo } from '../calls/call-info.ts'
import { executed, failedError } from '../calls/ends.ts'
import type { Left } from '../calls/entered-work.ts'
import { recordOf } from '../calls/failure.ts'
import { resolve } from '../calls/views.ts'
import type { RunContext } from '../run-context.ts'
import { messageWire } from './message-wire.ts'

/**
 * Messages that a run sends.
 *
 * O1 a message is a record between that of its call and that of its outcome: it is seen when all that the run knew is
 *    durable, and once, however often the call is made again, unless that would send something else by then.
 * O2 in a dry run nothing is sent.
 */
export class Sends {
  readonly #run: RunContext
  readonly #left: Left
  #busy = 0

  constructor(run: RunContext, left: Left) {
    this.#run = run
    this.#left = left
  }

  /** Another run is being looked for. */
  get isBusy(): boolean {
    return this.#busy > 0
  }

  enter(info: CallInfo): void {
    const { outcomes, calls, settings } = this.#run
    if (settings.dryRun) return
    try {
      const args = resolve(info.args, { outcomes, request: calls.request })
      const { value, to } = args as { readonly value: unknown; readonly to: string | null }
      const valueWire = messageWire(value)
      if (to === null) this.#send(info, valueWire)
      else void this.#sendTo(info, valueWire, to)
    } catch (error) {
      this.#left(info, failedError, recordOf(error))
    }
  }

  async #sendTo(info: CallInfo, valueWire: string, to: string): Promise<void> {
    this.#busy++
    let failure: ErrorRecord | undefined
    try {
      await this.#find(to, info.request.name)
    } catch (error) {
      failure = recordOf(error)
    }
    this.#busy--
    if (!this.#run.isIn(info, 'entered')) return
    if (failure === undefined) this.#send(info, valueWire, to)
    else this.#left(info, failedError, failure)
  }

  /** @throws ALM_RUN_UNKNOWN */
  async #find(run: string, name: string): Promise<void> {
    const { ports, recorder } = this.#run
    const find = () => ports.journal.incoming(run, { name, after: 0 })
    try {
      await find()
    } catch {
      // one that was triggered just now is there when that is durable
      await recorder.durable()
      await find()
    }
  }

  #send(info: CallInfo, valueWire: string, to?: string): void {
    const { recorder, ports } = this.#run
    const { id: call, request } = info
    const at = ports.clock.now()
    recorder.add({ kind: 'sent', call, name: request.name, valueWire, at, ...(to !== undefined && { to }) })
    this.#left(info, executed)
  }
}
