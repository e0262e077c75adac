import { eachRef } from '../core/identity/canonical.ts'
import type { Effect } from '../core/run/events.ts'
import { encode } from '../model/codec.ts'
import { AlmanacError, errorRecord } from '../model/errors.ts'
import { HeldRef, type SpilledRef } from '../model/refs.ts'
import type { TaskPolicy, TaskSpec } from '../model/task.ts'
import type { Value } from '../model/value.ts'
import type { CallRequest } from '../ports/caller.ts'
import type { AttemptEnd, AttemptId, Executor } from '../ports/executor.ts'
import { type AttemptInfo, type AttemptResult, type AttemptStart, Attempts } from './attempts.ts'
import type { CallInfo } from './call-info.ts'
import { recordOf } from './failure.ts'
import { HeldCopies } from './held-copies.ts'
import { HeldRelease } from './held-release.ts'
import type { RunContext } from './run-context.ts'
import type { PlannedCall } from './settings.ts'
import { Sharings } from './sharing.ts'
import { spilled } from './spilled.ts'
import { resolve } from './views.ts'

/** Letters of a result as JSON: values go to the journal whole, and larger ones belong in files. */
const maxValueLength = 64 * 2 ** 20

/** how often it is looked whether calls know by now what they are known by */
const identityMs = 2

/**
 * Between the machine's decision to start a call and what came of it.
 *
 * S1 starts of one turn travel together, and wait where the journal does not keep up.
 * S2 the value of an attempt that was given up takes nobody's place.
 */
export class Execution {
  readonly planned: PlannedCall[] = []
  readonly #run: RunContext
  readonly #attempts: Attempts
  readonly #sharings: Sharings
  readonly #copies: HeldCopies
  readonly #held: HeldRelease
  #starts: AttemptStart[] = []
  #isScheduled = false
  /** executors that take attempts ahead, and the policies of their tasks */
  readonly #takers = new Set<Executor>()
  readonly #policies = new Set<TaskPolicy>()
  #window = { calls: 0, kinds: 0 }
  #isAwaiting = false

  constructor(run: RunContext, life: number, executors: readonly Executor[]) {
    this.#run = run
    this.#sharings = new Sharings(run)
    this.#attempts = new Attempts(run.ports, run.id, life, executors, (info, attempt, result) =>
      this.#ended(info, attempt, result),
    )
    this.#held = new HeldRelease(run, (task) => this.#attempts.executorFor(task))
    this.#copies = new HeldCopies(run, (task) => this.#attempts.executorFor(task))
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

  made(request: CallRequest): void {
    this.#attempts.made(request)
  }

  info(id: AttemptId): AttemptInfo | undefined {
    return this.#attempts.info(id)
  }

  start(info: CallInfo, attempt: number, memoryBytes: number): void {
    const { ports, settings, recorder } = this.#run
    info.startedAt = ports.clock.now()
    if (settings.dryRun) {
      this.planned.push({
        call: info.id,
        name: info.request.name,
        why: info.own?.outcome === undefined ? 'new' : 'changed',
      })
      return
    }
    if (info.request.task?.policy.effect === true) {
      const { startedAt } = info
      recorder.add({ kind: 'attempt', call: info.id, attempt, phase: 'started', startedAt, at: startedAt })
    }
    const begin = (): void => this.#queue({ info, attempt, memoryBytes, args: undefined })
    const { lost, copied } = this.#run.machine.graph.call(info.id)
    if (lost && copied) void this.#restore(info, attempt, begin)
    else begin()
  }

  #queue(start: AttemptStart): void {
    this.#starts.push(start)
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => void this.#submit())
  }

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
    this.#attempts.stop(call, attempt, graceMs)
  }

  /** Stops all that runs, and resolves when nothing does. */
  async stopAll(): Promise<void> {
    for (const call of this.#run.machine.graph.calls) {
      if (call?.phase === 'start' || call?.phase === 'execute') this.#attempts.stop(call.id, call.attempt, 0)
    }
    await this.#attempts.idle()
  }

  onEnd(id: AttemptId, end: AttemptEnd): void {
    this.#attempts.onEnd(id, end)
    if (this.#takers.size > 0) {
      this.#look()
      this.#awaitIdentities()
    }
    const { graph } = this.#run.machine
    if (graph.unneeded.length === 0) return
    const unneeded = graph.unneeded
    graph.unneeded = []
    for (const call of unneeded) this.#held.spare(call)
  }

  /**
   * While the first call of a task waits for what it is known by, what was submitted ahead would run and pile up
   * results: it waits too.
   */
  #awaitIdentities(): void {
    const { machine, ports, isOver } = this.#run
    const { graph } = machine
    if (this.#isAwaiting || graph.count('identify') === 0) return
    this.#isAwaiting = true
    this.hold(true)
    const look = (): void => {
      ports.clock.at(ports.clock.now() + identityMs, () => {
        if (isOver()) return
        if (graph.count('identify') > 0) return look()
        this.#isAwaiting = false
        this.hold(graph.slots.paused)
      })
    }
    look()
  }

  /** A function was given what the call gave: it may use it at any time. */
  given(call: number): void {
    const found = this.#run.machine.graph.calls[call]
    if (found !== undefined) found.kept = true
  }

  /** What was submitted ahead does not begin, or does again. */
  hold(held: boolean): void {
    for (const executor of this.#takers) executor.holdBack?.(this.#run.id, held)
  }

  /** The run is over: nothing that is held for it is needed any more. */
  releaseAll(): void {
    this.#held.releaseAll()
  }

  /** How many more the executors would have now, so that none of theirs waits for the engine. */
  #look(): void {
    let calls = 0
    for (const executor of this.#takers) calls = Math.max(calls, executor.ahead?.() ?? 0)
    const { size } = this.#policies
    if (calls === this.#window.calls && size === this.#window.kinds) return
    this.#window = { calls, kinds: size }
    this.#run.dispatch({ kind: 'window', window: { calls, policies: this.#policies } })
  }

  /** Held values died with their worker. */
  lose(handles: readonly number[]): void {
    const { calls, outcomes, dispatch } = this.#run
    const gone = new Set(handles)
    const lost: number[] = []
    for (const info of calls) {
      let isLost = false
      eachRef(outcomes.get(info.id)?.value, (ref) => {
        isLost ||= ref instanceof HeldRef && gone.has(ref.handle)
      })
      if (isLost) lost.push(info.id)
    }
    if (lost.length > 0) dispatch({ kind: 'gone', calls: lost })
  }

  /** An attempt was spent without an outcome. */
  spent(effect: Extract<Effect, { kind: 'spent' }>): void {
    const { calls, ports, recorder, listener } = this.#run
    const info = calls.get(effect.call)
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
    if (recorder.isFull) {
      // what was submitted ahead would run and pile up results whose consumers wait here
      this.hold(true)
      await recorder.room()
      this.hold(this.#run.machine.graph.slots.paused)
    }
    this.#isScheduled = false
    const starts = this.#starts
    this.#starts = []
    if (isOver()) return
    const shared = starts.filter(({ info }) => this.#sharings.isShared(info))
    if (shared.length === 0) return this.#begin(starts)
    // the others need not wait for the journal
    this.#begin(starts.filter(({ info }) => !this.#sharings.isShared(info)))
    this.#begin(await this.#claimed(shared))
  }

  /** Calls of a task whose executor takes attempts ahead may be started ahead from now on. */
  #expect(task: TaskSpec | undefined): void {
    if (task === undefined || this.#policies.has(task.policy)) return
    const executor = this.#attempts.executorFor(task)
    if (executor?.ahead === undefined) return
    this.#policies.add(task.policy)
    this.#takers.add(executor)
  }

  #begin(starts: readonly AttemptStart[]): void {
    const { outcomes, calls } = this.#run
    const { graph } = this.#run.machine
    const resolved: AttemptStart[] = []
    for (const start of starts) {
      try {
        const args = resolve(start.info.request.args, { outcomes, info: (call) => calls.get(call) })
        resolved.push({
          ...start,
          args: outcomes.current(args),
          behind: graph.slots.isAhead(graph.call(start.info.id)),
        })
        this.#expect(start.info.request.task)
      } catch (error) {
        this.#ended(start.info, start.attempt, {
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
      return await this.#sharings.claim(starts)
    } catch (error) {
      this.#run.abort(error)
      return []
    }
  }

  #ended(info: CallInfo, attempt: number, result: AttemptResult): void {
    const { ports, machine, dispatch, isOver } = this.#run
    if (isOver()) return
    if (result.kind !== 'kept') this.#sharings.end(info)
    const call = info.id
    const at = ports.clock.now()
    switch (result.kind) {
      case 'kept':
        return this.#kept(info, attempt, result.value)
      case 'failed': {
        info.lastError = result.error
        const { error, reason, retryable } = result
        const names = [error.type, error.code].filter((name) => name !== undefined)
        return dispatch({
          kind: 'failed',
          call,
          attempt,
          reason,
          names,
          retryable,
          at,
          chance: ports.chance.number(),
        })
      }
      case 'lost':
        info.lastError = result.error
        return dispatch({ kind: 'lost', call, attempt, at })
      case 'inputs-gone': {
        this.lose(result.handles)
        const { graph } = machine
        const gone = (graph.call(call).heldInputs ?? []).filter((id) => graph.call(id).lost)
        return dispatch({
          kind: 'deprived',
          call,
          attempt,
          gone,
          isOver: this.#isReplaced(info, result.handles),
        })
      }
      case 'cancelled':
        return dispatch({ kind: 'stopped', call, attempt })
    }
  }

  /** Is something of what was gone there again by now, made again for another call? */
  #isReplaced(info: CallInfo, handles: readonly number[]): boolean {
    const { outcomes, calls } = this.#run
    const now = new Set<number>()
    eachRef(
      outcomes.current(resolve(info.request.args, { outcomes, info: (id) => calls.get(id) })),
      (ref) => {
        if (ref instanceof HeldRef) now.add(ref.handle)
      },
    )
    return handles.some((handle) => !now.has(handle))
  }

  #kept(info: CallInfo, attempt: number, value: Value): void {
    const refused = (error: unknown): void => this.#refused(info, attempt, error)
    const done = (fit: Value): void => {
      const isWritten = info.request.task?.policy.persist === true && this.#run.outcomes.isHeld(fit)
      if (!isWritten) return this.#succeeded(info, attempt, fit)
      this.#persist(info, attempt, fit).catch(refused)
    }
    try {
      const checked = this.#checked(info, value)
      if (!(checked instanceof Promise)) return done(checked)
      checked.then(done).catch(refused)
    } catch (error) {
      refused(error)
    }
  }

  #checked(info: CallInfo, value: Value): Value | Promise<Value> {
    const { check } = info.request
    const checked = check === undefined ? value : check(value)
    if (checked instanceof Promise) return checked.then((fit) => this.#sharings.adopt(info, fit))
    return this.#sharings.adopt(info, checked)
  }

  /** What is to be written out at once has succeeded when it is. */
  async #persist(info: CallInfo, attempt: number, value: Value): Promise<void> {
    const copied = await this.#copies.copy(info, value)
    if (copied !== undefined) return this.#succeeded(info, attempt, copied)
    const error = errorRecord('ALM_WORKER_LOST', { why: 'its result was not written out in time' })
    this.#ended(info, attempt, { kind: 'lost', error })
  }

  /** A lost result comes from its copy; if that is gone, from another attempt. */
  async #restore(info: CallInfo, attempt: number, begin: () => void): Promise<void> {
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
    this.#ended(info, attempt, { kind: 'failed', reason: 'lost', error, retryable: false })
  }

  /** The result is not what was declared, or cannot be kept. */
  #refused(info: CallInfo, attempt: number, error: unknown): void {
    this.#sharings.end(info)
    info.lastError = recordOf(error)
    const names = [info.lastError.code]
    const at = this.#run.ports.clock.now()
    this.#run.dispatch({
      kind: 'failed',
      call: info.id,
      attempt,
      reason: 'outputs',
      names,
      retryable: false,
      at,
      chance: 0,
    })
  }

  /** A large value is kept before anybody is given it. */
  async #spill(info: CallInfo, attempt: number, value: Value, spilling: Promise<SpilledRef>): Promise<void> {
    try {
      this.#succeeded(info, attempt, value, await spilling)
    } catch (error) {
      if (!this.#run.isOver()) this.#refused(info, attempt, error)
    }
  }

  #succeeded(info: CallInfo, attempt: number, value: Value, spilledTo?: SpilledRef): void {
    const { machine, calls, outcomes, ports, dispatch } = this.#run
    const call = machine.graph.call(info.id)
    const isUnderWay = call.phase === 'start' || call.phase === 'execute' || call.phase === 'stop'
    if (attempt !== call.attempt || !isUnderWay) return
    let held = false
    let copied = true
    eachRef(value, (ref) => {
      if (!(ref instanceof HeldRef)) return
      held = true
      copied &&= ref.copy !== undefined
      calls.madeBy(ref.key, info)
    })
    // what cannot be kept is refused here, where the task is still to blame
    const wire = spilledTo === undefined ? encode(value) : ''
    const { length } = wire
    if (length > maxValueLength) {
      const why = `it is ${Math.ceil(length / 2 ** 20)} MiB as JSON, and ${maxValueLength / 2 ** 20} MiB may be kept as a value: leave it in a file output`
      return this.#refused(info, attempt, new AlmanacError('ALM_RESULT_REFUSED', { why }))
    }
    const spilling = spilled(value, wire, ports.data)
    if (spilling !== undefined) return void this.#spill(info, attempt, value, spilling)
    if (!call.lost) info.costMs = ports.clock.now() - info.startedAt
    outcomes.set(info.id, { value, ...(spilledTo && { spilled: spilledTo }) })
    dispatch({ kind: 'succeeded', call: info.id, attempt, held, copied: held && copied })
  }
}
