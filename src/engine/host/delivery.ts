import type { EndStatus } from '../../core/run/call.ts'
import type { Effect } from '../../core/run/events.ts'
import { isCounted } from '../../model/call-kinds.ts'
import { errorRecord } from '../../model/errors.ts'
import type { Path } from '../../model/path.ts'
import type { ErrorRecord, JournalRecord, Time } from '../../model/records.ts'
import { FutureRef } from '../../model/refs.ts'
import type { CallState } from '../../model/states.ts'
import type { Value } from '../../model/value.ts'
import { ChurnMap } from '../../util/churn-map.ts'
import type { CallInfo, WorkClaim } from '../calls/call-info.ts'
import { placed } from '../calls/failure.ts'
import { outcomeRecords } from '../calls/outcome-records.ts'
import { resolve } from '../calls/views.ts'
import type { RunContext, RunSnapshot } from '../run-context.ts'
import { TaskCounts } from '../calls/task-counts.ts'
import type { Turns } from './turns.ts'
import type { Failures } from './uncaught.ts'

interface Waiter {
  readonly path: Path
  succeed(value: Value, at: Time): void
  fail(error: unknown, at: Time): void
}

/**
 * What happens when a call has ended: it is counted, recorded, and given at its turn to whoever waits for it.
 *
 * D1 an outcome is given to each who asks exactly once, never before its turn.
 * D2 an outcome that is on record already is not recorded again.
 */
export class Delivery {
  readonly counts: Partial<Record<CallState, number>> = {}
  readonly #tasks = new TaskCounts()
  /** calls of this life that `counts` tells of: those that were made, and those that have ended */
  #counted = 0
  #over = 0
  executed = 0
  reused = 0
  /** of those executed: their results may be of other code */
  unkept = 0
  /** ms of work that the run cache and carried entries stand for */
  savedMs = 0
  /** what becomes durable with the outcome of a call, by call; each is told when it is */
  readonly withOutcome = new Map<number, { readonly record: JournalRecord; readonly durable: () => void }>()
  readonly #run: RunContext
  readonly #turns: Turns
  readonly #failures: Failures
  /** when they ended, by call, of those that were given */
  readonly #given: (Time | undefined)[] = []
  readonly #waiters = new ChurnMap<number, Waiter[]>()

  constructor(run: RunContext, turns: Turns, failures: Failures) {
    this.#run = run
    this.#turns = turns
    this.#failures = failures
  }

  /** Calls whose outcome somebody waits for. */
  get awaited(): Iterable<number> {
    return [...this.#waiters.entries()].map(([call]) => call)
  }

  /** `unmade`: calls that are known to come. */
  figures(unmade: ReadonlyMap<string, number>): Omit<RunSnapshot, 'state' | 'asks'> {
    const { graph } = this.#run.machine
    const running = graph.count('start') + graph.count('execute') + graph.count('stop')
    // what is made again has ended before
    let coming = 0
    for (const count of unmade.values()) coming += count
    const waiting = Math.max(0, this.#counted - this.#over - running) + coming
    const { executed, reused, savedMs } = this
    const unkept = this.unkept > 0 && { unkept: this.unkept }
    const counts = { ...this.counts, waiting, running }
    return {
      counts,
      executed,
      reused,
      ...unkept,
      savedMs,
      limits: graph.slots.admissions.waits(),
      tasks: this.#tasks.list(unmade),
    }
  }

  /** A call was made that has not ended. */
  made({ kind, name }: CallInfo['request']): void {
    if (!isCounted(kind)) return
    this.#counted++
    this.#tasks.made(name)
  }

  /** When a call ended whose outcome was given. */
  readonly endOf = (call: number): Time => this.#given[call] ?? 0

  /** Somebody waits for an outcome. */
  wait(call: number, waiter: Waiter): void {
    const end = this.#run.machine.graph.calls.find(call)?.end
    if (end !== undefined && end.state !== 'succeeded') this.#run.dispatch({ kind: 'observed', call })
    const at = this.#given[call]
    if (at !== undefined) return this.#give(call, waiter, at)
    const waiters = this.#waiters.get(call)
    if (waiters === undefined) this.#waiters.set(call, [waiter])
    else waiters.push(waiter)
  }

  ended(effect: Extract<Effect, { kind: 'ended' }>): void {
    const { calls, machine, notes } = this.#run
    const info = calls.get(effect.call)
    const { status, order } = effect
    this.#count(info, status, effect.record)
    if (status.state !== 'succeeded') this.#failed(info, effect)
    // before its record: whoever waits goes on first
    const at = this.#endOf(info, effect)
    this.#turns.add({ order, call: info.id, at, run: this.#turn })
    const kept = effect.record && this.#record(info, effect, at)
    this.#endWork(info, kept)
    // an entry tells its map what it took, and showed
    if (info.request.kind === 'task') notes.forget(info.id)
    // what is held may have to be made again
    if (
      status.state === 'succeeded' &&
      info.request.kind === 'task' &&
      machine.graph.call(info.id).held !== true
    )
      calls.release(info.id)
  }

  #failed(info: CallInfo, effect: Extract<Effect, { kind: 'ended' }>): void {
    const { status, record } = effect
    const { calls, machine, outcomes, listener, dispatch } = this.#run
    if (status.state === 'cancelled') outcomes.cancel(info.id)
    else outcomes.fail(info.id, this.#errorOf(info, effect))
    if (this.#waiters.has(info.id)) dispatch({ kind: 'observed', call: info.id })
    // what an earlier life has failed of was told then
    if (status.state !== 'failed' || !record) return
    const { attempt } = machine.graph.call(info.id)
    const args = () => resolve(info.args, { outcomes, request: calls.request })
    listener.failed?.(info, this.#errorOf(info, effect), attempt, true, args)
  }

  /** When the call ended, as it is on record. */
  #endOf(info: CallInfo, { status, record }: Extract<Effect, { kind: 'ended' }>): Time {
    const onRecord = record ? undefined : info.own?.outcome?.endedAt
    if (onRecord !== undefined) return onRecord
    // when its attempt ended is known already
    const isAttempted = status.reason === 'executed' && info.resultWire !== undefined
    return isAttempted ? info.startedAt + info.costMs : this.#run.ports.clock.now()
  }

  /** Is it kept in the run cache? */
  #record(info: CallInfo, effect: Extract<Effect, { kind: 'ended' }>, now: Time): boolean {
    const { remembered, recorder, machine, outcomes, settings, notes } = this.#run
    // what another call had is this one's now: two of one order would not know who was first
    if (info.takenFrom !== undefined) recorder.add({ kind: 'forgotten', calls: [info.takenFrom], at: now })
    const kept = remembered.result(info.own)
    const call = machine.graph.call(info.id)
    const shown = notes.shownBy(info.id)?.wire
    const records = outcomeRecords(info, effect, call, outcomes, kept, now, { cache: settings.cache, shown })
    if (this.withOutcome.size > 0) this.#recordWith(info.id, effect.order)
    let isKept = false
    for (const record of records) {
      recorder.add(record, effect.order)
      if (record.kind === 'cache') isKept = true
    }
    info.resultWire = undefined
    return isKept
  }

  /** Nothing comes between it and the outcome, which is recorded next. */
  #recordWith(call: number, order: number): void {
    const { recorder } = this.#run
    const more = this.withOutcome.get(call)
    if (more === undefined) return
    this.withOutcome.delete(call)
    recorder.add(more.record, order)
    recorder.whenDurable(more.durable)
  }

  /** Whoever waits for the same goes on: with the result, once it is there for everybody. */
  #endWork(info: CallInfo, kept: boolean): void {
    if (info.claim?.holds === true) this.#endShared(info, info.claim, kept)
  }

  #endShared({ fingerprint, request, costMs }: CallInfo, claim: WorkClaim, kept: boolean): void {
    const { work, recorder } = this.#run
    if (fingerprint === undefined) return
    claim.holds = false
    work.took(request.name, costMs)
    if (kept) recorder.whenDurable(() => work.release(fingerprint, true))
    else work.release(fingerprint, false)
  }

  #count(info: CallInfo, status: EndStatus, recorded: boolean): void {
    const { state } = status
    if (isCounted(info.request.kind)) {
      this.#over++
      this.counts[state] = (this.counts[state] ?? 0) + 1
      this.#tasks.ended(info.request.name, state)
    }
    if (info.map !== undefined) {
      this.reused += info.map.carried
      if (recorded) this.savedMs += info.map.savedMs ?? 0
    }
    // its entries are no calls of this life: they hold with the map
    if (info.map !== undefined && !recorded) {
      this.reused += info.map.executed
      this.counts.succeeded = (this.counts.succeeded ?? 0) + info.map.executed
      this.#tasks.ended(info.request.name, 'succeeded', info.map.executed)
    }
    if (info.request.kind !== 'task' && info.request.kind !== 'entry') return
    if (state !== 'succeeded') return
    // what is remembered may be recorded again, in another order
    const { attempt } = this.#run.machine.graph.call(info.id)
    if (recorded && status.reason === 'executed' && attempt !== info.own?.outcome?.attempt) {
      this.executed++
      if (info.drift !== undefined) this.unkept++
    } else this.reused++
    if (recorded && status.reason === 'cached') this.savedMs += info.costMs
  }

  #errorOf(info: CallInfo, { status, order, cause }: Extract<Effect, { kind: 'ended' }>): ErrorRecord {
    if (status.reason === 'upstream') return this.#upstream(info, order)
    if (cause !== undefined) return notMadeAgain(this.#run.calls.get(cause))
    const error = status.reason === 'lost' ? lostOf(info) : (info.lastError ?? noReason(info))
    return { ...placed(error, info.request), call: error.call ?? info.id }
  }

  /** Has what it names not failed for another reason since? */
  #stillHolds(named: ErrorRecord | undefined): named is ErrorRecord {
    const cause = named?.call === undefined ? undefined : this.#run.outcomes.error(named.call)
    return named !== undefined && (cause === undefined || named.message.includes(cause.message))
  }

  #upstream(info: CallInfo, order: number): ErrorRecord {
    const { machine, outcomes, calls } = this.#run
    // of several inputs that failed it names the one that it named first
    const { outcome } = info.own ?? {}
    if (outcome?.reason === 'upstream' && outcome.order === order && this.#stillHolds(outcome.error))
      return outcome.error
    const input = machine.graph.call(info.id).inputs.find((id) => {
      const { end } = machine.graph.call(id)
      return end !== undefined && end.state !== 'succeeded'
    })
    const cause = input === undefined ? undefined : outcomes.error(input)
    if (input !== undefined && cause?.code === 'ALM_UPSTREAM') return cause
    const task = input === undefined ? '' : calls.request(input).name
    const details = { task, message: cause?.message ?? '' }
    return errorRecord('ALM_UPSTREAM', details, {
      call: cause?.call ?? input ?? info.id,
      // who awaits it may look out for what was raised
      ...(cause?.type !== undefined && { type: cause.type }),
      ...(cause?.types !== undefined && { types: cause.types }),
      ...(cause?.group !== undefined && { group: cause.group }),
      ...placeIn(cause),
    })
  }

  /** The turn of an outcome: true if somebody goes on with it. */
  readonly #turn = (call: number, at: Time): boolean => {
    this.#given[call] = at
    this.#run.dispatch({ kind: 'given', call })
    const waiters = this.#waiters.get(call)
    if (waiters === undefined) return false
    this.#waiters.delete(call)
    for (const waiter of waiters) this.#give(call, waiter, at)
    return true
  }

  #give(call: number, { path, succeed, fail }: Waiter, at: Time): void {
    const { outcomes, calls } = this.#run
    const error = outcomes.error(call)
    if (error !== undefined) return fail(this.#failures.errorOf(call, error), at)
    let value: Value
    try {
      value = outcomes.field(new FutureRef(call, path), calls.request(call).name)
    } catch (failure) {
      return fail(failure, at)
    }
    succeed(value, at)
  }
}

/** Its worker died, or one that held what it needs, and that cannot be made again. */
const lostOf = ({ lastError }: CallInfo): ErrorRecord =>
  lastError?.code === 'ALM_WORKER_LOST' || lastError?.code === 'ALM_TASK_DIED'
    ? lastError
    : errorRecord('ALM_WORKER_LOST', { why: 'a result that only lived in its memory cannot be made again' })

/** What it needs was to be made again by this call, which failed this time. */
function notMadeAgain(info: CallInfo): ErrorRecord {
  const error = info.lastError ?? noReason(info)
  const { message, type, types, group, stack } = error
  return errorRecord(
    'ALM_REBUILD_FAILED',
    { task: info.request.name, message },
    {
      call: info.id,
      ...(type !== undefined && { type }),
      ...(types !== undefined && { types }),
      ...(group !== undefined && { group }),
      ...(stack !== undefined && { stack }),
      ...placeIn(error),
    },
  )
}

const noReason = (info: CallInfo): ErrorRecord =>
  errorRecord('ALM_BUG', { why: `${info.request.name} failed without a reason` })

const placeIn = (error: ErrorRecord | undefined): Partial<ErrorRecord> => ({
  ...(error?.file !== undefined && { file: error.file }),
  ...(error?.line !== undefined && { line: error.line }),
})
