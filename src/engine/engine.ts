import { bindAmbient } from '../flow/ambient.ts'
import { childFunction, type WorkflowDefinition } from '../flow/workflow.ts'
import { decode, encode } from '../model/codec.ts'
import { AlmanacError, isAlmanacError } from '../model/errors.ts'
import type { LimitRule } from '../model/limits.ts'
import type { JournalRecord, RememberedCall, RunId, RunRecord } from '../model/records.ts'
import type { CallState, RunState } from '../model/states.ts'
import type { Value } from '../model/value.ts'
import type { Executor, ExecutorListener } from '../ports/executor.ts'
import type { CallRow, RunClaim } from '../ports/journal.ts'
import { AttemptsUnderWay } from './attempts/attempts-under-way.ts'
import type { KnownCall } from './calls/known-call.ts'
import {
  type Forgetting,
  forgottenCalls,
  isOfPerson,
  readAnew,
  sharedCalls,
  timersAnew,
  without,
} from './forgotten-calls.ts'
import { SharedWork } from './identity/shared-work.ts'
import { EarlierNotes } from './notes/earlier-notes.ts'
import { showOutput } from './notes/shown-output.ts'
import { RunDriver } from './run-driver.ts'
import type { RunLife, RunListener } from './run-life.ts'
import type { EnginePorts, RunResult, RunSettings } from './settings.ts'
import { toBeExecuted } from './triggers/orphaned-runs.ts'
import { type NewTriggered, TriggeredRuns } from './triggers/triggered-runs.ts'

/** A run under way in this process. */
export interface RunHandle {
  readonly id: string
  readonly result: Promise<RunResult>
  request(kind: 'cancel' | 'pause' | 'unpause', by: string): void
  snapshot(): {
    readonly state: RunState
    readonly counts: Partial<Record<CallState, number>>
    readonly executed: number
    readonly reused: number
    /** calls that wait for a limit, by its name */
    readonly limits?: Readonly<Record<string, number>>
    /** questions to people that are open: titles of the first */
    readonly asks?: readonly string[]
    /** how far each task is, in the order of their first calls: of the first ones, then, without a name, of all others */
    readonly tasks?: readonly {
      readonly name: string | null
      /** with those that have not ended */
      readonly total: number
      readonly counts: Partial<Readonly<Record<CallState, number>>>
    }[]
  }
}

/** What is kept of a run from its start on. */
export interface NewRun {
  readonly input: Value
  readonly settings: RunSettings
  readonly file?: string
  readonly name?: string
  readonly tags?: readonly string[]
  readonly codeDigest?: string
  readonly gitCommit?: string
  readonly optionsWire?: string
  readonly id?: RunId
  readonly listener?: RunListener
}

/** How an earlier run goes on. */
export interface ResumedRun extends Forgetting {
  readonly settings: RunSettings
  readonly listener?: RunListener
  /** a corrected input */
  readonly input?: Value
  /** refused where another process has brought it to an end or a rest meanwhile */
  readonly ifOpen?: boolean
}

/** A run that this process begins to execute, or to go on with. */
interface BegunRun extends Pick<RunLife, 'run' | 'settings' | 'anew' | 'earlierNotes'> {
  readonly workflow: WorkflowDefinition
  readonly input: Value
  readonly remembered: readonly RememberedCall[]
  /** none where nothing is recorded */
  readonly claim?: RunClaim
  readonly listener?: RunListener | undefined
}

/** ms between looks for what people ask of a run from other processes */
const pollMs = 100

/**
 * Runs workflows: each by a driver of its own, all on the same executors.
 *
 * N1 a run is driven by the one process that has claimed it, and the claim is given back when it rests or ends.
 * N2 `close` leaves no run under way and no executor open.
 */
export class Engine {
  readonly #ports: EnginePorts
  readonly #executors: readonly Executor[]
  readonly #drivers = new Map<RunId, RunDriver>()
  readonly #work: SharedWork
  readonly #underWay = new AttemptsUnderWay()
  /** that runs here have triggered */
  readonly triggered: TriggeredRuns

  constructor(ports: EnginePorts) {
    this.#ports = ports
    this.#work = new SharedWork(ports.work, ports.clock)
    bindAmbient(ports.ambient)
    this.#executors = ports.executors(this.#listener())
    const isHad = (error: unknown): boolean => isAlmanacError(error) && error.code === 'ALM_RUN_OWNED'
    this.triggered = new TriggeredRuns(isHad, (run) => this.#drivers.get(run)?.leave())
  }

  /** Starts a new run. @throws ALM_RUN_EXISTS */
  async start(workflow: WorkflowDefinition, run: NewRun): Promise<RunHandle> {
    const { clock, chance, journal, owner } = this.#ports
    const now = clock.now()
    const record: RunRecord = {
      id: run.id ?? chance.id(now),
      workflow: workflow.name,
      environment: run.settings.environment,
      state: 'running',
      inputWire: encode(run.input),
      optionsWire: run.optionsWire ?? '{}',
      tags: run.tags ?? [],
      createdAt: now,
      startedAt: now,
      uncaught: [],
      counts: {},
      executed: 0,
      reused: 0,
      ...owner,
      ...(run.file !== undefined && { file: run.file }),
      ...(run.name !== undefined && { name: run.name }),
      ...(run.codeDigest !== undefined && { codeDigest: run.codeDigest }),
      ...(run.gitCommit !== undefined && { gitCommit: run.gitCommit }),
    }
    const { input, settings, listener } = run
    const begun = { workflow, run: record, input, settings, remembered: [], listener }
    if (settings.dryRun) return this.#drive(begun)
    await journal.create(record)
    const claim = await journal.claim(record.id, owner)
    if (claim === undefined) throw new AlmanacError('ALM_RUN_OWNED', { run: record.id, pid: '?', host: '?' })
    return this.#drive({ ...begun, claim })
  }

  /** Goes on with a run that rests, has ended, or whose process died. @throws ALM_RUN_OWNED */
  async resume(workflow: WorkflowDefinition, run: RunRecord, how: ResumedRun): Promise<RunHandle> {
    const { journal, owner, clock } = this.#ports
    // it stays where it began: datasets and documents of another environment are none of its own
    const settings = { ...how.settings, environment: run.environment }
    if (settings.dryRun) {
      const remembered = await journal.load(run.id)
      const shared = sharedCalls(remembered)
      return this.#drive({
        workflow,
        run: { ...run, state: 'running' },
        input: how.input ?? decode(run.inputWire),
        settings,
        remembered: without(
          remembered,
          forgottenCalls(run, remembered, shared, how),
          timersAnew(run, remembered, how),
        ),
        listener: how.listener,
        anew: readAnew(shared, how),
      })
    }
    const claim = await journal.claim(run.id, owner)
    if (claim === undefined)
      throw new AlmanacError('ALM_RUN_OWNED', { run: run.id, pid: run.pid ?? '?', host: run.host ?? '?' })
    try {
      if (how.ifOpen === true) await this.#refuseUnlessOpen(run)
      const loaded = await journal.load(run.id)
      const shared = sharedCalls(loaded)
      const calls = forgottenCalls(run, loaded, shared, how)
      const at = clock.now()
      const inputWire = how.input === undefined ? run.inputWire : encode(how.input)
      const isNewInput = inputWire !== run.inputWire
      // a person who resumes what was cancelled wants it done; another process that takes it over does not
      const state = run.state === 'cancelling' && !isOfPerson(how) ? 'cancelling' : 'running'
      const records: JournalRecord[] = [{ kind: 'run', state, at, ...(isNewInput && { inputWire }) }]
      if (calls.length > 0) records.unshift({ kind: 'forgotten', calls, at })
      const timers = timersAnew(run, loaded, how)
      records.unshift(...timers)
      await journal.append(run.id, records)
      return this.#drive({
        workflow,
        run: { ...run, state },
        input: how.input ?? decode(run.inputWire),
        settings,
        remembered: without(loaded, calls, timers),
        claim,
        listener: how.listener,
        anew: readAnew(shared, how),
        earlierNotes: await EarlierNotes.read(this.#ports.records, run.id),
      })
    } catch (error) {
      await claim.release()
      throw error
    }
  }

  /** A call of a run, found by replaying the run as it is remembered: nothing is executed or recorded. */
  async known(
    workflow: WorkflowDefinition,
    run: RunRecord,
    call: CallRow,
    settings: RunSettings,
  ): Promise<KnownCall | undefined> {
    const remembered = await this.#ports.journal.load(run.id)
    const limits = firstOfEach([...settings.limits, ...workflow.limits])
    const life: RunLife = {
      run: { ...run, state: 'running' },
      settings: { ...settings, environment: run.environment, dryRun: true, limits },
      listener: {},
      underWay: this.#underWay,
      look: () => Promise.resolve(),
      work: this.#work,
    }
    const driver = new RunDriver(this.#ports, this.#executors, life, remembered)
    driver.start(childFunction(workflow), decode(run.inputWire), workflow.definedAt)
    const end = await driver.ended
    if (end.kind === 'broken') throw end.error
    return driver.known(call)
  }

  /** Whoever had it may have given it back after its record was read. @throws ALM_RUN_OWNED */
  async #refuseUnlessOpen({ id, pid, host = '?' }: RunRecord): Promise<void> {
    const now = await this.#ports.records.run(id)
    if (now === undefined || !toBeExecuted.has(now.state))
      throw new AlmanacError('ALM_RUN_OWNED', { run: id, pid: pid ?? '?', host })
  }

  /** Executes a run that one of this process has triggered, as that one is executed. */
  #begin({ record, definition }: NewTriggered, settings: RunSettings, listener: RunListener): void {
    const { triggered, triggeredEnded } = listener
    const told: RunListener = {
      ...(triggered !== undefined && { triggered: (run) => listener.triggered?.(run) }),
      ...(triggeredEnded !== undefined && { triggeredEnded: (...end) => listener.triggeredEnded?.(...end) }),
    }
    const how = { settings, forget: 'attempts', ifOpen: true, listener: told } as const
    this.triggered.add({ record, listener: told, start: () => this.resume(definition, record, how) })
  }

  /** Runs that were triggered are left as they are; `triggered.idle()` waits for them. */
  async close(): Promise<void> {
    this.triggered.leave()
    await this.triggered.idle()
    for (const driver of this.#drivers.values()) {
      driver.request({ kind: 'cancel', by: 'close', at: this.#ports.clock.now() })
      driver.request({ kind: 'cancel', by: 'close', at: this.#ports.clock.now() })
    }
    await Promise.all(this.#executors.map((executor) => executor.close()))
  }

  #drive({ workflow, input, remembered, claim, listener = {}, ...begun }: BegunRun): RunHandle {
    const { run, settings } = begun
    const look = (): Promise<void> => (claim === undefined ? Promise.resolve() : this.#look(driver))
    const life: RunLife = {
      ...begun,
      settings: { ...settings, limits: firstOfEach([...settings.limits, ...workflow.limits]) },
      listener,
      underWay: this.#underWay,
      look,
      work: this.#work,
      begin: (triggered) => this.#begin(triggered, settings, listener),
      find: (work) => this.triggered.find(work),
    }
    const driver: RunDriver = new RunDriver(this.#ports, this.#executors, life, remembered)
    this.#drivers.set(run.id, driver)
    if (claim === undefined) driver.answersKnown()
    const stopPolling = claim === undefined ? () => undefined : this.#poll(look)
    const result = this.#result(driver, life, async () => {
      stopPolling()
      this.#drivers.delete(run.id)
      this.#work.endRun(run.id)
      await this.#ports.logs.flush()
      await claim?.release()
    })
    driver.start(childFunction(workflow), input, workflow.definedAt)
    return {
      id: run.id,
      result,
      request: (kind, by) => driver.request({ kind, by, at: this.#ports.clock.now() }),
      snapshot: () => driver.snapshot(),
    }
  }

  async #result(
    driver: RunDriver,
    { run, settings, listener }: RunLife,
    letGo: () => Promise<void>,
  ): Promise<RunResult> {
    const started = this.#ports.clock.now()
    try {
      const end = await driver.ended
      if (end.kind === 'broken') throw end.error
      const { state, output, error, counts, executed, reused, unkept, savedMs, planned, unknown } = end
      const shown =
        state === 'succeeded' && !settings.dryRun
          ? await this.#show(run, settings.environment, output, listener)
          : undefined
      return {
        id: run.id,
        state,
        counts,
        executed,
        reused,
        ...(unkept !== undefined && { unkept }),
        savedMs,
        durationMs: this.#ports.clock.now() - started,
        ...(state === 'succeeded' && { output }),
        ...(error !== undefined && { error }),
        ...(shown !== undefined && { shown }),
        ...(settings.dryRun && { planned }),
        ...(unknown !== undefined && { unknown }),
      }
    } finally {
      await letGo()
    }
  }

  /** What has succeeded has, whether that can be shown or not. */
  async #show(
    { id, workflow }: RunRecord,
    environment: string,
    output: Value,
    listener: RunListener,
  ): Promise<string | undefined> {
    try {
      return await showOutput(this.#ports, environment, workflow, output)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      const text = `its output is not shown: ${why} It is kept: almanac data get ${id}/FIELD TARGET`
      const at = this.#ports.clock.now()
      listener.noted?.({ kind: 'note', type: 'warning', name: workflow, bodyWire: encode(text), at })
      return undefined
    }
  }

  /** Takes requests and answers that other processes left in the journal. */
  async #look(driver: RunDriver): Promise<void> {
    try {
      const { requests, answers } = await this.#ports.journal.take(driver.id)
      for (const request of requests) driver.request(request)
      for (const answer of answers) driver.answer(answer)
      await driver.look()
    } catch {
      // the driver meets the same failure when it writes, and reports it
    }
    driver.answersKnown()
  }

  /** Looks again and again; gives what stops it. */
  #poll(look: () => Promise<void>): () => void {
    const { clock } = this.#ports
    let stopped = false
    let cancelTimer = (): void => undefined
    const next = async () => {
      await look()
      if (!stopped) cancelTimer = clock.at(clock.now() + pollMs, () => void next())
    }
    void next()
    return () => {
      stopped = true
      cancelTimer()
    }
  }

  #listener(): ExecutorListener {
    const underWay = this.#underWay
    return {
      started: (id) => underWay.of(id)?.onStarted(id),
      log: (id, lines) => underWay.of(id)?.onLog(id, lines),
      heartbeat: () => undefined,
      note: (id, note) => underWay.of(id)?.onNote(id, note),
      ended: (id, end) => underWay.end(id)?.onEnded(id, end),
      heldLost: (handles) => {
        for (const driver of this.#drivers.values()) driver.onHeldLost(handles)
      },
    }
  }
}

/** Of limits of the same name the first counts. */
const firstOfEach = (rules: readonly LimitRule[]): readonly LimitRule[] => [
  ...new Map(rules.toReversed().map((rule) => [rule.name, rule])).values(),
]
