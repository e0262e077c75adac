import type { DoorChange } from '../../core/run/admissions.ts'
import type { Effect } from '../../core/run/events.ts'
import type { LimitRule } from '../../model/limits.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { CallRequest } from '../../ports/caller.ts'
import type { AttemptEnd, AttemptId, Executor } from '../../ports/executor.ts'
import { type CallInfo, isHashedLater } from '../calls/call-info.ts'
import { recordOf } from '../calls/failure.ts'
import { resolve } from '../calls/views.ts'
import { CodeDrift } from '../identity/code-drift.ts'
import type { RunContext } from '../run-context.ts'
import type { PlannedCall } from '../settings.ts'
import { type AttemptInfo, type AttemptStart, Attempts } from './attempts.ts'
import { EarlySubmission } from './early-submission.ts'
import { HeldCopies } from './held-copies.ts'
import { HeldRelease } from './held-release.ts'
import { LimitDoors } from './limit-doors.ts'
import { Results } from './results.ts'
import { WorkClaims } from './work-claims.ts'

/** so many calls are made before those of them that may start do */
const madeAtOnce = 8

/**
 * Between the machine's decision to start a call and what came of it.
 *
 * S1 starts of one turn travel together, and wait where the journal does not keep up.
 * S2 a function that makes calls without a pause does not keep those from starting elsewhere which it has made: what
 *    takes nothing held is submitted every few calls. What takes some is not: as long as calls are made, nobody knows
 *    whether it is the last to need that.
 */
export class Execution {
  readonly planned: PlannedCall[] = []
  readonly #run: RunContext
  readonly #attempts: Attempts
  readonly #claims: WorkClaims
  readonly #copies: HeldCopies
  readonly #held: HeldRelease
  readonly #results: Results
  readonly #early: EarlySubmission
  readonly #limits: LimitDoors
  #starts: AttemptStart[] = []
  #isScheduled = false
  /** calls made since starts were submitted last */
  #made = 0

  /** `number`: one for each attempt that an executor is given. */
  constructor(
    run: RunContext,
    number: () => AttemptId,
    executors: readonly Executor[],
    warn: (task: TaskSpec, warning: string) => void,
  ) {
    const executorFor = (task: TaskSpec): Executor | undefined => this.#attempts.executorFor(task)
    this.#run = run
    this.#claims = new WorkClaims(run)
    this.#held = new HeldRelease(run, executorFor)
    this.#copies = new HeldCopies(run, executorFor)
    this.#results = new Results(run, this.#claims, this.#copies, new CodeDrift(run, warn))
    this.#early = new EarlySubmission(run, executorFor)
    this.#limits = new LimitDoors(run)
    const places = (): number => run.machine.graph.slots.places
    this.#attempts = new Attempts(run.ports, run.id, number, places, executors, (info, attempt, result) =>
      this.#results.take(info, attempt, result),
    )
  }

  /** Writes out what only lives in workers' memory and is needed to go on with the run. */
  keepHeld(): Promise<void> {
    return this.#copies.keep()
  }

  get hasStarts(): boolean {
    return this.#starts.length > 0
  }

  /** Attempts of the task wait until what they depend on is durable. */
  leaves(task: TaskSpec): boolean {
    return this.#attempts.executorFor(task)?.afterCommit === true
  }

  declare(limits: readonly LimitRule[]): void {
    this.#limits.declare(limits)
  }

  /** A call is about to be made. @throws ALM_LIMIT_UNKNOWN, ALM_LIMIT_TOO_MUCH */
  expect(request: CallRequest): void {
    if (request.limits !== undefined) this.declare(request.limits)
    if (request.task !== undefined) this.#limits.check(request.name, request.task.policy)
    this.#early.expect(request.task)
    this.#attempts.made(request)
  }

  /** A function has made a call, and may make a million more before the event loop turns. */
  goesOn(): void {
    if (++this.#made < madeAtOnce) return
    this.#made = 0
    if (this.#starts.length === 0 || this.#run.recorder.isFull || this.#run.isOver()) return
    if (this.#starts.every(({ info }) => this.#nowBy(info) === undefined)) return
    const now: AttemptStart[] = []
    const later: AttemptStart[] = []
    const executors = new Set<Executor>()
    for (const start of this.#starts) {
      const executor = this.#nowBy(start.info)
      if (executor !== undefined) executors.add(executor)
      ;(executor === undefined ? later : now).push(start)
    }
    this.#starts = later
    this.#begin(now)
    for (const executor of executors) executor.beginNow?.()
    // what they would have ahead they know from what they have
    this.#early.look()
  }

  /** Who begins with the call now, if it takes nothing held and nobody else may be at it. */
  #nowBy(info: CallInfo): Executor | undefined {
    const { task } = info.request
    const executor = task && this.#attempts.executorFor(task)
    if (executor?.beginNow === undefined || this.#claims.isShared(info)) return undefined
    return this.#run.machine.graph.call(info.id).heldInputs === undefined ? executor : undefined
  }

  /** The machine wants calls to be admitted, or gives back. */
  admission(change: DoorChange): void {
    this.#limits.change(change)
  }

  info(id: AttemptId): AttemptInfo | undefined {
    return this.#attempts.info(id)
  }

  start(info: CallInfo, attempt: number, memoryBytes: number): void {
    const { ports, settings, recorder } = this.#run
    if (!isHashedLater(info)) info.fingerprint ??= info.identity?.fingerprint(info.args)
    if (settings.dryRun) {
      this.planned.push({
        call: info.id,
        name: info.request.name,
        why: info.own?.outcome === undefined ? 'new' : 'changed',
      })
      return
    }
    if (info.request.task?.policy.effect === true) {
      const startedAt = ports.clock.now()
      recorder.add({ kind: 'attempt', call: info.id, attempt, phase: 'started', startedAt, at: startedAt })
    }
    const call = this.#run.machine.graph.call(info.id)
    if (call.lost && call.copied) this.#restore(info, attempt, memoryBytes)
    else this.#queue(info, attempt, memoryBytes)
  }

  #restore(info: CallInfo, attempt: number, memoryBytes: number): void {
    void this.#results.restore(info, attempt, () => this.#queue(info, attempt, memoryBytes))
  }

  #queue(info: CallInfo, attempt: number, memoryBytes: number): void {
    // its arguments are put together when it begins
    this.#starts.push({ info, attempt, memoryBytes, args: undefined, usesUp: false, neededAt: undefined })
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(this.#submitNow)
  }

  readonly #submitNow = (): void => void this.#submit()

  /** The run was cancelled: whoever takes it over is not to finish these. */
  stopping(stopped: readonly number[]): void {
    const { calls, machine, recorder, ports } = this.#run
    const at = ports.clock.now()
    for (const call of stopped) {
      const { attempt } = machine.graph.call(call)
      const { startedAt } = calls.get(call)
      recorder.add({ kind: 'attempt', call, attempt, phase: 'stopping', startedAt, at })
    }
  }

  stop(call: number, attempt: number, graceMs: number): void {
    this.#attempts.stop(this.#run.calls.get(call), attempt, graceMs)
  }

  /** Stops all that runs, and resolves when nothing does. */
  async stopAll(): Promise<void> {
    const { calls, machine } = this.#run
    for (const { id, phase, attempt } of machine.graph.calls)
      if (phase === 'start' || phase === 'execute') this.#attempts.stop(calls.get(id), attempt, 0)
    await this.#attempts.idle()
  }

  /** See `Attempts.taking`. */
  taking(id: AttemptId, work: Promise<void>): void {
    this.#attempts.taking(id, work)
  }

  onEnd(id: AttemptId, end: AttemptEnd): void {
    this.#attempts.onEnd(id, end)
    this.#early.look()
    const { graph } = this.#run.machine
    if (graph.unneeded.length === 0) return
    const unneeded = graph.unneeded
    graph.unneeded = []
    for (const call of unneeded) this.#held.spare(call)
  }

  /** Events have been applied: what depends on how the run stands now follows. */
  follow(): void {
    const { machine, recorder } = this.#run
    if (machine.graph.count('gate') > 0) recorder.hurry()
    this.#early.holdOrLetGo()
  }

  /** A function was given what the call gave: it may use it at any time. */
  given(call: number): void {
    const found = this.#run.machine.graph.calls.find(call)
    if (found !== undefined) found.kept = true
  }

  /** The run is over: nothing that is held for it is needed any more. */
  async close(): Promise<void> {
    this.#held.releaseAll()
    await this.#limits.close()
  }

  /** Held values died with their worker. */
  lose(handles: readonly number[]): void {
    this.#results.lose(handles)
  }

  /** An attempt was spent without an outcome. */
  spent(effect: Extract<Effect, { kind: 'spent' }>): void {
    const { calls, ports, recorder, listener, notes } = this.#run
    const info = calls.get(effect.call)
    // what it showed belongs to no result
    notes.forget(effect.call)
    const error = info.lastError
    recorder.add({
      kind: 'attempt',
      call: effect.call,
      attempt: effect.attempt,
      phase: 'failed',
      reason: effect.reason,
      spent: effect.counted,
      ...(error !== undefined && { error }),
      startedAt: info.startedAt,
      at: ports.clock.now(),
    })
    if (error !== undefined) listener.failed?.(info, error, effect.attempt, false)
  }

  async #submit(): Promise<void> {
    const { recorder, isOver } = this.#run
    if (recorder.isFull) await this.#early.journalRoom()
    this.#isScheduled = false
    const starts = this.#starts
    this.#starts = []
    if (isOver()) return
    if (!starts.some(({ info }) => this.#claims.isShared(info))) return this.#begin(starts)
    const shared = starts.filter(({ info }) => this.#claims.isShared(info))
    // the others need not wait for the journal
    this.#begin(starts.filter(({ info }) => !this.#claims.isShared(info)))
    this.#begin(await this.#claimed(shared))
  }

  #begin(starts: readonly AttemptStart[]): void {
    const { outcomes, calls } = this.#run
    const { graph } = this.#run.machine
    const resolved: AttemptStart[] = []
    const sources = { outcomes, request: calls.request }
    const now = this.#run.ports.clock.now()
    for (const start of starts) {
      start.info.startedAt = now
      try {
        start.args = outcomes.current(resolve(start.info.args, sources))
        const call = graph.call(start.info.id)
        start.usesUp = graph.usesUp(call)
        // calls are made in the order in which they are gone about
        start.neededAt = call.consumer
        resolved.push(start)
      } catch (error) {
        this.#results.take(start.info, start.attempt, {
          kind: 'failed',
          reason: 'error',
          error: recordOf(error),
          retryable: false,
        })
      }
    }
    this.#attempts.begin(resolved)
  }

  async #claimed(starts: readonly AttemptStart[]): Promise<readonly AttemptStart[]> {
    try {
      return await this.#claims.claim(starts)
    } catch (error) {
      this.#run.abort(error)
      return []
    }
  }
}
