import { AlmanacError, errorRecord } from '../model/errors.ts'
import type { ErrorRecord } from '../model/records.ts'
import type { RunState } from '../model/states.ts'
import type { SourcePlace } from '../model/task.ts'
import type { Value } from '../model/value.ts'
import type { StuckAt } from '../ports/caller.ts'
import { recordOf } from './calls/failure.ts'
import { keptResult } from './calls/outcome-records.ts'
import { keptWire } from './calls/spilled-values.ts'
import type { Failures } from './host/uncaught.ts'
import type { Settlement } from './host/workflow-host.ts'
import type { RunContext } from './run-context.ts'
import type { PlannedCall, RunResult, UnknownWork } from './settings.ts'

/** How a driver ended: with a state of the run, or because the engine could not go on. */
export type DriverEnd =
  | ({
      readonly kind: 'ended'
      readonly state: RunState
      readonly error?: ErrorRecord
      readonly output?: Value
      readonly planned: readonly PlannedCall[]
      readonly unknown?: UnknownWork
    } & Figures)
  | { readonly kind: 'broken'; readonly error: unknown }

type Figures = Pick<RunResult, 'counts' | 'executed' | 'reused' | 'unkept' | 'savedMs'>

/** What the end asks of the rest of the driver. */
export interface EndHost {
  /** does nothing go on but what a person must set going, or the function by itself? */
  isAtRest(): boolean
  /** Looks for what people asked and answered meanwhile. */
  look(): Promise<void>
  stopAll(): Promise<void>
  /** Writes out what only lives in workers' memory and is needed to go on. */
  keepHeld(): Promise<void>
  figures(): Figures & { readonly planned: readonly PlannedCall[] }
  /** Where the run's function is. */
  definedAt(): SourcePlace | undefined
  /** Where a function waits for what does not come. */
  stuckAt(): Promise<StuckAt | undefined>
  /** What a dry run cannot tell, where it has come as far as it can. */
  unknown(): UnknownWork
}

interface Closing {
  readonly state: RunState
  readonly error?: ErrorRecord
  readonly output?: Value
  readonly uncaught?: readonly number[]
}

/**
 * When and how the driving of a run ends: finished, resting, or broken.
 *
 * F1 once `isOver`, nothing is applied or recorded but the end itself.
 * F2 `ended` resolves once, after all that was recorded is durable or the journal has failed.
 */
export class RunEnd {
  readonly ended: Promise<DriverEnd>
  state: RunState = 'running'
  settlement: Settlement | undefined
  readonly #run: RunContext
  readonly #failures: Failures
  readonly #host: EndHost
  #isOver = false
  #restCheck: { readonly forPeople: boolean; readonly cancel: () => void } | undefined
  #done: ((end: DriverEnd) => void) | undefined

  constructor(run: RunContext, failures: Failures, host: EndHost) {
    this.#run = run
    this.#failures = failures
    this.#host = host
    this.ended = new Promise((done) => {
      this.#done = done
    })
  }

  get isOver(): boolean {
    return this.#isOver
  }

  changeState(state: RunState): void {
    this.state = state
    this.#run.recorder.add({ kind: 'run', state, at: this.#run.ports.clock.now() })
  }

  /** People may take their time, and need no process; what is no call of ours should come soon. */
  checkRest(): void {
    if (!this.#isOver && this.#host.isAtRest()) this.#checkRestAgain()
  }

  #checkRestAgain(): void {
    const forPeople = this.#waitsForPeople
    if (this.#restCheck !== undefined && this.#restCheck.forPeople === forPeople) return
    this.#restCheck?.cancel()
    const { clock } = this.#run.ports
    const cancel = clock.at(clock.now() + (forPeople ? 0 : this.#run.settings.stuckMs), () => {
      this.#restCheck = undefined
      if (this.#isOver || !this.#host.isAtRest() || this.#waitsForPeople !== forPeople)
        return this.checkRest()
      if (forPeople) void this.#rest()
      else void this.#stuck()
    })
    this.#restCheck = { forPeople, cancel }
  }

  /** What nobody heard may be why nothing comes. */
  async #stuck(): Promise<void> {
    const unheard = this.#failures.firstUnheard
    if (unheard !== undefined) return this.abort(unheard, true)
    const { what = '', ...place } = (await this.#host.stuckAt()) ?? {}
    if (this.#isOver || !this.#host.isAtRest()) return this.checkRest()
    const record = errorRecord('ALM_STUCK', { what }, place)
    return this.abort(new AlmanacError('ALM_STUCK', { what }, { record }), true)
  }

  /** Every call has ended, and so has the function. */
  async finish(unseen: readonly number[]): Promise<void> {
    this.#isOver = true
    this.#restCheck?.cancel()
    const { machine, outcomes } = this.#run
    const settlement = this.settlement as Settlement
    const thrown = settlement.ok ? undefined : recordOf(settlement.error)
    const unheard = this.#failures.firstUnheard
    const lost = unheard === undefined || machine.graph.cancelling ? undefined : recordOf(unheard)
    const first = unseen[0] === undefined ? undefined : outcomes.error(unseen[0])
    const error = this.#placed(this.#rootOf(thrown ?? lost ?? first))
    const state = machine.graph.cancelling ? 'cancelled' : error === undefined ? 'succeeded' : 'failed'
    await this.#close({
      state,
      uncaught: this.#failures.uncaught(unseen),
      ...(error !== undefined && { error }),
      ...(state === 'succeeded' && { output: settlement.ok ? settlement.value : undefined }),
    })
  }

  /** The run cannot go on: what is under way is stopped, what is durable stays. */
  async abort(error: unknown, record = false): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    this.#restCheck?.cancel()
    // whoever goes on with the run must not meet what is still at work
    await this.#host.stopAll()
    await this.#run.recorder.idle()
    if (record) await this.#close({ state: 'failed', error: recordOf(error), uncaught: [] })
    else this.#done?.({ kind: 'broken', error })
  }

  /** Of a call that was not run, the failure that it was not run for: that one is to be corrected. */
  #rootOf(error: ErrorRecord | undefined): ErrorRecord | undefined {
    if (error?.code !== 'ALM_UPSTREAM' || error.call === undefined) return error
    return this.#run.outcomes.error(error.call) ?? error
  }

  /** What has no place at all, such as a field that is not there among what is returned, is the function's. */
  #placed(error: ErrorRecord | undefined): ErrorRecord | undefined {
    if (error === undefined || error.file !== undefined) return error
    const { file, line } = this.#host.definedAt() ?? {}
    return file === undefined || line === undefined ? error : { ...error, file, line }
  }

  get #waitsForPeople(): boolean {
    const { graph } = this.#run.machine
    return (
      graph.slots.paused ||
      graph.waiting.person > 0 ||
      graph.waiting.signal > 0 ||
      graph.count('judge') > 0 ||
      this.#run.settings.dryRun
    )
  }

  /** Nothing goes on without a person: the process may go, unless one has spoken meanwhile. */
  async #rest(): Promise<void> {
    await this.#host.look()
    if (this.#isOver || !this.#host.isAtRest() || !this.#waitsForPeople) return this.checkRest()
    this.#isOver = true
    const { settlement } = this
    if (this.#run.settings.dryRun && settlement?.ok === false)
      return this.#close({ state: 'failed', error: this.#rootOf(recordOf(settlement.error)) as ErrorRecord })
    const isPaused = this.#run.machine.graph.slots.paused && !this.#run.settings.dryRun
    await this.#close({ state: isPaused ? 'paused' : 'waiting' })
  }

  async #close(end: Closing): Promise<void> {
    const { recorder, ports, settings } = this.#run
    this.state = end.state
    try {
      this.#recordRemoved()
      if (end.state === 'succeeded') this.#run.notes.succeeded()
      if (end.state !== 'succeeded' && this.#run.outcomes.areHeld) await this.#host.keepHeld()
      const outputWire =
        'output' in end && !settings.dryRun ? await keptWire(end.output, ports.data) : undefined
      await ports.data.sync()
      recorder.add({
        kind: 'run',
        state: end.state,
        at: ports.clock.now(),
        uncaught: end.uncaught ?? [],
        ...(end.error !== undefined && { error: end.error }),
        ...(outputWire !== undefined && { outputWire }),
      })
      await recorder.durable()
      const { counts, executed, reused, unkept, savedMs, planned } = this.#host.figures()
      const figures = { counts, executed, reused, savedMs, ...(unkept !== undefined && { unkept }) }
      const unknown = this.#run.settings.dryRun ? { unknown: this.#host.unknown() } : {}
      this.#done?.({ kind: 'ended', ...end, ...figures, planned, ...unknown })
    } catch (error) {
      await recorder.idle()
      this.#done?.({ kind: 'broken', error })
    }
  }

  /** Calls of an earlier life that an edit took away. */
  #recordRemoved(): void {
    const { remembered, calls, machine, recorder, ports } = this.#run
    if (this.settlement?.ok !== true) return
    const unmade = remembered.unmade((id) => calls.has(id))
    if (unmade.length === 0) return
    const now = ports.clock.now()
    // of a map that is remembered as a whole no entry is made again: they hold with it
    const held = new Set<string>()
    for (const { request, own, fingerprint, path } of calls)
      if (request.kind === 'map' && fingerprint !== undefined && own?.outcome?.fingerprint === fingerprint)
        held.add(path)
    for (const call of unmade) {
      if (call.outcome?.reason === 'removed') continue
      if (call.call_kind === 'entry' && call.outcome?.state === 'succeeded' && held.has(call.caller)) continue
      recorder.add({
        kind: 'outcome',
        call: call.call,
        order: machine.graph.nextOrder++,
        state: 'skipped',
        reason: 'removed',
        attempt: call.outcome?.attempt ?? 0,
        startedAt: now,
        endedAt: now,
        costMs: 0,
        ...keptResult(remembered.result(call)),
      })
    }
  }
}
