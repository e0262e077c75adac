import { Remembered } from '../core/identity/remembered.ts'
import type { Effect, RunEvent } from '../core/run/events.ts'
import { RunMachine } from '../core/run/machine.ts'
import { AlmanacError } from '../model/errors.ts'
import type { NoteType, RememberedCall } from '../model/records.ts'
import type { SourcePlace, TaskSpec } from '../model/task.ts'
import type { Value } from '../model/value.ts'
import type { AttemptEnd, AttemptId, AttemptNote, Executor, LogLine } from '../ports/executor.ts'
import type { Answer, CallRow, RunRequest } from '../ports/journal.ts'
import type { AttemptOwner } from './attempts/attempts-under-way.ts'
import { Execution } from './attempts/execution.ts'
import { unknownWork } from './attempts/unknown-work.ts'
import { callRecord, type NewCall } from './calls/call-info.ts'
import { CallTable } from './calls/call-table.ts'
import { executed, failedError } from './calls/ends.ts'
import { type KnownCall, knownCall } from './calls/known-call.ts'
import { Outcomes } from './calls/outcomes.ts'
import { unspilledNow } from './calls/spilled-values.ts'
import { DatasetCalls } from './datasets/dataset-calls.ts'
import { DocumentCalls, isDocumentCall } from './documents/document-calls.ts'
import { EnteredCalls } from './entered-calls.ts'
import { Delivery } from './host/delivery.ts'
import { RemoteFunctions } from './host/remote-functions.ts'
import { Turns } from './host/turns.ts'
import { Failures, ownFunction } from './host/uncaught.ts'
import { type HostedRun, type Settlement, WorkflowHost } from './host/workflow-host.ts'
import { Recall } from './identity/recall.ts'
import { MapCalls } from './maps/map-calls.ts'
import { Asks } from './messages/asks.ts'
import { Receives } from './messages/receives.ts'
import { Sends } from './messages/sends.ts'
import { Notes } from './notes/notes.ts'
import { Recorder } from './recorder.ts'
import type { RunContext, RunSnapshot } from './run-context.ts'
import { type DriverEnd, RunEnd } from './run-end.ts'
import type { RunLife } from './run-life.ts'
import { RunTimers } from './run-timers.ts'
import type { EnginePorts } from './settings.ts'
import { TimerCalls } from './timer-calls.ts'
import { checkDepth } from './triggers/depth.ts'
import { TriggerCalls } from './triggers/trigger-calls.ts'

/**
 * Drives one run: feeds what happens to the machine, and has the machine's effects carried out. It is one thing as its parts
 * know nothing of each other: what functions, people and executors say, and every effect, is handed on to them here.
 *
 * E1 all decisions are the machine's; every answer to an effect is an event.
 * E2 nothing is dispatched while an event is being applied: events queue.
 * E3 nothing is recorded after the journal failed, and the run then ends with that error.
 */
export class RunDriver implements HostedRun, AttemptOwner {
  readonly id: string
  readonly ended: Promise<DriverEnd>
  readonly remote: RemoteFunctions
  readonly #run: RunContext
  readonly #timers: RunTimers
  readonly #workflow: string
  readonly #turns: Turns
  readonly #recall: Recall
  readonly #execution: Execution
  readonly #entered: EnteredCalls
  readonly #delivery: Delivery
  readonly #maps: MapCalls
  readonly #asks: Asks
  readonly #receives: Receives
  readonly #datasets: DatasetCalls
  readonly #documents: DocumentCalls
  readonly #triggers: TriggerCalls
  readonly #host: WorkflowHost
  readonly #failures: Failures
  readonly #end: RunEnd
  #events: RunEvent[] = []
  #busy = false
  #isEndScheduled = false

  constructor(
    ports: EnginePorts,
    executors: readonly Executor[],
    life: RunLife,
    remembered: readonly RememberedCall[],
  ) {
    const { run } = life
    this.id = run.id
    this.#workflow = run.workflow
    this.#timers = new RunTimers(ports.clock)
    this.#run = this.#context(ports, life, new Remembered(remembered))
    const { machine, calls, notes, remembered: before } = this.#run
    const isHeld = () => this.#end.isOver || this.#awaitsReplay()
    this.#turns = new Turns(ports.clock, isHeld, this.#run.abort)
    const warn = ({ name }: TaskSpec, body: string) => notes.add({ type: 'warning', name, body })
    this.#execution = new Execution(this.#run, () => life.underWay.begin(this), executors, warn)
    this.#recall = new Recall(this.#run, (task) => this.#execution.leaves(task), warn)
    const functionOf = (call: number) => calls.functionAt(calls.get(call).caller) ?? ownFunction
    this.#failures = new Failures(machine.graph, functionOf)
    this.#delivery = new Delivery(this.#run, this.#turns, this.#failures)
    this.#host = new WorkflowHost(this, ports, this.#failures)
    this.#maps = this.#openMaps()
    this.#asks = this.#openAsks()
    const left: EnteredCalls['left'] = (info, status, error) => this.#entered.left(info, status, error)
    this.#datasets = new DatasetCalls(this.#run, before.shared, life.anew ?? new Set(), left)
    this.#documents = new DocumentCalls(this.#run, run.workflow, before.shared, left)
    this.#receives = new Receives(this.#run, { left, rested: () => this.#rested() })
    const { withOutcome } = this.#delivery
    this.#triggers = new TriggerCalls(this.#run, run, {
      left,
      withOutcome,
      begin: life.begin,
      find: life.find,
    })
    this.#entered = new EnteredCalls(this.#run, {
      host: this.#host,
      turns: this.#turns,
      maps: this.#maps,
      asks: this.#asks,
      receives: this.#receives,
      sends: new Sends(this.#run, left),
      rested: () => this.#rested(),
      datasets: this.#datasets,
      documents: this.#documents,
      triggers: this.#triggers,
      timers: new TimerCalls(this.#run, left),
      endOf: this.#delivery.endOf,
      failures: this.#failures,
    })
    this.#end = new RunEnd(this.#run, this.#failures, {
      isAtRest: () => this.#isAtRest(),
      look: life.look,
      stopAll: () => this.#execution.stopAll(),
      keepHeld: () => this.#execution.keepHeld(),
      figures: () => ({ ...this.snapshot(), planned: this.#execution.planned }),
      definedAt: () => this.#host.definedAt,
      stuckAt: async () => (await this.remote.stuckAt()) ?? this.#host.stuckAt(),
      unknown: () => unknownWork(this.#run, this.#delivery.awaited),
    })
    this.ended = this.#end.ended.then(async (end) => {
      this.#timers.close()
      await this.#execution.close()
      this.#datasets.release()
      return end
    })
    this.remote = new RemoteFunctions(this.ended, {
      code: ports.code,
      declare: (limits) => this.#execution.declare(limits),
      rested: () => this.#rested(),
    })
    if (run.state === 'cancelling') this.#end.state = 'cancelling'
  }

  /** Enters the workflow's function. */
  start(fn: (...args: never[]) => unknown, input: Value, definedAt?: SourcePlace): void {
    const settle = (settlement: Settlement): void => {
      if (this.#end.isOver) return
      this.#end.settlement = settlement
      if (!settlement.ok) this.#failures.threw(ownFunction, settlement.error)
      this.#dispatch({ kind: 'settled', ok: settlement.ok, failFast: this.#run.settings.failFast })
    }
    this.#host.enter(this.#workflow, fn, input, settle, this.#run.createdAt, definedAt)
    this.#end.checkRest()
  }

  // what functions ask

  call(call: NewCall): number {
    this.#recall.isGoingOn = true
    try {
      return this.#documents.through(call, (prepared) => this.#make(prepared))
    } finally {
      this.#recall.isGoingOn = false
      if (!this.#busy) this.#execution.goesOn()
    }
  }

  readonly outcome: HostedRun['outcome'] = (call, path, succeed, fail) => {
    this.#execution.given(call)
    this.#delivery.wait(call, { path, succeed, fail: this.#documents.heeding(call, fail) })
  }

  withdraw(timer: number): void {
    this.#entered.withdraw(this.#run.calls.get(timer))
  }

  note(_path: string, type: NoteType, name: string, body: Value): void {
    this.#run.notes.saidByFunction({ type, name, body })
  }

  // what people ask

  request(request: RunRequest): void {
    if (this.#end.isOver) return
    if (request.kind === 'cancel') return this.#dispatch({ kind: 'cancel' })
    // what is cancelled cleans up and ends, whatever else is asked of it
    if (this.#run.machine.graph.cancelling) return this.#end.changeState('cancelling')
    this.#end.changeState(request.kind === 'pause' ? 'paused' : 'running')
    this.#dispatch({ kind: request.kind })
  }

  answer(answer: Answer): void {
    if (!this.#end.isOver) this.#asks.answer(answer)
  }

  /** Looks for messages that came meanwhile. */
  async look(): Promise<void> {
    if (!this.#end.isOver) await this.#receives.look()
  }

  /** What people said before this life of the run has come. */
  answersKnown(): void {
    if (!this.#end.isOver) this.#asks.answersKnown()
  }

  /** The process goes, and the run stays as it is in the journal. */
  leave(): void {
    void this.#end.abort(new AlmanacError('ALM_CANCELLED', { by: ', as its process ends' }))
  }

  /** A call as it is known by now: with its arguments, where all of its inputs have succeeded. */
  known(row: CallRow): KnownCall | undefined {
    return knownCall(this.#run, row)
  }

  /** Counts of calls by state, now: cheap enough to ask ten times a second. */
  snapshot(): RunSnapshot {
    const figures = this.#delivery.figures(this.#maps.unmade)
    const carried = this.#run.settings.dryRun ? this.#maps.carried : 0
    const { titles } = this.#asks
    return { state: this.#end.state, ...figures, reused: figures.reused + carried, asks: titles }
  }

  // what executors say

  onStarted(id: AttemptId): void {
    const found = this.#execution.info(id)
    if (found === undefined) return
    // what it waited for in the executor is no cost of its own
    if (this.#run.isIn(found.info, 'start')) found.info.startedAt = this.#run.ports.clock.now()
    this.#dispatch({ kind: 'started', call: found.info.id, attempt: found.attempt })
  }

  onLog(id: AttemptId, lines: readonly LogLine[]): void {
    const found = this.#execution.info(id)
    if (found === undefined) return
    const { info, attempt, staged } = found
    this.#run.ports.logs.write(this.id, info.id, attempt, staged?.redaction?.lines(lines) ?? lines)
  }

  onNote(id: AttemptId, note: AttemptNote): void {
    const found = this.#execution.info(id)
    if (found === undefined) return
    const { info, attempt, staged } = found
    const taking = this.#run.notes.said(note, staged?.redaction, { call: info.id, attempt })
    if (taking !== undefined) this.#execution.taking(id, taking)
  }

  onEnded(id: AttemptId, end: AttemptEnd): void {
    this.#execution.onEnd(id, end)
  }

  onHeldLost(handles: readonly number[]): void {
    this.#execution.lose(handles)
  }

  #context(ports: EnginePorts, life: RunLife, remembered: Remembered): RunContext {
    const { settings, listener, work, earlierNotes } = life
    const { id, state, createdAt } = life.run
    // nothing is executed, so that nothing waits for a place
    const { cpu, memoryBytes } = settings.dryRun ? { cpu: Infinity, memoryBytes: Infinity } : settings
    const machine = new RunMachine({ cpu, memoryBytes }, remembered.nextOrder)
    const isCancelled = state === 'cancelling'
    if (isCancelled) machine.apply({ kind: 'was-cancelled' })
    const journal = settings.dryRun ? { append: () => Promise.resolve() } : ports.journal
    const recorder = new Recorder(journal, id, ports.clock, {
      committed: (order) => this.#dispatch({ kind: 'committed', order }),
      failed: (error) => void this.#end.abort(error),
    })
    const calls = new CallTable(ports.hash, remembered, isCancelled)
    return {
      id,
      createdAt,
      ports,
      settings,
      listener,
      machine,
      remembered,
      recorder,
      notes: new Notes({ recorder, listener, ports }, earlierNotes),
      work,
      calls,
      outcomes: new Outcomes(ports.hash, (ref) => unspilledNow(ref, ports.data), calls.heldKey),
      dispatch: (event) => this.#dispatch(event),
      isOver: () => this.#end.isOver,
      at: (time, wake) => this.#timers.at(time, wake),
      isIn: (info, phase) => !this.#end.isOver && machine.graph.call(info.id).phase === phase,
      abort: (error) => void this.#end.abort(error),
    }
  }

  #openMaps(): MapCalls {
    const { ports, settings, outcomes, calls, recorder, machine, notes } = this.#run
    return new MapCalls(ports, settings, outcomes, {
      calls,
      notes,
      make: (entry) => this.#make(entry),
      endOf: (call) => machine.graph.calls.find(call)?.end,
      expanded: (call) => this.#dispatch({ kind: 'expanded', call }),
      left: (info, status, error) => this.#entered.left(info, status, error),
      givenUp: () => Number(machine.graph.cancelling) + 2 * Number(machine.graph.draining),
      add: (record) => recorder.add(record),
    })
  }

  #openAsks(): Asks {
    const { ports, outcomes, recorder, listener, isIn, at } = this.#run
    return new Asks(ports.clock, {
      at,
      add: (record) => recorder.add(record),
      asked: (ask) => listener.asked?.(ask),
      answered: (info, value, error) => {
        if (!isIn(info, 'entered')) return
        outcomes.set(info.id, error === undefined ? { value } : { error })
        this.#entered.left(info, error === undefined ? executed : failedError, error)
      },
      judged: (call, verdict) => this.#dispatch({ kind: 'judged', call, verdict }),
    })
  }

  #make(call: NewCall): number {
    const { calls, recorder, ports } = this.#run
    const { kind, task } = call.request
    if (this.#end.isOver) throw new AlmanacError('ALM_CANCELLED', { by: ', as the run has ended' })
    if (kind === 'ask' || kind === 'callback') this.#asks.checkKey(call)
    if (kind === 'receive') this.#receives.checkKey(call)
    if (kind === 'child' || kind === 'trigger') checkDepth(call, this.#run.settings.depth, this.#triggers)
    this.#execution.expect(call.request)
    const { info, made, plain } = calls.make(call, ports.clock.now())
    const { id } = info
    this.#delivery.made(call.request)
    if (task !== undefined) this.#recall.expect(task)
    if (isDocumentCall(kind)) this.#documents.made(call, id)
    if (kind === 'trigger') this.#triggers.areUsed = true
    if (info.own === undefined) recorder.add(callRecord(info, plain, call.key !== undefined))
    this.#dispatch(made)
    return id
  }

  #dispatch(event: RunEvent): void {
    if (this.#end.isOver) return
    if (this.#busy) return void this.#events.push(event)
    this.#busy = true
    try {
      this.#apply(event)
      // more come while it goes on; taking them off the front would move all the others each time
      for (const next of this.#events) this.#apply(next)
    } catch (error) {
      void this.#end.abort(error)
    } finally {
      if (this.#events.length > 0) this.#events = []
      this.#busy = false
    }
    this.#execution.follow()
    this.#rested()
  }

  #apply(event: RunEvent): void {
    const { machine, listener } = this.#run
    machine.apply(event)
    listener.applied?.(event, machine, this.#run)
    for (const effect of machine.drain()) this.#carryOut(effect)
  }

  /** Somebody may go on now, or nobody. */
  #rested(): void {
    this.#turns.schedule()
    if (this.#run.machine.isDone) this.#checkEnd()
    this.#end.checkRest()
  }

  #carryOut(effect: Effect): void {
    const { calls, settings } = this.#run
    switch (effect.kind) {
      case 'identify':
        return this.#recall.identify(calls.get(effect.call))
      case 'lookup':
        return void this.#recall.lookup(calls.get(effect.call))
      case 'start':
        return this.#execution.start(calls.get(effect.call), effect.attempt, effect.memoryBytes)
      case 'stop':
        return this.#execution.stop(effect.call, effect.attempt, settings.graceMs)
      case 'admission':
        return this.#execution.admission(effect)
      case 'enter':
        return this.#entered.enter(calls.get(effect.call))
      case 'gather':
        return void this.#maps.gather(calls.get(effect.call))
      case 'wake':
        return void this.#timers.at(effect.at, () => this.#dispatch({ kind: 'woke', call: effect.call }))
      case 'judge':
        return this.#asks.judge(calls.get(effect.call))
      case 'spent':
        return this.#execution.spent(effect)
      case 'ended':
        this.#delivery.ended(effect)
        if (this.#triggers.areUsed && calls.request(effect.call).kind === 'trigger')
          this.#triggers.ended(calls.get(effect.call), effect.status)
        return this.#maps.ended(effect.call, effect.status.state === 'cancelled')
      case 'cancelling':
        this.#execution.stopping(effect.stopped)
        this.remote.cancelled()
        this.#end.changeState('cancelling')
        // the ends of all calls at once: the journal writes them while they are given to the function
        return this.#run.recorder.flush()
      case 'rebuilt':
      case 'release':
        return
      case 'finish':
        return void this.#end.finish(effect.unseen)
    }
  }

  /** The run ends when everything has been given and no function goes on with it. */
  #checkEnd(): void {
    if (this.#isEndScheduled) return
    this.#isEndScheduled = true
    this.#run.ports.clock.atRest(() => {
      this.#isEndScheduled = false
      if (this.#turns.size === 0) this.#dispatch({ kind: 'rested' })
    })
  }

  /** Could an outcome of a lower order still turn up, from what is being looked up? */
  #awaitsReplay(): boolean {
    const { remembered, machine } = this.#run
    return (
      this.#entered.replayedViews > 0 ||
      (remembered.unclaimed > 0 && (this.remote.areAtWork || machine.graph.count('identify') > 0))
    )
  }

  #isAtRest(): boolean {
    const { machine, settings } = this.#run
    const { graph } = machine
    if (this.remote.areAtWork || this.#entered.isBusy || this.#turns.size > 0) return false
    const isBusy =
      this.#execution.hasStarts || this.#maps.isBusy || this.#asks.isBusy || this.#receives.isBusy
    if (settings.dryRun)
      return !isBusy && graph.count('identify') + graph.count('lookup') + graph.count('gate') === 0
    return !machine.isDone && machine.isResting && !isBusy
  }
}
