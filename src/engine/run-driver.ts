import { eachRef } from '../core/identity/canonical.ts'
import { CallKeys } from '../core/identity/key.ts'
import { isKeptResult, Remembered } from '../core/identity/remembered.ts'
import type { EndStatus, Phase } from '../core/run/call.ts'
import type { Effect, RunEvent } from '../core/run/events.ts'
import { RunMachine } from '../core/run/machine.ts'
import { AlmanacError, errorRecord } from '../model/errors.ts'
import { decode, encode } from '../model/codec.ts'
import { DirRef, FileRef, FutureRef, HeldRef } from '../model/refs.ts'
import type { AskRecord, ErrorRecord, Note, RememberedCall, RunRecord } from '../model/records.ts'
import type { CallState, RunState } from '../model/states.ts'
import type { TaskPolicy, TaskSpec } from '../model/task.ts'
import type { Path } from '../model/path.ts'
import type { Value } from '../model/value.ts'
import type { CallRequest } from '../ports/caller.ts'
import type { AttemptEnd, AttemptId, AttemptNote, Executor, LogLine } from '../ports/executor.ts'
import type { Answer, CallRow, RunRequest } from '../ports/journal.ts'
import { Asks } from './asks.ts'
import { type AttemptResult, Attempts, type AttemptStart } from './attempts.ts'
import type { CallInfo } from './call-info.ts'
import { recordOf } from './failure.ts'
import { Identifier, type Identity } from './identifier.ts'
import { MapCalls } from './map-calls.ts'
import { Outcomes } from './outcomes.ts'
import { keptResult, outcomeRecords } from './outcome-records.ts'
import { Recorder } from './recorder.ts'
import type { EnginePorts, PlannedCall, RunResult, RunSettings } from './settings.ts'
import { Turns } from './turns.ts'
import { Failures, ownFunction } from './uncaught.ts'
import { computeView, resolve } from './views.ts'
import { type HostedRun, type Settlement, WorkflowHost } from './workflow-host.ts'

/** What is told about a run while it goes on. */
export interface RunListener {
  /** The machine has applied an event: for simulation. */
  applied?(event: RunEvent, machine: RunMachine): void
  failed?(info: CallInfo, error: ErrorRecord, attempt: number, final: boolean): void
  noted?(note: Note): void
  asked?(ask: AskRecord): void
}

/**
 * Drives one run: feeds what happens to the machine, and carries out what the machine wants.
 *
 * E1 all decisions are the machine's; every answer to an effect is an event.
 * E2 nothing is dispatched while an event is being applied: events queue.
 * E3 nothing is recorded after the journal failed, and the run then ends with that error.
 */
export class RunDriver implements HostedRun {
  readonly id: string
  readonly #ports: EnginePorts
  readonly #settings: RunSettings
  readonly #listener: RunListener
  /** for what people asked and answered meanwhile */
  readonly #look: () => Promise<void>
  readonly #machine: RunMachine
  readonly #keys: CallKeys
  readonly #remembered: Remembered
  readonly #infos: CallInfo[] = []
  readonly #outcomes: Outcomes
  readonly #turns: Turns
  readonly #recorder: Recorder
  readonly #identifier: Identifier
  readonly #attempts: Attempts
  readonly #maps: MapCalls
  readonly #asks: Asks
  readonly #host: WorkflowHost
  readonly #failures: Failures
  /** calls with a function, by the path of what that calls */
  readonly #functions = new Map<string, number>()
  readonly #given = new Set<number>()
  readonly #waiters = new Map<
    number,
    { readonly path: Path; succeed(value: Value): void; fail(error: unknown): void }[]
  >()
  readonly #events: RunEvent[] = []
  readonly #planned: PlannedCall[] = []
  readonly #ended: Partial<Record<CallState, number>> = {}
  readonly #workflow: string
  #starts: AttemptStart[] = []
  #nextCall: number
  #views = 0
  /** views under way whose place in the order is remembered */
  #replayedViews = 0
  /** calls that have made held values, by the key that the values bear */
  readonly #makers = new Map<string, number>()
  /** remembered outcomes that have not been given back */
  #replaying: number
  #busy = false
  #startsScheduled = false
  #endScheduled = false
  #restCheck: { readonly forPeople: boolean; readonly cancel: () => void } | undefined
  #settlement: Settlement | undefined
  #executed = 0
  #reused = 0
  #state: RunState = 'running'
  #done: ((result: DriverEnd) => void) | undefined
  #over = false
  readonly ended: Promise<DriverEnd>

  constructor(
    ports: EnginePorts,
    run: RunRecord,
    settings: RunSettings,
    remembered: readonly RememberedCall[],
    executors: readonly Executor[],
    listener: RunListener,
    life: { readonly number: number; readonly look: () => Promise<void> },
  ) {
    this.#look = life.look
    this.id = run.id
    this.#workflow = run.workflow
    this.#ports = ports
    this.#settings = settings
    this.#listener = listener
    this.#remembered = new Remembered(remembered)
    this.#replaying = remembered.reduce((n, call) => n + (call.outcome === undefined ? 0 : 1), 0)
    this.#nextCall = this.#remembered.nextCall
    this.#machine = new RunMachine(
      { cpu: settings.cpu, memoryBytes: settings.memoryBytes },
      this.#remembered.nextOrder,
    )
    this.#keys = new CallKeys(ports.hash)
    this.#outcomes = new Outcomes(ports.hash)
    this.#turns = new Turns(ports.clock, () => this.#over || this.#awaitsReplay())
    const journal = settings.dryRun ? { append: () => Promise.resolve() } : ports.journal
    this.#recorder = new Recorder(journal, run.id, ports.clock, {
      committed: (order) => this.#dispatch({ kind: 'committed', order }),
      failed: (error) => void this.#abort(error),
    })
    this.#identifier = new Identifier(
      ports,
      this.#outcomes,
      (call) => this.#info(call).request.name,
      (task, warning) => this.#warn(task, warning),
    )
    this.#attempts = new Attempts(
      ports,
      run.id,
      life.number,
      executors,
      (info, attempt, result) => void this.#attemptEnded(info, attempt, result),
    )
    this.#maps = new MapCalls(ports, settings, this.#outcomes, {
      info: (call) => this.#info(call),
      makeEntry: (map, path, key, request) => this.#make(path, request, { parent: map.id, entry: key }),
      expanded: (call) => this.#dispatch({ kind: 'expanded', call }),
      left: (info, status, error) => this.#left(info, status, error),
      add: (record) => this.#recorder.add(record),
    })
    this.#asks = new Asks(ports.clock, {
      add: (record) => this.#recorder.add(record),
      asked: (ask) => this.#listener.asked?.(ask),
      answered: (info, value, error) => {
        if (!this.#machineIs(info, 'entered')) return
        this.#outcomes.set(info.id, error === undefined ? { value } : { error })
        this.#left(info, error === undefined ? executed : failedError, error)
      },
      judged: (call, verdict) => this.#dispatch({ kind: 'judged', call, verdict }),
    })
    this.#host = new WorkflowHost(this, ports.ambient)
    this.#failures = new Failures(
      this.#machine.graph,
      (call) => this.#functions.get(this.#info(call).caller) ?? ownFunction,
    )
    this.ended = new Promise((done) => {
      this.#done = done
    })
  }

  /** Enters the workflow's function. */
  start(fn: (...args: never[]) => unknown, input: Value): void {
    this.#host.enter(this.#workflow, fn, input, (settlement) => {
      if (this.#over) return
      this.#settlement = settlement
      if (!settlement.ok) this.#failures.threw(ownFunction, settlement.error)
      this.#dispatch({ kind: 'settled', ok: settlement.ok, failFast: this.#settings.failFast })
    })
    this.#checkRest()
  }

  // --- what functions ask (HostedRun)

  call(callerPath: string, request: CallRequest): number {
    return this.#make(callerPath, request, {})
  }

  outcome(call: number, path: Path, succeed: (value: Value) => void, fail: (error: unknown) => void): void {
    const waiter = { path, succeed, fail }
    const end = this.#machine.graph.calls[call]?.end
    if (end !== undefined && end.state !== 'succeeded') this.#dispatch({ kind: 'observed', call })
    if (this.#given.has(call)) {
      this.#give(call, waiter)
      return
    }
    const waiters = this.#waiters.get(call)
    if (waiters === undefined) this.#waiters.set(call, [waiter])
    else waiters.push(waiter)
  }

  note(_path: string, type: 'event' | 'metric' | 'artifact' | 'progress', name: string, body: Value): void {
    // while the function is taken through what it did before, it has said this already
    if (this.#isReplaying) return
    this.#addNote({ kind: 'note', type, name, bodyWire: encode(body), at: this.#ports.clock.now() })
  }

  // --- what people ask

  request(request: RunRequest): void {
    if (this.#over) return
    const isCancelling = request.kind === 'cancel' || this.#machine.graph.cancelling
    this.#changeState(isCancelling ? 'cancelling' : request.kind === 'pause' ? 'paused' : 'running')
    // what is cancelled cleans up and ends, whatever else is asked of it
    if (request.kind === 'cancel' || !isCancelling) this.#dispatch({ kind: request.kind })
  }

  answer(answer: Answer): void {
    if (!this.#over) this.#asks.answer(answer)
  }

  /** A call as it is known by now: with its arguments, where all of its inputs have succeeded. */
  known(row: CallRow): KnownCall | undefined {
    const info = this.#infos[row.call] ?? this.#entryOf(row)
    if (info === undefined) return undefined
    const { graph } = this.#machine
    const missing = graph.calls[row.call]?.inputs.find((id) => graph.call(id).end?.state !== 'succeeded')
    if (missing !== undefined) return { info, missing: this.#info(missing).request.name }
    return {
      info,
      args: resolve(info.request.args, { outcomes: this.#outcomes, info: (id) => this.#info(id) }),
    }
  }

  /** An entry of a map that was remembered as a whole: no call of this life. */
  #entryOf(row: CallRow): CallInfo | undefined {
    const map = this.#infos.find((info) => info?.request.kind === 'map' && info.path === row.caller)
    if (row.call_kind !== 'entry' || map === undefined) return undefined
    const { key, caller, at: madeAt } = row
    return { ...map, id: row.call, key, caller, madeAt, request: { ...map.request, kind: 'entry', args: decode(row.argsWire) } }
  }

  /** Counts of calls by state, now: cheap enough to ask ten times a second. */
  snapshot(): {
    readonly state: RunState
    readonly counts: Partial<Record<CallState, number>>
    readonly executed: number
    readonly reused: number
  } {
    const { graph } = this.#machine
    const running = graph.count('start') + graph.count('execute') + graph.count('stop')
    const waiting = graph.size - graph.count('ended') - running
    return {
      state: this.#state,
      counts: { ...this.#ended, waiting, running },
      executed: this.#executed,
      reused: this.#reused,
    }
  }

  // --- what executors say

  onStarted(id: AttemptId): void {
    const found = this.#attempts.info(id)
    if (found !== undefined) this.#dispatch({ kind: 'started', call: found.info.id, attempt: found.attempt })
  }

  onLog(id: AttemptId, lines: readonly LogLine[]): void {
    const found = this.#attempts.info(id)
    if (found !== undefined) this.#ports.logs.write(this.id, found.info.id, found.attempt, lines)
  }

  onNote(id: AttemptId, note: AttemptNote): void {
    const found = this.#attempts.info(id)
    if (found === undefined) return
    const { type, name, body } = note
    this.#addNote({
      kind: 'note',
      call: found.info.id,
      attempt: found.attempt,
      type,
      name,
      bodyWire: encode(body),
      at: this.#ports.clock.now(),
    })
  }

  onEnded(id: AttemptId, end: AttemptEnd): void {
    this.#attempts.onEnd(id, end)
  }

  onHeldLost(handles: readonly number[]): void {
    const gone = new Set(handles)
    const calls: number[] = []
    for (const info of this.#infos) {
      let lost = false
      if (info !== undefined)
        eachRef(this.#outcomes.get(info.id)?.value, (ref) => {
          lost ||= ref instanceof HeldRef && gone.has(ref.handle)
        })
      if (lost) calls.push(info.id)
    }
    if (calls.length > 0) this.#dispatch({ kind: 'gone', calls })
  }

  // --- making calls

  #make(
    caller: string,
    request: CallRequest,
    of: { readonly parent?: number; readonly entry?: string },
  ): number {
    const { name, kind } = request
    if (this.#over) throw new AlmanacError('ALM_CANCELLED', { by: ', as the run has ended' })
    const inputs = new Set<number>()
    eachRef(request.args, (ref) => {
      if (ref instanceof FutureRef) inputs.add(ref.call)
    })
    if (kind === 'ask') this.#asks.checkKey(caller, request)
    const key = this.#keys.key(
      { caller, name: `${kind} ${name}`, key: request.key, args: request.args },
      (call) => this.#info(call).key,
    )
    const own = this.#remembered.made(key)
    const id = own?.call ?? this.#nextCall++
    const at = own?.at ?? this.#ports.clock.now()
    const info: CallInfo = {
      id,
      key,
      caller,
      request,
      own,
      madeAt: at,
      entry: of.entry,
      path: kind === 'child' || kind === 'map' ? this.#keys.path(caller, name, request.key) : caller,
      fingerprint: undefined,
      parts: undefined,
      basis: '',
      cacheable: false,
      verdict: '',
      startedAt: at,
      costMs: 0,
      origin: undefined,
      lastError: undefined,
      map: undefined,
      takenFrom: undefined,
    }
    this.#infos[id] = info
    this.#makers.set(key, id)
    if (kind === 'child') this.#functions.set(info.path, id)
    if (own === undefined) {
      this.#recorder.add({
        kind: 'call',
        call: id,
        key,
        caller,
        name,
        call_kind: kind,
        argsWire: encode(request.args),
        at,
      })
    }
    this.#dispatch({
      kind: 'made',
      call: id,
      key,
      callKind: kind,
      inputs: [...inputs],
      policy: request.task?.policy ?? builtInPolicy,
      parent: of.parent,
      tolerant: request.tolerant === true,
      order: own?.outcome?.order,
      attempts: own === undefined ? 0 : Math.max(0, ...own.attempts.map((attempt) => attempt.attempt)),
      spent:
        own?.attempts.filter((attempt) => attempt.phase === 'failed' && attempt.spent !== false).length ?? 0,
    })
    return id
  }

  #info(call: number): CallInfo {
    const info = this.#infos[call]
    if (info === undefined) throw new AlmanacError('ALM_BUG', { why: `there is no call ${call}` })
    return info
  }

  // --- the loop

  #dispatch(event: RunEvent): void {
    if (this.#over) return
    this.#events.push(event)
    if (this.#busy) return
    this.#busy = true
    try {
      // more come while it goes on; taking them off the front would move all the others each time
      for (const applied of this.#events) {
        this.#machine.apply(applied)
        this.#listener.applied?.(applied, this.#machine)
        for (const effect of this.#machine.drain()) this.#carryOut(effect)
      }
    } catch (error) {
      void this.#abort(error)
    } finally {
      this.#events.length = 0
      this.#busy = false
    }
    this.#turns.schedule()
    this.#checkEnd()
    this.#checkRest()
  }

  /** The run ends when everything has been given and no function goes on with it. */
  #checkEnd(): void {
    if (this.#endScheduled || !this.#machine.isDone) return
    this.#endScheduled = true
    this.#ports.clock.atRest(() => {
      this.#endScheduled = false
      if (this.#turns.size === 0) this.#dispatch({ kind: 'rested' })
    })
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'identify':
        return this.#identify(this.#info(effect.call))
      case 'lookup':
        return void this.#lookup(this.#info(effect.call))
      case 'start':
        return this.#start(this.#info(effect.call), effect.attempt, effect.memoryBytes)
      case 'stop':
        return this.#attempts.stop(effect.call, effect.attempt, this.#settings.graceMs)
      case 'enter':
        return this.#enter(this.#info(effect.call))
      case 'gather':
        return void this.#maps.gather(this.#info(effect.call))
      case 'wake':
        this.#ports.clock.at(effect.at, () => this.#dispatch({ kind: 'woke', call: effect.call }))
        return
      case 'judge':
        return this.#asks.judge(this.#info(effect.call))
      case 'spent':
        return this.#spent(effect)
      case 'ended':
        return this.#callEnded(effect)
      case 'rebuilt':
      case 'release':
        return
      case 'finish':
        return void this.#finish(effect.unseen)
    }
  }

  // --- what is it known by?

  #identify(info: CallInfo): void {
    try {
      const identity = this.#identifier.identify(info, info.request.args)
      if (!(identity instanceof Promise)) return this.#identified(info, identity)
      identity.then(
        (known) => this.#identified(info, known),
        (error: unknown) => this.#refused(info, error),
      )
    } catch (error) {
      this.#refused(info, error)
    }
  }

  #refused(info: CallInfo, error: unknown): void {
    info.lastError = recordOf(error)
    this.#dispatch({ kind: 'refused', call: info.id })
  }

  #identified(info: CallInfo, identity: Identity): void {
    info.fingerprint = identity.fingerprint
    info.parts = identity.parts
    info.basis = identity.basis
    info.cacheable = identity.cacheable
    // cancelled meanwhile: it must not take what others could
    if (!this.#machineIs(info, 'identify')) return
    const found = this.#remembered.claim(info.own, info.caller, info.request.name, identity.fingerprint)
    if (found?.outcome === undefined) return this.#unremembered(info, identity)
    const value = found.outcome.valueWire === undefined ? undefined : decode(found.outcome.valueWire)
    const missing = this.#missing(value)
    if (missing === undefined) return this.#take(info, identity, found, value)
    missing.then(
      (gone) => (gone ? this.#unremembered(info, identity) : this.#take(info, identity, found, value)),
      (error: unknown) => this.#refused(info, error),
    )
  }

  /** Are files of a value gone from the store? Undefined where it has none. */
  #missing(value: Value): Promise<boolean> | undefined {
    const refs: (FileRef | DirRef)[] = []
    eachRef(value, (ref) => {
      if (ref instanceof FileRef || ref instanceof DirRef) refs.push(ref)
    })
    if (refs.length === 0) return undefined
    return Promise.all(refs.map((ref) => this.#ports.data.available(ref))).then((there) =>
      there.includes(false),
    )
  }

  #take(info: CallInfo, identity: Identity, found: RememberedCall, value: Value): void {
    if (!this.#machineIs(info, 'identify')) return
    const outcome = found.outcome as NonNullable<RememberedCall['outcome']>
    let held = false
    eachRef(value, (ref) => {
      if (!(ref instanceof HeldRef)) return
      held = true
      this.#makers.set(ref.key, info.id)
    })
    const isKept = isKeptResult(outcome)
    const error = isKept ? undefined : outcome.error
    this.#outcomes.set(info.id, { value, ...(error !== undefined && { error }) }, outcome.digest)
    info.lastError = error
    info.costMs = outcome.costMs
    info.map = outcome.map
    info.takenFrom = found === info.own ? undefined : found.call
    info.origin = found === info.own ? outcome.origin : { run: this.id, call: found.call }
    const status = isKept || (found !== info.own && outcome.state === 'succeeded') ? replayed : outcome
    this.#dispatch({
      kind: 'remembered',
      call: info.id,
      status: { state: status.state, reason: status.reason } as EndStatus,
      // the order is that of the skip, not of the result
      order: isKept ? undefined : outcome.order,
      own: found === info.own,
      lost: held,
      heldInputs: this.#heldInputs(identity),
    })
  }

  /** The calls that an attempt needs the held results of. */
  #heldInputs({ heldKeys }: Identity): readonly number[] | undefined {
    if (heldKeys.length === 0) return undefined
    return [...new Set(heldKeys.flatMap((key) => this.#makers.get(key) ?? []))]
  }

  #unremembered(info: CallInfo, identity: Identity): void {
    const { task, kind } = info.request
    const executor = task === undefined ? undefined : this.#attempts.executorFor(task)
    const lookup = identity.cacheable && kind !== 'map' && this.#settings.cache === 'on'
    info.verdict = identity.cacheable
      ? this.#settings.cache === 'on'
        ? 'miss'
        : this.#settings.cache
      : 'off'
    this.#dispatch({
      kind: 'identified',
      call: info.id,
      lookup,
      heldInputs: this.#heldInputs(identity),
      afterCommit: task?.policy.effect === true || executor?.afterCommit === true,
    })
  }

  async #lookup(info: CallInfo): Promise<void> {
    try {
      const cache = info.request.task?.policy.cache
      const notBefore = typeof cache === 'object' ? this.#ports.clock.now() - cache.forMs : 0
      const hit = await this.#ports.cache.find(info.fingerprint as string, notBefore)
      const value = hit === undefined ? undefined : decode(hit.valueWire)
      if (hit === undefined || (await this.#missing(value)) === true) {
        return this.#dispatch({ kind: 'missed', call: info.id })
      }
      if (!this.#machineIs(info, 'lookup')) return
      this.#outcomes.set(info.id, { value }, hit.digest)
      info.origin = { run: hit.run, call: hit.call }
      info.costMs = hit.costMs
      info.verdict = 'hit'
      this.#dispatch({ kind: 'hit', call: info.id })
    } catch (error) {
      void this.#abort(error)
    }
  }

  // --- attempts

  #start(info: CallInfo, attempt: number, memoryBytes: number): void {
    info.startedAt = this.#ports.clock.now()
    if (this.#settings.dryRun) {
      this.#planned.push({
        call: info.id,
        name: info.request.name,
        why: info.own?.outcome === undefined ? 'new' : 'changed',
      })
      return
    }
    if (info.request.task?.policy.effect === true) {
      this.#recorder.add({
        kind: 'attempt',
        call: info.id,
        attempt,
        phase: 'started',
        startedAt: info.startedAt,
        at: info.startedAt,
      })
    }
    this.#starts.push({ info, attempt, memoryBytes, args: undefined })
    if (this.#startsScheduled) return
    this.#startsScheduled = true
    queueMicrotask(() => void this.#submit())
  }

  async #submit(): Promise<void> {
    if (this.#recorder.isFull) await this.#recorder.room()
    this.#startsScheduled = false
    const starts = this.#starts
    this.#starts = []
    if (this.#over) return
    const sources = { outcomes: this.#outcomes, info: (call: number) => this.#info(call) }
    const resolved: AttemptStart[] = []
    for (const start of starts) {
      try {
        resolved.push({ ...start, args: this.#outcomes.current(resolve(start.info.request.args, sources)) })
      } catch (error) {
        void this.#attemptEnded(start.info, start.attempt, {
          kind: 'failed',
          reason: 'error',
          error: recordOf(error),
          retryable: false,
        })
      }
    }
    this.#attempts.begin(resolved)
  }

  async #attemptEnded(info: CallInfo, attempt: number, result: AttemptResult): Promise<void> {
    if (this.#over) return
    const { clock, chance } = this.#ports
    const call = info.id
    try {
      switch (result.kind) {
        case 'kept': {
          const checked =
            info.request.check === undefined ? result.value : await info.request.check(result.value)
          return this.#succeeded(info, attempt, checked)
        }
        case 'failed': {
          info.lastError = result.error
          const { error, reason, retryable } = result
          const names = [error.type, error.code].filter((name) => name !== undefined)
          return this.#dispatch({
            kind: 'failed',
            call,
            attempt,
            reason,
            names,
            retryable,
            at: clock.now(),
            chance: chance.number(),
          })
        }
        case 'lost':
          info.lastError = result.error
          return this.#dispatch({ kind: 'lost', call, attempt, at: clock.now() })
        case 'inputs-gone': {
          this.onHeldLost(result.handles)
          const gone = this.#machine.graph.call(call).heldInputs ?? []
          return this.#dispatch({
            kind: 'deprived',
            call,
            attempt,
            gone: gone.filter((id) => this.#machine.graph.call(id).lost),
          })
        }
        case 'cancelled':
          return this.#dispatch({ kind: 'stopped', call, attempt })
      }
    } catch (error) {
      info.lastError = recordOf(error)
      this.#dispatch({
        kind: 'failed',
        call,
        attempt,
        reason: 'outputs',
        names: [info.lastError.code],
        retryable: false,
        at: clock.now(),
        chance: 0,
      })
    }
  }

  #succeeded(info: CallInfo, attempt: number, value: Value): void {
    const call = this.#machine.graph.call(info.id)
    // given up meanwhile: its value must not take the place of another attempt's
    if (
      attempt !== call.attempt ||
      !(call.phase === 'start' || call.phase === 'execute' || call.phase === 'stop')
    )
      return
    let held = false
    eachRef(value, (ref) => {
      held ||= ref instanceof HeldRef
    })
    encode(value)
    if (!call.lost) info.costMs = this.#ports.clock.now() - info.startedAt
    this.#outcomes.set(info.id, { value }, call.lost ? this.#outcomes.digest(info.id) : undefined)
    this.#dispatch({ kind: 'succeeded', call: info.id, attempt, held })
  }

  #spent(effect: Extract<Effect, { kind: 'spent' }>): void {
    const info = this.#info(effect.call)
    const error = info.lastError
    this.#recorder.add({
      kind: 'attempt',
      call: effect.call,
      attempt: effect.attempt,
      phase: 'failed',
      reason: effect.reason,
      spent: effect.counted,
      ...(error !== undefined && { error }),
      startedAt: info.startedAt,
      at: this.#ports.clock.now(),
    })
    if (error !== undefined) this.#listener.failed?.(info, error, effect.attempt, false)
  }

  // --- what is entered

  #enter(info: CallInfo): void {
    const { kind } = info.request
    switch (kind) {
      case 'child': {
        const order = this.#machine.graph.mustBeDurable(this.#machine.graph.call(info.id))
        return this.#turns.add({ order, call: info.id, run: () => this.#enterChild(info) })
      }
      case 'view':
        return void this.#view(info)
      case 'map':
        return void this.#maps.expand(info, info.path)
      case 'sleep': {
        const { ms } = info.request.args as { ms: number }
        this.#ports.clock.at(
          info.madeAt + ms,
          () => this.#machineIs(info, 'entered') && this.#left(info, executed),
        )
        return
      }
      case 'now':
      case 'random': {
        const { clock, chance } = this.#ports
        this.#outcomes.set(info.id, { value: kind === 'now' ? new Date(clock.now()) : chance.number() })
        return this.#left(info, executed)
      }
      case 'ask':
        return this.#asks.open(info)
      default:
        throw new AlmanacError('ALM_BUG', { why: `${kind} cannot be entered` })
    }
  }

  #machineIs(info: CallInfo, phase: Phase): boolean {
    return !this.#over && this.#machine.graph.call(info.id).phase === phase
  }

  #enterChild(info: CallInfo): boolean {
    if (!this.#machineIs(info, 'entered')) return false
    const input = resolve(info.request.args, { outcomes: this.#outcomes, info: (call) => this.#info(call) })
    this.#host.enter(info.path, info.request.fn as (...args: never[]) => unknown, input, (settlement) => {
      if (this.#over) return
      if (settlement.ok) {
        this.#outcomes.set(info.id, { value: settlement.value })
        this.#left(info, executed)
      } else {
        this.#failures.threw(info.id, settlement.error)
        this.#left(info, failedError, recordOf(settlement.error))
      }
    })
    return true
  }

  async #view(info: CallInfo): Promise<void> {
    this.#views++
    const isReplayed = info.own?.outcome !== undefined
    if (isReplayed) this.#replayedViews++
    let error: ErrorRecord | undefined
    try {
      const value = await computeView(info, {
        data: this.#ports.data,
        outcomes: this.#outcomes,
        info: (call) => this.#info(call),
        evaluate: (view, args) => this.#host.evaluate(view.request.fn, args),
      })
      this.#outcomes.set(info.id, { value })
    } catch (failure) {
      error = recordOf(failure)
    }
    this.#views--
    if (isReplayed) this.#replayedViews--
    this.#left(info, error === undefined ? executed : failedError, error)
  }

  #left(info: CallInfo, status: EndStatus, error?: ErrorRecord): void {
    if (error !== undefined) info.lastError = error
    this.#dispatch({ kind: 'left', call: info.id, status })
  }

  // --- outcomes

  #callEnded(effect: Extract<Effect, { kind: 'ended' }>): void {
    const info = this.#info(effect.call)
    const { status, order } = effect
    this.#ended[status.state] = (this.#ended[status.state] ?? 0) + 1
    this.#count(info, status, effect.record)
    if (status.state !== 'succeeded') {
      const error = this.#errorOf(info, status, order)
      this.#outcomes.set(info.id, { ...this.#outcomes.get(info.id), error })
      if (this.#waiters.has(info.id)) this.#dispatch({ kind: 'observed', call: info.id })
      if (status.state === 'failed')
        this.#listener.failed?.(info, error, this.#machine.graph.call(info.id).attempt, true)
    }
    if (effect.record) {
      // what another call had is this one's now: two of one order would not know who was first
      if (info.takenFrom !== undefined)
        this.#recorder.add({ kind: 'forgotten', calls: [info.takenFrom], at: this.#ports.clock.now() })
      const kept = this.#remembered.result(info.own)
      for (const record of outcomeRecords(
        info,
        effect,
        this.#machine.graph.call(info.id),
        this.#outcomes,
        kept,
        this.#ports.clock.now(),
        this.#settings,
      )) {
        this.#recorder.add(record, order)
      }
    } else if (info.own?.outcome !== undefined) this.#replaying--
    this.#turns.add({ order, call: info.id, run: () => this.#give(info.id) })
  }

  #count(info: CallInfo, status: EndStatus, recorded: boolean): void {
    if (info.map !== undefined) this.#reused += info.map.carried
    if (info.request.kind !== 'task' && info.request.kind !== 'entry') return
    if (status.state !== 'succeeded') return
    if (recorded && status.reason === 'executed') this.#executed++
    else this.#reused++
  }

  #errorOf(info: CallInfo, status: EndStatus, order: number): ErrorRecord {
    if (status.state === 'cancelled') return errorRecord('ALM_CANCELLED', {}, { call: info.id })
    if (status.reason === 'upstream') {
      // of several inputs that failed it names the one that it named first
      const { outcome } = info.own ?? {}
      if (outcome?.reason === 'upstream' && outcome.order === order && outcome.error !== undefined)
        return outcome.error
      const input = this.#machine.graph.call(info.id).inputs.find((id) => {
        const end = this.#machine.graph.call(id).end
        return end !== undefined && end.state !== 'succeeded'
      })
      const cause = input === undefined ? undefined : this.#outcomes.get(input)?.error
      if (input !== undefined && cause?.code === 'ALM_UPSTREAM') return cause
      const task = input === undefined ? '' : this.#info(input).request.name
      return errorRecord(
        'ALM_UPSTREAM',
        { task, message: cause?.message ?? '' },
        { call: cause?.call ?? input ?? info.id, ...where(cause) },
      )
    }
    const error =
      info.lastError ?? errorRecord('ALM_BUG', { why: `${info.request.name} failed without a reason` })
    return { ...error, call: error.call ?? info.id }
  }

  /** Gives an outcome to whoever waits for it; true if somebody does. */
  #give(
    call: number,
    waiter?: { readonly path: Path; succeed(value: Value): void; fail(error: unknown): void },
  ): boolean {
    this.#given.add(call)
    if (waiter === undefined) this.#dispatch({ kind: 'given', call })
    const waiters = waiter === undefined ? this.#waiters.get(call) : [waiter]
    if (waiters === undefined) return false
    if (waiter === undefined) this.#waiters.delete(call)
    const error = this.#outcomes.get(call)?.error
    for (const { path, succeed, fail } of waiters) {
      if (error !== undefined) {
        fail(this.#failures.errorOf(call, error))
        continue
      }
      try {
        succeed(this.#outcomes.field(new FutureRef(call, path), this.#info(call).request.name))
      } catch (failure) {
        fail(failure)
      }
    }
    return true
  }

  // --- replay, rest, end

  /** Could an outcome of a lower order still turn up, from what is being looked up? */
  #awaitsReplay(): boolean {
    return (
      this.#replayedViews > 0 || (this.#remembered.unclaimed > 0 && this.#machine.graph.count('identify') > 0)
    )
  }

  get #isReplaying(): boolean {
    return this.#replaying > 0 && this.#machine.graph.size < this.#remembered.nextCall
  }

  #checkRest(): void {
    if (this.#over || !this.#isAtRest) return
    const waitsForPeople = this.#waitsForPeople
    if (this.#restCheck !== undefined && this.#restCheck.forPeople === waitsForPeople) return
    this.#restCheck?.cancel()
    const { clock } = this.#ports
    // people may take their time, and need no process; anything else that is no call of ours should come soon
    const cancel = clock.at(clock.now() + (waitsForPeople ? 0 : this.#settings.stuckMs), () => {
      this.#restCheck = undefined
      if (this.#over || !this.#isAtRest || this.#waitsForPeople !== waitsForPeople) return this.#checkRest()
      if (waitsForPeople) void this.#rest()
      else void this.#abort(new AlmanacError('ALM_STUCK'), true)
    })
    this.#restCheck = { forPeople: waitsForPeople, cancel }
  }

  get #waitsForPeople(): boolean {
    const { graph } = this.#machine
    return this.#isPaused || graph.waiting.person > 0 || graph.count('judge') > 0 || this.#settings.dryRun
  }

  get #isPaused(): boolean {
    return this.#machine.graph.slots.paused
  }

  get #isAtRest(): boolean {
    if (this.#settings.dryRun && !this.#over) {
      const { graph } = this.#machine
      return graph.count('identify') + graph.count('lookup') + this.#views + this.#turns.size === 0
    }
    return (
      !this.#machine.isDone &&
      this.#machine.isResting &&
      this.#views === 0 &&
      this.#turns.size === 0 &&
      this.#starts.length === 0 &&
      !this.#maps.isBusy &&
      !this.#asks.isBusy
    )
  }

  #changeState(state: RunState): void {
    this.#state = state
    this.#recorder.add({ kind: 'run', state, at: this.#ports.clock.now() })
  }

  /** Nothing goes on without a person: the process may go, unless one has spoken meanwhile. */
  async #rest(): Promise<void> {
    await this.#look()
    if (this.#over || !this.#isAtRest || !this.#waitsForPeople) return this.#checkRest()
    this.#over = true
    await this.#close({ state: this.#isPaused && !this.#settings.dryRun ? 'paused' : 'waiting' })
  }

  async #finish(unseen: readonly number[]): Promise<void> {
    this.#over = true
    this.#restCheck?.cancel()
    const settlement = this.#settlement as Settlement
    const cancelled = this.#machine.graph.cancelling
    const thrown = settlement.ok ? undefined : recordOf(settlement.error)
    const first = unseen[0] === undefined ? undefined : this.#outcomes.get(unseen[0])?.error
    const error = thrown ?? first
    const uncaught = this.#failures.uncaught(unseen)
    const state = cancelled ? 'cancelled' : error === undefined ? 'succeeded' : 'failed'
    const output = settlement.ok ? settlement.value : undefined
    await this.#close({
      state,
      uncaught,
      ...(error !== undefined && { error }),
      ...(state === 'succeeded' && { output }),
    })
  }

  async #close(end: {
    readonly state: RunState
    readonly error?: ErrorRecord
    readonly output?: Value
    readonly uncaught?: readonly number[]
  }): Promise<void> {
    this.#state = end.state
    try {
      this.#forgetRemoved()
      await this.#ports.data.sync()
      this.#recorder.add({
        kind: 'run',
        state: end.state,
        at: this.#ports.clock.now(),
        uncaught: end.uncaught ?? [],
        ...(end.error !== undefined && { error: end.error }),
        ...('output' in end && { outputWire: encode(end.output) }),
      })
      await this.#recorder.durable()
      this.#done?.({ kind: 'ended', ...end, ...this.#figures() })
    } catch (error) {
      await this.#recorder.idle()
      this.#done?.({ kind: 'broken', error })
    }
  }

  /** Calls of an earlier life that an edit took away. */
  #forgetRemoved(): void {
    if (this.#settlement?.ok !== true) return
    const gone = this.#remembered.unmade((call) => this.#infos[call] !== undefined)
    const now = this.#ports.clock.now()
    for (const call of gone) {
      if (call.outcome?.reason === 'removed') continue
      const order = this.#machine.graph.nextOrder++
      const kept = keptResult(this.#remembered.result(call))
      this.#recorder.add({
        kind: 'outcome',
        call: call.call,
        order,
        state: 'skipped',
        reason: 'removed',
        attempt: 0,
        startedAt: now,
        endedAt: now,
        costMs: 0,
        ...kept,
      })
    }
  }

  #figures(): Pick<RunResult, 'counts' | 'executed' | 'reused'> & {
    readonly planned: readonly PlannedCall[]
  } {
    const { counts, executed: ran, reused } = this.snapshot()
    return { counts, executed: ran, reused, planned: this.#planned }
  }

  /** The run cannot go on: what is under way is stopped, what is durable stays. */
  async #abort(error: unknown, record = false): Promise<void> {
    if (this.#over) return
    this.#over = true
    this.#restCheck?.cancel()
    for (const call of this.#machine.graph.calls) {
      if (call?.phase === 'start' || call?.phase === 'execute') this.#attempts.stop(call.id, call.attempt, 0)
    }
    // whoever goes on with the run must not meet what is still at work
    await this.#attempts.idle()
    await this.#recorder.idle()
    if (record) await this.#close({ state: 'failed', error: recordOf(error), uncaught: [] })
    else this.#done?.({ kind: 'broken', error })
  }

  #warn(task: TaskSpec, warning: string): void {
    this.#addNote({
      kind: 'note',
      type: 'warning',
      name: task.name,
      bodyWire: encode(warning),
      at: this.#ports.clock.now(),
    })
  }

  #addNote(note: Note): void {
    this.#recorder.add(note)
    this.#listener.noted?.(note)
  }
}

/** A call, and what it is given; `missing`: the task of an input that has not succeeded. */
export interface KnownCall {
  readonly info: CallInfo
  readonly args?: Value
  readonly missing?: string
}

/** How a driver ended: with a state of the run, or because the engine could not go on. */
export type DriverEnd =
  | ({
      readonly kind: 'ended'
      readonly state: RunState
      readonly error?: ErrorRecord
      readonly output?: Value
      readonly planned: readonly PlannedCall[]
    } & Pick<RunResult, 'counts' | 'executed' | 'reused'>)
  | { readonly kind: 'broken'; readonly error: unknown }

const executed = { state: 'succeeded', reason: 'executed' } as const
const replayed = { state: 'succeeded', reason: 'replayed' } as const
const failedError = { state: 'failed', reason: 'error' } as const

const where = (error: ErrorRecord | undefined): Partial<ErrorRecord> =>
  error === undefined
    ? {}
    : {
        ...(error.file !== undefined && { file: error.file }),
        ...(error.line !== undefined && { line: error.line }),
      }

/** Of calls that are no task. */
const builtInPolicy: TaskPolicy = {
  retries: { count: 0, delayMs: 0, backoff: 1, maxDelayMs: 0, jitter: 0, memoryFactor: 1 },
  effect: false,
  random: false,
  persist: false,
  location: false,
  cpu: 0,
  memoryBytes: 0,
  priority: 0,
  onFailure: 'fail',
}
