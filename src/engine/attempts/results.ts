import { encode, plainText } from '../../model/codec.ts'
import { AlmanacError, errorRecord } from '../../model/errors.ts'
import type { ErrorRecord } from '../../model/records.ts'
import { HeldRef, type SpilledRef } from '../../model/refs.ts'
import type { FailureReason } from '../../model/states.ts'
import type { Value } from '../../model/value.ts'
import { eachRef, ownCopy } from '../../model/value-refs.ts'
import type { CallInfo } from '../calls/call-info.ts'
import { placed, recordOf, typesOf } from '../calls/failure.ts'
import { spilled } from '../calls/spilled-values.ts'
import { resolve } from '../calls/views.ts'
import type { CodeDrift, Drift } from '../identity/code-drift.ts'
import type { RunContext } from '../run-context.ts'
import type { AttemptResult } from './attempt-result.ts'
import type { HeldCopies } from './held-copies.ts'
import type { WorkClaims } from './work-claims.ts'

type Kept = Extract<AttemptResult, { kind: 'kept' }>

/** Characters of a result as JSON: larger ones belong in files. */
const maxValueLength = 64 * 2 ** 20

/**
 * What came of an attempt: its value checked, written out where that is wanted, and known to the run; or why there is
 * none.
 *
 * R1 the value of an attempt that was given up takes nobody's place.
 * R2 a value that cannot be kept fails its attempt, where the task is still to blame.
 */
export class Results {
  readonly #run: RunContext
  readonly #claims: WorkClaims
  readonly #copies: HeldCopies
  readonly #code: CodeDrift

  constructor(run: RunContext, claims: WorkClaims, copies: HeldCopies, code: CodeDrift) {
    this.#run = run
    this.#claims = claims
    this.#copies = copies
    this.#code = code
  }

  /** An attempt has ended. */
  take(info: CallInfo, attempt: number, result: AttemptResult): void {
    const { ports, dispatch, isOver } = this.#run
    if (isOver()) return
    if (result.kind !== 'kept') this.#claims.end(info)
    switch (result.kind) {
      case 'kept':
        return this.#given(info, attempt, result)
      case 'failed':
        return this.#failed(info, attempt, result.error, result.reason, result.retryable)
      case 'lost':
        info.lastError = placed(result.error, info.request)
        return dispatch({ kind: 'lost', call: info.id, attempt, at: ports.clock.now() })
      case 'inputs-gone':
        return this.#deprived(info, attempt, result.handles)
      case 'unbegun':
        return dispatch({ kind: 'unbegun', call: info.id, attempt })
      case 'cancelled':
        return dispatch({ kind: 'stopped', call: info.id, attempt })
    }
  }

  /** A lost result comes from its copy; if that is gone, from another attempt. */
  async restore(info: CallInfo, attempt: number, begin: () => void): Promise<void> {
    let value: Value
    try {
      value = await this.#copies.restored(info)
    } catch {
      // what cannot be read can be made again
    }
    if (this.#run.isOver()) return
    if (value !== undefined) return this.#succeeded(info, attempt, value)
    const { policy } = this.#run.machine.graph.call(info.id)
    if (!policy.effect && !policy.random) return begin()
    const error = errorRecord('ALM_WORKER_LOST', { why: 'the copy of its result is gone' })
    this.take(info, attempt, { kind: 'failed', reason: 'lost', error, retryable: false })
  }

  /** Held values died with their worker. */
  lose(handles: readonly number[]): void {
    const { outcomes, dispatch } = this.#run
    const lost = outcomes.callsHolding(handles)
    if (lost.length > 0) dispatch({ kind: 'gone', calls: lost })
  }

  #failed(
    info: CallInfo,
    attempt: number,
    error: ErrorRecord,
    reason: FailureReason,
    retryable: boolean,
  ): void {
    const { ports, dispatch } = this.#run
    info.lastError = placed(error, info.request)
    const names = [...typesOf(error), error.code]
    const [at, chance] = [ports.clock.now(), ports.chance.number()]
    dispatch({ kind: 'failed', call: info.id, attempt, reason, names, retryable, at, chance })
  }

  /** The result is not what was declared, or cannot be kept. */
  #refused(info: CallInfo, attempt: number, error: unknown): void {
    this.#claims.end(info)
    this.#failed(info, attempt, recordOf(error), 'outputs', false)
  }

  #deprived(info: CallInfo, attempt: number, handles: readonly number[]): void {
    this.lose(handles)
    const { graph } = this.#run.machine
    const gone = (graph.call(info.id).heldInputs ?? []).filter((id) => graph.call(id).lost)
    const isOver = this.#isReplaced(info, handles)
    this.#run.dispatch({ kind: 'deprived', call: info.id, attempt, gone, isOver })
  }

  /** Is something of what was gone there again by now, made again for another call? */
  #isReplaced(info: CallInfo, handles: readonly number[]): boolean {
    const { outcomes, calls } = this.#run
    const now = new Set<number>()
    eachRef(outcomes.current(resolve(info.args, { outcomes, request: calls.request })), (ref) => {
      if (ref instanceof HeldRef) now.add(ref.handle)
    })
    return handles.some((handle) => !now.has(handle))
  }

  #given(info: CallInfo, attempt: number, result: Kept): void {
    const drift = this.#code.of(info, result.code)
    if (drift === undefined) this.#kept(info, attempt, result)
    else this.#keptAfter(Promise.resolve(drift), info, attempt, result)
  }

  #keptAfter(drifting: Promise<Drift | undefined>, info: CallInfo, attempt: number, result: Kept): void {
    void drifting.then((drift) => {
      if (this.#run.isOver()) return
      if (drift !== undefined) {
        this.#claims.end(info)
        this.#code.forget(info, drift)
      }
      this.#kept(info, attempt, result)
    })
  }

  #kept(info: CallInfo, attempt: number, { value, tookMs }: Kept): void {
    try {
      const checked = this.#checked(info, value)
      if (checked instanceof Promise) this.#fitAfter(checked, info, attempt, tookMs)
      else this.#fit(info, attempt, checked, tookMs)
    } catch (error) {
      this.#refused(info, attempt, error)
    }
  }

  #fitAfter(checked: Promise<Value>, info: CallInfo, attempt: number, tookMs: number | undefined): void {
    checked
      .then((fit) => this.#fit(info, attempt, fit, tookMs))
      .catch((error: unknown) => this.#refused(info, attempt, error))
  }

  #fit(info: CallInfo, attempt: number, value: Value, tookMs: number | undefined): void {
    const isWritten = info.request.task?.policy.persist === true && this.#run.outcomes.isHeld(value)
    if (isWritten) void this.#persist(info, attempt, value)
    else this.#succeeded(info, attempt, value, tookMs)
  }

  #checked(info: CallInfo, value: Value): Value | Promise<Value> {
    const { check } = info.request
    const checked = check === undefined ? value : check(value)
    return checked instanceof Promise ? this.#adoptedAfter(checked, info) : this.#claims.adopt(info, checked)
  }

  async #adoptedAfter(checked: Promise<Value>, info: CallInfo): Promise<Value> {
    return this.#claims.adopt(info, await checked)
  }

  /** What is to be written out at once has succeeded when it is. */
  async #persist(info: CallInfo, attempt: number, value: Value): Promise<void> {
    try {
      const copied = await this.#copies.copy(info, value)
      if (copied !== undefined) return this.#succeeded(info, attempt, copied)
      const error = errorRecord('ALM_WORKER_LOST', { why: 'its result was not written out in time' })
      this.take(info, attempt, { kind: 'lost', error })
    } catch (error) {
      this.#refused(info, attempt, error)
    }
  }

  /** A large value is kept before anybody is given it. */
  async #spill(info: CallInfo, attempt: number, value: Value, spilling: Promise<SpilledRef>): Promise<void> {
    try {
      this.#succeeded(info, attempt, value, undefined, await spilling)
    } catch (error) {
      if (!this.#run.isOver()) this.#refused(info, attempt, error)
    }
  }

  #succeeded(info: CallInfo, attempt: number, value: Value, tookMs?: number, spilledTo?: SpilledRef): void {
    const { machine, calls, outcomes, ports, dispatch } = this.#run
    const call = machine.graph.call(info.id)
    const { phase } = call
    const isUnderWay = phase === 'start' || phase === 'execute' || phase === 'stop'
    if (attempt !== call.attempt || !isUnderWay) return
    const now = ports.clock.now()
    if (tookMs !== undefined) info.startedAt = Math.round(now - tookMs)
    const plain = plainText(value)
    const wire = plain ?? encode(value)
    // a function in this process may go on to change what it gave
    const isShared = typeof value === 'object' && info.request.task?.body.kind === 'function'
    const kept = isShared && spilledTo === undefined ? ownCopy(value) : value
    const { held, copied } = plain === undefined ? calls.heldIn(info, value) : nothingHeld
    if (spilledTo === undefined) {
      if (wire.length > maxValueLength) return this.#refused(info, attempt, tooLarge(wire.length))
      const spilling = spilled(value, wire, ports.data)
      if (spilling !== undefined) return void this.#spill(info, attempt, kept, spilling)
      if (!call.lost) info.resultWire = wire
    }
    if (call.lost !== true) info.costMs = now - info.startedAt
    outcomes.set(info.id, { value: kept, ...(spilledTo && { spilled: spilledTo }) })
    dispatch({ kind: 'succeeded', call: info.id, attempt, held, copied })
  }
}

const nothingHeld = { held: false, copied: false } as const

function tooLarge(length: number): AlmanacError {
  const [is, may] = [Math.ceil(length / 2 ** 20), maxValueLength / 2 ** 20]
  const why = `it is ${is} MiB as JSON, and ${may} MiB may be kept as a value: leave it in a file output`
  return new AlmanacError('ALM_RESULT_REFUSED', { why })
}
