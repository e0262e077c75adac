import type { RunEvent } from '../../core/run/events.ts'
import type { RunHandle } from '../../engine/engine.ts'
import type { RunListener } from '../../engine/run-context.ts'
import type { RunResult, RunSettings } from '../../engine/settings.ts'
import { limitRules } from '../../flow/limits.ts'
import { type WorkflowDefinition, workflowOf } from '../../flow/workflow.ts'
import type { AskMemory, MemoryStore } from '../../journal/memory/store.ts'
import { AlmanacError, isAlmanacError } from '../../model/errors.ts'
import type { JournalRecord, RunRecord } from '../../model/records.ts'
import type { Value } from '../../model/value.ts'
import type { Attempt, AttemptEnd } from '../../ports/executor.ts'
import type { MemoryData } from '../memory-data.ts'
import type { SeededChance } from '../seeded-chance.ts'
import { authored } from './author.ts'
import type { Checker } from './checker.ts'
import { Broken } from './failure.ts'
import { answerOf, verdictOf } from './model.ts'
import { SimulatedProcess } from './process.ts'
import type { Program } from './program.ts'
import { publishElsewhere } from './publisher.ts'
import type { Rival } from './rival.ts'
import { capacity, limits, shapeIndex, shapes } from './shapes.ts'
import type { Trace } from './trace.ts'
import type { Versions } from './versions.ts'
import { happenings, type Likely, type Weather } from './weather.ts'
import type { Work } from './work.ts'

const recordText = (record: JournalRecord): string =>
  `${record.kind}${'call' in record ? ` ${record.call}` : ''}${'order' in record ? ` ${record.state} as ${record.order}` : ''}`

/** What outlives a life. */
export interface Stage {
  readonly store: MemoryStore
  readonly data: MemoryData
  readonly chance: SeededChance
  readonly checker: Checker
  readonly work: Work
  readonly rival: Rival
  readonly versions: Versions
  /** questions that a person has answered */
  readonly answered: Set<number>
  /** questions that a person has answered wrongly, which happens once: a run may end at each of these, and be resumed */
  readonly slipped: Set<number>
  readonly trace: Trace
  /** the time, when a life ends */
  now: number
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

const run = 'run-1'

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
  readonly #weather: Weather
  readonly #program: Program
  readonly process: SimulatedProcess
  /** the process goes on after it */
  isAlive = true
  steps = 0
  #handle: RunHandle | undefined
  #result: RunResult | undefined
  #failure: { readonly error: unknown } | undefined
  #idle = 0
  #isPaused = false
  #isCancelled = false
  readonly #losses = new Map<number, number>()
  /** open questions by call */
  readonly #asks = new Map<number, string>()

  constructor(stage: Stage, program: Program, weather: Weather, before: Life | undefined) {
    this.#stage = stage
    this.#program = program
    this.#weather = weather
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
            checker.submitted(attempt)
          },
          ended: (id, end) => checker.ended(id, end),
          appended: (_, records) => {
            stage.trace(() => `  append ${records.map(recordText).join(', ')}`)
            checker.appended(records)
          },
          durable: (_, records) => {
            checker.durable(records)
            // a question is done with when its call has ended
            for (const record of records) if (record.kind === 'outcome') stage.answered.delete(record.call)
          },
        },
        weather,
        stage.now,
      )
    stage.work.isOutage = weather.isOutage
  }

  /** Starts the run, or goes on with it. */
  async live(resumed: { readonly forget: 'none' | 'uncaught' | 'caught' } | undefined): Promise<LifeEnd> {
    const { clock } = this.process
    // nobody else is there any more who would give back what it has
    if (this.#weather.likely.rival === 0) await this.#stage.rival.die()
    this.#begin(resumed)
    for (;;) {
      await clock.quiet()
      this.#stage.now = clock.now()
      this.#stage.checker.check()
      if (this.#failure !== undefined) return this.#broke(this.#failure.error)
      if (this.#result !== undefined) return this.#ended(this.#result)
      if (++this.steps > maxSteps) throw new Broken('S10', 'the run does not end')
      if (this.#stage.chance.number() >= this.#weather.haste && clock.rest()) continue
      const next = this.#choose()
      if (next === undefined) {
        if (!clock.rest()) throw new Broken('S10', 'nothing can happen any more')
        continue
      }
      if (next === 'crash') return this.#crash()
      this.#idle = next === 'time' ? this.#idle + 1 : 0
      if (this.#idle > maxIdle) throw new Broken('S10', `the run hangs: ${this.#waiting()}`)
      await this.#act(next)
    }
  }

  #begin(resumed: { readonly forget: 'none' | 'uncaught' | 'caught' } | undefined): void {
    const { checker, trace } = this.#stage
    checker.trace = trace
    const definition = workflowOf(authored(this.#program, checker)) as WorkflowDefinition
    const settings: RunSettings = {
      ...capacity,
      limits: limitRules('simulation', limits),
      environment: 'main',
      cache: 'on',
      failFast: this.#weather.failFast,
      dryRun: false,
      depth: 20,
      mapWindow: 2,
      graceMs: 0,
      keptBytes: 64,
      stuckMs: 1000,
    }
    const listener: RunListener = {
      applied: (event, machine) => {
        checker.applied(event, machine)
        trace(() => `  ${eventText(event)}`)
      },
      asked: ({ call, title }) => {
        this.#asks.set(call, title)
      },
    }
    const start = async (): Promise<RunResult> => {
      const { engine, records } = this.process
      if (resumed === undefined)
        this.#handle = await engine.start(definition, {
          input: await this.#input(),
          settings,
          listener,
          id: run,
        })
      else {
        const record = (await records.run(run)) as RunRecord | undefined
        // the process died before anything was durable
        if (record === undefined)
          this.#handle = await engine.start(definition, {
            input: await this.#input(),
            settings,
            listener,
            id: run,
          })
        else {
          const how = {
            settings,
            listener,
            forget: resumed.forget,
            // another process takes what was scanned; a person has it scanned again
            ...(resumed.forget !== 'none' && { input: await this.#input() }),
          }
          this.#handle = await engine.resume(definition, record, how)
        }
      }
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
  #choose(): keyof Likely | undefined {
    const { likely } = this.#weather
    const { clock, journal, workers, lookups } = this.process
    const isOpen = workers.open.size > 0
    const can: Readonly<Record<keyof Likely, boolean>> = {
      publish: true,
      end: isOpen,
      lose: isOpen,
      commit: journal.waiting > 0,
      full: journal.waiting > 0,
      answer: lookups.length > 0,
      time: clock.nextDue !== undefined,
      person: this.#asks.size > 0,
      stale: workers.stale.length > 0,
      drop: workers.held.size > 0,
      pause: this.#handle !== undefined && !this.#isPaused && !this.#isCancelled,
      unpause: this.#isPaused,
      cancel: this.#handle !== undefined,
      rival: true,
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

  async #act(what: Exclude<keyof Likely, 'crash'>): Promise<void> {
    const { process } = this
    const { chance, trace } = this.#stage
    trace(() => what)
    switch (what) {
      case 'publish':
        return publishElsewhere(this.#stage)
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
      case 'rival':
        return this.#stage.rival.act(process.clock.now())
      case 'stale':
        return process.workers.repeat(chance.below(process.workers.stale.length))
      default:
        this.#isCancelled ||= what === 'cancel'
        this.#isPaused = what === 'pause'
        if (chance.number() < 0.5) this.#handle?.request(what, 'person')
        else await process.journal.request(run, { kind: what, by: 'person', at: process.clock.now() })
    }
  }

  #end(isLost: boolean): void {
    const { workers } = this.process
    const { chance, checker, work, trace } = this.#stage
    const ids = [...workers.open.keys()]
    const id = chance.pick(ids)
    const isStopping = workers.stopping.has(id)
    if (chance.number() < 0.5) workers.start(id)
    // so many in a row are the task's doing
    const { call } = workers.open.get(id) as { readonly call: number }
    const losses = this.#losses.get(call) ?? 0
    this.#losses.set(call, losses + 1)
    if (isLost && losses < 2)
      return workers.end(id, { kind: 'lost', error: { code: 'ALM_WORKER_LOST', message: 'its worker died' } })
    if (isStopping && chance.number() < 0.7) return workers.end(id, { kind: 'cancelled' })
    const attempt = workers.open.get(id) as Attempt
    const gone = workers.missing(attempt)
    if (gone.length > 0) return workers.end(id, { kind: 'inputs-gone', handles: gone })
    const job = checker.job(id)
    const done = work.perform(job)
    const isHeld = done.kind === 'succeeded' && shapes[job.shape]?.gives === 'held'
    const end: AttemptEnd = isHeld ? { ...done, values: { '': workers.hold(attempt, job.value) } } : done
    trace(() => `  ${id} ${checker.job(id).tag} ${end.kind}`)
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

  async #crash(): Promise<LifeEnd> {
    this.isAlive = false
    await this.process.die()
    this.#stage.data.crash('process')
    return { state: 'crashed', ...this.#disturbed }
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
    this.#stage.versions.checkRead(run, this.#stage.checker.kept)
    if (result.error?.code === 'ALM_STUCK' || result.error?.code === 'ALM_BUG')
      throw new Broken('S10', `${result.error.message} ${this.#waiting()}`)
    for (const { run: of, key, held } of this.#stage.store.limits.rows.values())
      if (of === run) throw new Broken('S19', `${of} has ended, and holds ${held} of ${key}, or waits for it`)
    if (result.state === 'waiting') await this.#checkOpen()
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
