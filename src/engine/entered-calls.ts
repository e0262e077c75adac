import type { EndStatus } from '../core/run/call.ts'
import { AlmanacError } from '../model/errors.ts'
import type { ErrorRecord, Time } from '../model/records.ts'
import type { Value } from '../model/value.ts'
import type { Callbacks } from '../ports/callbacks.ts'
import type { CallInfo } from './calls/call-info.ts'
import { executed, failedError } from './calls/ends.ts'
import { recordOf } from './calls/failure.ts'
import { computeView, resolve } from './calls/views.ts'
import type { DatasetCalls } from './datasets/dataset-calls.ts'
import type { DocumentCalls } from './documents/document-calls.ts'
import type { Turns } from './host/turns.ts'
import type { Failures } from './host/uncaught.ts'
import type { WorkflowHost } from './host/workflow-host.ts'
import type { MapCalls } from './maps/map-calls.ts'
import type { Asks } from './messages/asks.ts'
import type { Receives } from './messages/receives.ts'
import type { Sends } from './messages/sends.ts'
import type { RunContext } from './run-context.ts'
import type { TimerCalls } from './timer-calls.ts'
import type { TriggerCalls } from './triggers/trigger-calls.ts'

/** What is entered by others. */
export interface EnteredParts {
  readonly host: WorkflowHost
  readonly turns: Turns
  readonly maps: MapCalls
  readonly asks: Asks
  readonly receives: Receives
  readonly sends: Sends
  /** nothing is opened any more */
  readonly rested: () => void
  readonly datasets: DatasetCalls
  readonly documents: DocumentCalls
  readonly triggers: TriggerCalls
  readonly timers: TimerCalls
  /** when a call ended whose outcome was given */
  readonly endOf: (call: number) => Time
  readonly failures: Failures
}

/** Begins what is not attempted: children, views, maps, sleeps, questions, messages; and says when they have ended. */
export class EnteredCalls {
  readonly #run: RunContext
  readonly #parts: EnteredParts
  /** views under way; of them those whose place in the order is remembered */
  views = 0
  /** callbacks whose tokens are being made */
  #opening = 0
  replayedViews = 0

  constructor(run: RunContext, parts: EnteredParts) {
    this.#run = run
    this.#parts = parts
  }

  /** Views, datasets, documents and what is triggered go on by themselves. */
  get isBusy(): boolean {
    if (this.views > 0 || this.#opening > 0) return true
    const { datasets, documents, sends, triggers } = this.#parts
    return datasets.isBusy || documents.isBusy || sends.isBusy || triggers.isBusy
  }

  enter(info: CallInfo): void {
    const { machine, ports, outcomes, isIn, at } = this.#run
    const { clock, chance } = ports
    const { turns, maps } = this.#parts
    const { kind } = info.request
    switch (kind) {
      case 'child': {
        const order = machine.graph.mustBeDurable(machine.graph.call(info.id))
        return turns.add({ order, call: info.id, at: info.madeAt, run: () => this.#child(info) })
      }
      case 'view':
        return void this.#view(info)
      case 'map':
        return void maps.expand(info, info.path)
      case 'sleep': {
        const { ms } = info.args as { ms: number }
        return void at(info.madeAt + ms, () => isIn(info, 'entered') && this.left(info, executed))
      }
      case 'timer':
        return this.#parts.timers.enter(info)
      case 'now':
      case 'random':
        outcomes.set(info.id, { value: kind === 'now' ? new Date(clock.now()) : chance.number() })
        return this.left(info, executed)
      case 'ask':
        return this.#ask(info)
      case 'receive':
        return this.#parts.receives.open(info)
      case 'callback':
        return void this.#callback(info)
      case 'send':
        return this.#parts.sends.enter(info)
      case 'read':
      case 'publish':
        return this.#parts.datasets.enter(info)
      case 'get':
      case 'put':
      case 'patch':
        return this.#parts.documents.enter(info)
      case 'trigger':
        return this.#parts.triggers.enter(info)
      default:
        throw new AlmanacError('ALM_BUG', { why: `${kind} cannot be entered` })
    }
  }

  /** Of a timer. */
  withdraw(info: CallInfo): void {
    this.#parts.timers.withdraw(info)
  }

  /** What was entered has ended. */
  left(info: CallInfo, status: EndStatus, error?: ErrorRecord): void {
    if (error !== undefined) info.lastError = error
    this.#run.dispatch({ kind: 'left', call: info.id, status })
  }

  /** What is to be judged is shown as it is, not as futures. */
  #ask(info: CallInfo): void {
    const { outcomes, calls } = this.#run
    try {
      this.#parts.asks.open(info, resolve(info.args, { outcomes, request: calls.request }))
    } catch (error) {
      this.left(info, failedError, recordOf(error))
    }
  }

  async #callback(info: CallInfo): Promise<void> {
    const { ports, isIn } = this.#run
    const { asks, rested } = this.#parts
    this.#opening++
    asks.callbackComes(info)
    let token: string
    try {
      token = ports.hash(await this.#tokenOf(info.id))
    } catch (error) {
      this.#opening--
      asks.openCallback(info, undefined)
      if (isIn(info, 'entered')) this.left(info, failedError, recordOf(error))
      return
    }
    this.#opening--
    asks.openCallback(info, isIn(info, 'entered') ? token : undefined)
    rested()
  }

  /** @throws ALM_USAGE */
  #callbacks(): Callbacks {
    const { callbacks } = this.#run.ports
    if (callbacks === undefined)
      throw new AlmanacError('ALM_USAGE', { why: 'a journal in memory has no callbacks' })
    return callbacks
  }

  async #tokenOf(call: number): Promise<string> {
    return this.#callbacks().token(this.#run.id, this.#run.calls.get(call).key)
  }

  /** When it was called, and all that it takes was there. */
  #enteredAt(info: CallInfo): Time {
    const { inputs } = this.#run.machine.graph.call(info.id)
    let at = info.madeAt
    for (const input of inputs) at = Math.max(at, this.#parts.endOf(input))
    return at
  }

  #child(info: CallInfo): boolean {
    const { outcomes, calls, isIn, isOver } = this.#run
    if (!isIn(info, 'entered')) return false
    let input: Value
    try {
      input = resolve(info.args, { outcomes, request: calls.request })
    } catch (error) {
      this.left(info, failedError, recordOf(error))
      return false
    }
    this.#parts.host.enter(
      info.path,
      info.request.fn as (...args: never[]) => unknown,
      input,
      (settlement) => {
        if (isOver()) return
        if (settlement.ok) {
          outcomes.set(info.id, { value: settlement.value })
          return this.left(info, executed)
        }
        this.#parts.failures.threw(info.id, settlement.error)
        this.left(info, failedError, recordOf(settlement.error))
      },
      this.#enteredAt(info),
    )
    return true
  }

  async #view(info: CallInfo): Promise<void> {
    const { outcomes, calls, ports } = this.#run
    this.views++
    const isReplayed = info.own?.outcome !== undefined
    if (isReplayed) this.replayedViews++
    let error: ErrorRecord | undefined
    try {
      const value = await computeView(info, {
        data: ports.data,
        outcomes,
        request: calls.request,
        callbackUrl: async (call) => {
          const token = await this.#tokenOf(call)
          return this.#callbacks().url(token)
        },
        evaluate: (view, args) => this.#parts.host.evaluate(view.request.fn, args),
      })
      outcomes.set(info.id, { value })
    } catch (failure) {
      error = recordOf(failure)
    }
    this.views--
    if (isReplayed) this.replayedViews--
    this.left(info, error === undefined ? executed : failedError, error)
  }
}
