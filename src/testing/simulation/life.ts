import type { RunEvent } from '../../core/run/events.ts'
import type { RunMachine } from '../../core/run/machine.ts'
import type { RunHandle } from '../../engine/engine.ts'
import type { RunListener } from '../../engine/run-life.ts'
import type { RunResult, RunSettings } from '../../engine/settings.ts'
import { limitRules } from '../../flow/limits.ts'
import { type WorkflowDefinition, workflowOf } from '../../flow/workflow.ts'
import type { AskMemory, MemoryStore } from '../../journal/memory/store.ts'
import { AlmanacError, isAlmanacError } from '../../model/errors.ts'
import type { JournalRecord, RunId, RunRecord } from '../../model/records.ts'
import type { Value } from '../../model/value.ts'
import type { Attempt, AttemptEnd } from '../../ports/executor.ts'
import type { MemoryData } from '../memory/memory-data.ts'
import type { SeededChance } from '../seeded-chance.ts'
import { authored, authoredTriggered } from './author.ts'
import type { Checker } from './checker.ts'
import type { CompetingRun } from './competing-run.ts'
import { Broken } from './failure.ts'
import { type Faults, happenings, type Likely, noFaults } from './faults.ts'
import type { RunListeners } from './function-listener.ts'
import type { Mail } from './mail.ts'
import { answerOf, numbers, verdictOf } from './model.ts'
import { SimulatedProcess } from './process.ts'
import { mainRun, type Program } from './program.ts'
import { publishElsewhere } from './publisher.ts'
import { capacity, limits, shapeIndex, shapes } from './shapes.ts'
import type { Trace } from './trace.ts'
import type { TriggeredRunsChecker } from './triggered-runs-checker.ts'
import type { Versions } from './versions.ts'
import type { Job, Work } from './work.ts'

const recordText = (record: JournalRecord): string =>
  `${record.kind}${'call' in record ? ` ${record.call}` : ''}${'order' in record ? ` ${record.state} as ${record.order}` : ''}`

/** What outlives a life. */
export interface Stage {
  readonly store: MemoryStore
  readonly data: MemoryData
  readonly chance: SeededChance
  readonly checker: Checker
  readonly work: Work
  readonly competingRun: CompetingRun
  readonly versions: Versions
  readonly mail: Mail
  readonly triggeredRuns: TriggeredRunsChecker
  /** questions that a person has answered */
  readonly answered: Set<number>
  /** questions that a person has answered wrongly, which happens once: a run may end at each of these, and be resumed */
  readonly slipped: Set<number>
  readonly trace: Trace
  /** the time, when a life ends */
  now: number
}

/** How a person, or another process, goes on with the run. */
interface Resumed {
  readonly forget: 'none' | 'uncaught' | 'caught'
}

/** How a life ended: with a state of the run, or the process died, or the disk was full. */
export interface LifeEnd {
  readonly state: RunResult['state'] | 'crashed' | 'full'
  readonly output?: number
  readonly executed?: number
  /** somebody cancelled, or the function threw: not all that was done belongs to the program */
  readonly isDisturbed: boolean
  readonly isCancelled: boolean
  /** the run's function was entered: what a person changed is durable */
  readonly hasBegun: boolean
}

const run = mainRun

/** An event in one line, without what is the same for all. */
const eventText = (event: RunEvent): string =>
  JSON.stringify(event, (name, value: unknown) =>
    name === 'key' || name === 'policy' ? undefined : value,
  ).replaceAll('"', '')

/** Steps in which only time passes, after which nothing will ever happen. */
const maxIdle = 100
const maxSteps = 50_000

/**
 * One life of a run: a process drives it, and things happen to it, until the run ends or rests, or the process dies.
 */
export class Life {
  readonly #stage: Stage
  readonly #faults: Faults
  readonly #program: Program
  readonly process: SimulatedProcess
  /** the process goes on after it */
  isAlive = true
  steps = 0
  #handle: RunHandle | undefined
  #result: RunResult | undefined
  #failure: { readonly error: unknown } | undefined
  #idle = 0
  /** it waits for what the run has triggered */
  readonly #isPatient: boolean
  #isBesideOnly = false
  #isPaused = false
  #isCancelled = false
  /** open questions by call */
  readonly #asks = new Map<number, string>()

  constructor(stage: Stage, program: Program, faults: Faults, before: Life | undefined) {
    this.#stage = stage
    this.#program = program
    this.#faults = faults
    this.#isPatient = faults === noFaults || stage.chance.number() < 0.5
    const { store, chance, checker } = stage
    this.process =
      before?.process ??
      new SimulatedProcess(
        {
          store,
          chance,
          data: stage.data,
          versions: stage.versions,
          submitted: (attempt) => {
            checker.now = this.process.clock.now()
            stage.trace(
              () => `  begin ${attempt.id} ${attempt.task.name} ${JSON.stringify(attempt.inputs['args'])}`,
            )
            if (attempt.run === run) checker.submitted(attempt)
            else stage.triggeredRuns.submitted(attempt)
          },
          ended: (id, end) => {
            checker.ended(id, end)
            // what it gave may be taken from the run cache
            const triggeredRuns = stage.triggeredRuns.job(id)
            if (triggeredRuns !== undefined && end.kind === 'succeeded')
              for (const number of numbers(triggeredRuns.result)) checker.answered(number)
            stage.triggeredRuns.ended(id)
          },
          appended: (of, records) => {
            stage.trace(
              () => `  append${of === run ? '' : ` to ${of}`} ${records.map(recordText).join(', ')}`,
            )
            if (of === run) checker.appended(records)
          },
          durable: (of, records) => {
            this.#looked(() => stage.mail.durable(of, records))
            stage.triggeredRuns.durable(of, records)
            if (of !== run) return
            checker.durable(records)
            // a question is done with when its call has ended
            for (const record of records) if (record.kind === 'outcome') stage.answered.delete(record.call)
          },
        },
        faults,
        stage.now,
      )
    stage.work.isOutage = faults.isOutage
    if (before === undefined) stage.triggeredRuns.processBegan()
  }

  /** Starts the run, or goes on with it. */
  async live(resumed: Resumed | undefined): Promise<LifeEnd> {
    // nobody else is there any more who would give back what it has
    if (this.#faults.likely.competingRun === 0) await this.#stage.competingRun.die()
    this.#stage.mail.begin()
    this.#begin(resumed)
    return (await this.#happen()) as LifeEnd
  }

  /** People resume runs that were triggered. */
  async liveBeside(runs: readonly RunRecord[]): Promise<void> {
    for (const { id } of runs) await this.#resumeBeside(id)
    this.#isBesideOnly = true
    await this.#happen()
  }

  /** Things happen, until there is nothing more to come. */
  async #happen(): Promise<LifeEnd | undefined> {
    const { clock } = this.process
    let end: LifeEnd | undefined
    for (;;) {
      await clock.quiet()
      this.#stage.now = clock.now()
      this.#stage.checker.check()
      if (this.#failure !== undefined) return this.#over(this.#broke(this.#failure.error))
      if (this.#result !== undefined) end ??= await this.#ended(this.#result)
      const isOver = end !== undefined || this.#isBesideOnly
      if (isOver && (!this.#isPatient || this.process.isIdle)) return this.#over(end)
      if (++this.steps > maxSteps) throw new Broken('S10', 'the run does not end')
      if (this.#stage.chance.number() >= this.#faults.haste && clock.rest()) continue
      const next = this.#choose(isOver)
      if (next === undefined) {
        if (!clock.rest()) throw new Broken('S10', 'nothing can happen any more')
        continue
      }
      if (next === 'crash') return this.#over(await this.#crash(end))
      this.#idle = next === 'time' ? this.#idle + 1 : 0
      if (this.#idle > maxIdle) throw new Broken('S10', `the run hangs: ${this.#waiting()}`)
      await this.#act(next)
    }
  }

  #over<E extends LifeEnd | undefined>(end: E): E {
    if (this.#disturbed.isDisturbed) this.#stage.triggeredRuns.wentAstray(run)
    this.#stage.mail.check()
    this.#stage.triggeredRuns.check()
    return end
  }

  /** The process leaves what was triggered, or dies with it. */
  async leave(): Promise<void> {
    if (this.process.isIdle) return
    if (this.#stage.chance.number() < 0.5) this.process.engine.triggered.leave()
    await this.process.clock.quiet()
    await this.process.die()
    this.#over(undefined)
  }

  #begin(resumed: Resumed | undefined): void {
    const { checker, trace } = this.#stage
    checker.trace = trace
    this.#stage.triggeredRuns.begin(run, this.#program)
    const definition = workflowOf(authored(this.#program, this.#listeners)) as WorkflowDefinition
    const settings = this.#settings
    const listener: RunListener = {
      applied: (event, machine) => {
        checker.applied(event, machine)
        trace(() => `  ${eventText(event)}`)
      },
      asked: ({ call, title, of }) => {
        if (of !== 'receive') this.#asks.set(call, title)
      },
      // that another process died of a full disk says nothing of the run
      triggeredEnded: (_, { error }) => this.#strange(error),
    }
    const start = async (): Promise<RunResult> => {
      const { engine, records } = this.process
      const record = resumed && ((await records.run(run)) as RunRecord | undefined)
      // the process may have died before anything was durable
      if (resumed === undefined || record === undefined)
        this.#handle = await engine.start(definition, {
          input: await this.#input(),
          settings,
          listener,
          id: run,
        })
      else
        this.#handle = await engine.resume(definition, record, {
          settings,
          listener,
          forget: resumed.forget,
          // another process takes what was scanned; a person has it scanned again
          ...(resumed.forget !== 'none' && { input: await this.#input() }),
        })
      return this.#handle.result
    }
    start().then(
      (result) => {
        this.#result = result
      },
      (error: unknown) => {
        this.#failure = { error }
      },
    )
  }

  get #listeners(): RunListeners {
    const { checker, triggeredRuns } = this.#stage
    return { main: checker, triggered: (id, program) => triggeredRuns.begin(id, program) }
  }

  get #settings(): RunSettings {
    return {
      ...capacity,
      limits: limitRules('simulation', limits),
      environment: 'main',
      cache: 'on',
      failFast: this.#faults.failFast,
      dryRun: false,
      depth: 20,
      mapWindow: 2,
      graceMs: 0,
      keptBytes: 64,
      sparedCalls: this.#faults.sparedCalls,
      stuckMs: 1000,
    }
  }

  /** What nobody expects of a run that was triggered. */
  #strange(error: unknown): void {
    const isUsual = isAlmanacError(error) && ['ALM_JOURNAL_FULL', 'ALM_CANCELLED'].includes(error.code)
    if (error !== undefined && !isUsual) this.#stage.checker.strange(error)
  }

  #looked(look: () => void): void {
    // thrown here, it would reach the engine
    try {
      look()
    } catch (error) {
      this.#stage.checker.strange(error)
    }
  }

  /** A person resumes a run that was triggered, whoever has it. */
  async #resumeBeside(id: RunId): Promise<void> {
    const { process } = this
    const record = (await process.records.run(id)) as RunRecord
    const index = Number(record.workflow.slice('triggered'.length))
    const definition = workflowOf(
      authoredTriggered(this.#program, index, this.#listeners),
    ) as WorkflowDefinition
    process.triggeredUnderWay++
    const goOn = async (): Promise<void> => {
      const handle = await process.engine.resume(definition, record, {
        settings: this.#settings,
        forget: 'uncaught',
      })
      await handle.result
    }
    goOn()
      .catch((error: unknown) => {
        if (!isAlmanacError(error) || error.code !== 'ALM_RUN_OWNED') this.#strange(error)
      })
      .finally(() => {
        process.triggeredUnderWay--
      })
  }

  /** The input as it lies there now. */
  async #input(): Promise<Value> {
    const { input, files } = this.#program
    if (files === undefined) return { n: input }
    const { data } = this.#stage
    data.files.remove('/in')
    data.files.makeDirectory('/in')
    for (const [name, content] of Object.entries(files))
      data.files.write(`/in/${name}`, new TextEncoder().encode(String(content)))
    return { n: input, dir: await data.scan('/in') }
  }

  /** What happens next, among what can. */
  #choose(isOver: boolean): keyof Likely | undefined {
    const { likely } = this.#faults
    const { clock, journal, workers, lookups } = this.process
    const isOpen = workers.open.size > 0
    const can: Readonly<Record<keyof Likely, boolean>> = {
      publish: true,
      message: this.#canSend(),
      beside: this.#stage.triggeredRuns.open.length > 0,
      end: isOpen,
      lose: isOpen,
      commit: journal.waiting > 0,
      full: journal.waiting > 0,
      answer: lookups.length > 0,
      time: clock.nextDue !== undefined,
      person: this.#asks.size > 0 && !isOver,
      stale: workers.stale.length > 0,
      drop: workers.held.size > 0,
      pause: this.#handle !== undefined && !isOver && !this.#isPaused && !this.#isCancelled,
      unpause: this.#isPaused && !isOver,
      cancel: this.#handle !== undefined && !isOver,
      competingRun: true,
      crash: true,
    }
    // what is cancelled ends soon: the process is to die meanwhile often enough
    const weight = (what: keyof Likely): number =>
      can[what] ? likely[what] * (what === 'crash' && this.#isCancelled ? 8 : 1) : 0
    let total = 0
    for (const what of happenings) total += weight(what)
    let drawn = this.#stage.chance.number() * total
    for (const what of happenings) {
      if (weight(what) === 0) continue
      drawn -= weight(what)
      if (drawn < 0) return what
    }
    return undefined
  }

  /** Once nothing goes wrong any more, only what somebody waits for. */
  #canSend(): boolean {
    const { mail, store } = this.#stage
    if (!this.#program.receives) return false
    return this.#faults !== noFaults || [...store.runs.keys()].some((id) => mail.wanted(id).length > 0)
  }

  async #sendMessage(): Promise<void> {
    const { mail, checker } = this.#stage
    const now = this.process.clock.now()
    const sent = this.#faults === noFaults ? await mail.satisfy(now) : [await mail.send(now)]
    for (const number of sent) if (number !== undefined) checker.answered(number)
  }

  async #act(what: Exclude<keyof Likely, 'crash'>): Promise<void> {
    const { process } = this
    const { chance, trace } = this.#stage
    trace(() => what)
    switch (what) {
      case 'publish':
        return publishElsewhere(this.#stage)
      case 'message':
        return this.#sendMessage()
      case 'beside':
        return this.#resumeBeside(chance.pick(this.#stage.triggeredRuns.open).id)
      case 'end':
      case 'lose':
        return this.#end(what === 'lose')
      case 'commit':
        process.journal.commit()
        return
      case 'full':
        process.journal.refuse(new AlmanacError('ALM_JOURNAL_FULL', { path: 'journal' }))
        return
      case 'answer':
        process.lookups.splice(chance.below(process.lookups.length), 1)[0]?.()
        return
      case 'time':
        process.clock.fireNext()
        return
      case 'person':
        return this.#answer()
      case 'drop':
        return process.workers.drop(chance.pick([...process.workers.held.values()]))
      case 'competingRun':
        return this.#stage.competingRun.act(process.clock.now())
      case 'stale':
        return process.workers.repeat(chance.below(process.workers.stale.length))
      case 'cancel':
        if (chance.number() < 0.3 && this.#stage.triggeredRuns.open.length > 0) return this.#cancelBeside()
        return this.#request(what)
      default:
        return this.#request(what)
    }
  }

  async #cancelBeside(): Promise<void> {
    const { triggeredRuns, chance } = this.#stage
    const { id } = chance.pick(triggeredRuns.open)
    triggeredRuns.wentAstray(id)
    await this.#ask(id, 'cancel')
  }

  async #request(what: 'pause' | 'unpause' | 'cancel'): Promise<void> {
    this.#isCancelled ||= what === 'cancel'
    this.#isPaused = what === 'pause'
    if (this.#stage.chance.number() < 0.5) this.#handle?.request(what, 'person')
    else await this.#ask(run, what)
  }

  /** Of a run that has ended nothing can be asked. */
  async #ask(id: string, kind: 'pause' | 'unpause' | 'cancel'): Promise<void> {
    const { journal, clock } = this.process
    try {
      await journal.request(id, { kind, by: 'person', at: clock.now() })
    } catch (error) {
      if (!isAlmanacError(error) || error.code !== 'ALM_RUN_ENDED') throw error
    }
  }

  #end(isLost: boolean): void {
    const { workers } = this.process
    const { chance, checker, triggeredRuns, work, trace } = this.#stage
    const ids = [...workers.open.keys()]
    const id = chance.pick(ids)
    const isStopping = workers.stopping.has(id)
    if (chance.number() < 0.5) workers.start(id)
    // so many in a row are the task's doing
    const { run: of, call } = workers.open.get(id) as Attempt
    const { losses: before } = this.process
    const losses = before.get(`${of} ${call}`) ?? 0
    before.set(`${of} ${call}`, losses + 1)
    if (isLost && losses < 2)
      return workers.end(id, { kind: 'lost', error: { code: 'ALM_WORKER_LOST', message: 'its worker died' } })
    if (isStopping && chance.number() < 0.7) return workers.end(id, { kind: 'cancelled' })
    const attempt = workers.open.get(id) as Attempt
    const gone = workers.missing(attempt)
    if (gone.length > 0) return workers.end(id, { kind: 'inputs-gone', handles: gone })
    const job = (checker.job(id) ?? triggeredRuns.job(id)) as Job
    const done = work.perform(job)
    const isHeld = done.kind === 'succeeded' && shapes[job.shape]?.gives === 'held'
    const end: AttemptEnd = isHeld ? { ...done, values: { '': workers.hold(attempt, job.value) } } : done
    trace(() => `  ${id} ${job.tag} ${end.kind}`)
    workers.end(id, end)
  }

  /** A person answers one of the open questions; now and then they slip first. */
  async #answer(): Promise<void> {
    const { chance, answered, slipped, work, checker } = this.#stage
    const [call, title] = chance.pick([...this.#asks])
    this.#asks.delete(call)
    const judged = /^t(\d+) failed: boom \d+ (\d+)/.exec(title)
    let answer: string
    if (judged !== null) {
      const [shape, value] = [shapeIndex(`t${judged[1]}`), Number(judged[2])]
      const isCured = shapes[shape]?.cured === true
      if (isCured) work.cure(value)
      answer = JSON.stringify({ verdict: isCured ? 'retry' : verdictOf(value) })
    } else {
      const value = answerOf(title.replace(/ \(.*$/, ''))
      answer = JSON.stringify(value)
      checker.answered(value)
    }
    const isSlip = !slipped.has(call) && chance.number() < 0.2
    try {
      await this.process.journal.answer(
        run,
        call,
        isSlip ? '"oops"' : answer,
        'person',
        this.process.clock.now(),
      )
      if (isSlip) slipped.add(call)
      else answered.add(call)
    } catch (error) {
      // it is not durable yet, or somebody was quicker
      if (!isAlmanacError(error) || error.code !== 'ALM_ASK_CLOSED') throw error
      this.#asks.set(call, title)
    }
  }

  /** `end`: of the first run, which it does not change any more. */
  async #crash(end: LifeEnd | undefined): Promise<LifeEnd> {
    this.isAlive = false
    await this.process.die()
    this.#stage.data.crash('process')
    return end ?? { state: 'crashed', ...this.#disturbed }
  }

  #broke(error: unknown): LifeEnd {
    if (error instanceof Broken) throw error
    if (isAlmanacError(error) && error.code === 'ALM_JOURNAL_FULL')
      return { state: 'full', ...this.#disturbed }
    throw new Broken(
      'S10',
      `the run broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    )
  }

  async #ended(result: RunResult): Promise<LifeEnd> {
    this.#stage.checker.end()
    await this.#stage.versions.check()
    this.#stage.versions.checkRead(run, this.#stage.checker.recorded)
    if (result.error?.code === 'ALM_STUCK' || result.error?.code === 'ALM_BUG')
      throw new Broken('S10', `${result.error.message} ${this.#waiting()}`)
    for (const { run: of, key, held } of this.#stage.store.limits.rows.values())
      if (of === run) throw new Broken('S19', `${of} has ended, and holds ${held} of ${key}, or waits for it`)
    if (result.state === 'waiting') await this.#checkOpen()
    const { calls } = (this.#stage.checker.machine as RunMachine).graph
    if (result.state === 'waiting')
      this.#stage.mail.checkRest(run, (call) => calls.find(call)?.phase === 'entered')
    if (this.#disturbed.isDisturbed) this.#stage.answered.clear()
    const { output, error } = result
    if (error !== undefined) this.#stage.trace(() => `  ${error.message} ${error.stack ?? ''}`)
    return {
      state: result.state,
      executed: result.executed,
      ...this.#disturbed,
      ...(output !== undefined && { output: output as number }),
    }
  }

  /** The run waits for a person: for one that has not answered yet. */
  async #checkOpen(): Promise<void> {
    const open = await this.process.records.asks(run, { open: true })
    const unanswered = open.filter(({ call }) => !this.#stage.answered.has(call))
    // somebody may have answered when it had gone to rest
    const { asks } = this.#stage.store.runs.get(run) as { readonly asks: ReadonlyMap<number, AskMemory> }
    const isAnswered = [...asks.values()].some(({ answer, ended }) => answer !== undefined && !ended)
    if (unanswered.length === 0 && !isAnswered) {
      throw new Broken(
        'S15',
        `the run waits for people, who have answered: ${open.map(({ call, title }) => `${call} ${title}`).join(', ')}`,
      )
    }
  }

  get #disturbed(): Pick<LifeEnd, 'hasBegun' | 'isDisturbed' | 'isCancelled'> {
    const graph = this.#stage.checker.machine?.graph
    const isCancelled = graph?.cancelling === true
    return {
      hasBegun: graph !== undefined,
      isCancelled,
      isDisturbed: isCancelled || graph?.draining === true,
    }
  }

  #waiting(): string {
    const { machine } = this.#stage.checker
    if (machine === undefined) return 'it has not begun'
    const open = [...machine.graph.calls].filter((call) => call.end === undefined)
    return open.map((call) => machine.graph.story(call)).join('; ') || 'every call has ended'
  }
}
