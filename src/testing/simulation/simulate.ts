import { limitRules } from '../../flow/limits.ts'
import { memoryStore } from '../../journal/memory/store.ts'
import { openMemoryData } from '../memory/memory-data.ts'
import { SeededChance } from '../seeded-chance.ts'
import { Checker } from './checker.ts'
import { CompetingRun } from './competing-run.ts'
import { editProgram } from './edit.ts'
import { Broken } from './failure.ts'
import { drawFaults, type Faults, noFaults } from './faults.ts'
import { generateProgram } from './generate.ts'
import { Life, type LifeEnd, type Stage } from './life.ts'
import { Mail } from './mail.ts'
import { interpret } from './model.ts'
import { mainRun, type Program } from './program.ts'
import { publishElsewhere } from './publisher.ts'
import { limits } from './shapes.ts'
import type { Trace } from './trace.ts'
import { TriggeredRunsChecker } from './triggered-runs-checker.ts'
import { contentOf, datasetNames, Versions } from './versions.ts'
import { Work } from './work.ts'

/** What one seed came to. */
export interface Simulated {
  readonly lives: number
  readonly steps: number
  readonly attempts: number
  readonly calls: number
  /** runs that were triggered */
  readonly triggered: number
  /** that were received */
  readonly messages: number
  readonly state: string
}

/** Lives in which nothing goes wrong any more, until the run must have ended. */
const maxCalmLives = 8

/** What another process may go on with as it was. */
const interrupted: readonly LifeEnd['state'][] = ['crashed', 'full', 'waiting', 'succeeded']

/** Runs the program of a seed through all its lives, and checks every promise at each step. @throws Broken */
export async function simulate(seed: number, trace?: Trace): Promise<Simulated> {
  const chance = new SeededChance(seed)
  const program = generateProgram(chance, 20 + chance.below(100))
  const lives = chance.below(5)
  const simulation = new Simulation(chance, program, trace)
  await simulation.begin()
  for (let i = 0; i < lives; i++) await simulation.live(drawFaults(chance))
  await simulation.end()
  await simulation.endBeside()
  await simulation.replay()
  return simulation.summary
}

class Simulation {
  readonly #stage: Stage
  readonly #checker: Checker
  readonly #chance: SeededChance
  readonly #versions: Versions
  #program: Program
  #life: Life | undefined
  #last: LifeEnd | undefined
  #edits = 0
  #lives = 0
  #steps = 0
  #attempts = 0

  constructor(chance: SeededChance, program: Program, trace: Trace | undefined) {
    this.#chance = chance
    this.#program = program
    const data = openMemoryData()
    this.#versions = new Versions(data, (error) => this.#checker.strange(error))
    this.#checker = new Checker(
      program,
      ({ at, digest }) =>
        at === undefined ? contentOf(digest) : Number(new TextDecoder().decode(data.files.file(at)?.bytes)),
      (digest) => this.#versions.filesOf(digest),
    )
    const store = memoryStore()
    const competingRun = new CompetingRun(store, chance, limitRules('competing', limits))
    this.#checker.held = (limit) => competingRun.held(limit)
    this.#stage = {
      store,
      competingRun,
      data,
      chance,
      checker: this.#checker,
      work: new Work(),
      versions: this.#versions,
      mail: new Mail(store, chance),
      triggeredRuns: new TriggeredRunsChecker(store, (error) => this.#checker.strange(error)),
      answered: new Set(),
      slipped: new Set(),
      now: Date.UTC(2026, 0, 1),
      trace: trace ?? (() => undefined),
    }
  }

  get summary(): Simulated {
    const calls = this.#checker.machine?.graph.size ?? 0
    return {
      lives: this.#lives,
      steps: this.#steps,
      attempts: this.#attempts,
      calls,
      triggered: this.#stage.store.runs.size - 1,
      messages: this.#stage.mail.received,
      state: this.#last?.state ?? '',
    }
  }

  /** There is something to read. */
  async begin(): Promise<void> {
    for (const name of datasetNames) await publishElsewhere(this.#stage, name)
  }

  /** One life in some faults, perhaps after an edit. */
  async live(faults: Faults): Promise<LifeEnd> {
    const isEdited = this.#last !== undefined && this.#chance.number() < 0.3
    if (isEdited) this.#edit()
    // a person resumes what was edited; a crash may be taken over by another process as it was
    const isInterrupted =
      this.#last !== undefined && interrupted.includes(this.#last.state) && this.#last.hasBegun
    const isTakeover =
      !isEdited && isInterrupted && this.#chance.number() < (this.#last?.isCancelled === true ? 0.9 : 0.5)
    return this.#live(
      faults,
      isEdited ? 'edited' : isTakeover ? 'taken over' : this.#chance.number() < 0.1 ? 'all over' : 'resumed',
    )
  }

  /** Calm lives until the run gives what the program says. */
  async end(): Promise<void> {
    for (let lives = 1; ; lives++) {
      const { state, output } = await this.#live(noFaults, 'resumed')
      // what a person asked before the process died is done by the next
      if ((state === 'paused' || state === 'waiting' || state === 'cancelled') && lives < maxCalmLives)
        continue
      const expected = interpret(this.#program, this.#checker.oracle)
      this.#stage.trace(() => `expected: ${JSON.stringify(expected)}`)
      if (expected.state === state && (expected.state === 'failed' || expected.output === output)) {
        if (state === 'succeeded') this.#stage.triggeredRuns.checkLeft(mainRun, expected.left)
        return
      }
      // a failure that was remembered, and was no one's to catch, is forgotten when it has ended the run
      if (state !== 'failed' || lives === maxCalmLives) {
        throw new Broken(
          'S1',
          `the run ended ${state} with ${String(output)}, the program says ${JSON.stringify(expected)}`,
        )
      }
    }
  }

  /** Calm lives until all that was triggered has come to its end; people resume what nobody else does. */
  async endBeside(): Promise<void> {
    const { triggeredRuns } = this.#stage
    for (let lives = 0; triggeredRuns.open.length > 0; lives++) {
      const [first] = triggeredRuns.open
      if (lives === maxCalmLives)
        throw new Broken('S27', `${first?.id} is ${first?.state}, whoever resumes it`)
      const life = await this.#next(noFaults)
      await life.liveBeside(triggeredRuns.open)
    }
  }

  /** Once more, with nothing to do. */
  async replay(): Promise<void> {
    if (this.#last?.state !== 'succeeded') return
    const { output } = this.#last
    const versions = this.#versions.count
    const { attempts } = this.#stage.triggeredRuns
    const again = await this.#live(noFaults, this.#chance.number() < 0.5 ? 'taken over' : 'resumed')
    if (this.#checker.attempts > 0)
      throw new Broken('S2', `a replay began ${this.#checker.attempts} attempts`)
    if (this.#stage.triggeredRuns.attempts !== attempts)
      throw new Broken('S27', 'a replay began attempts of runs that had come to their end')
    if (again.executed !== 0) throw new Broken('S2', `a replay says that it executed ${again.executed} calls`)
    if (this.#versions.count !== versions)
      throw new Broken('S21', `a replay published ${this.#versions.count - versions} versions`)
    if (again.state !== 'succeeded' || again.output !== output)
      throw new Broken(
        'S2',
        `a replay ended ${again.state} with ${String(again.output)}, not ${String(output)}`,
      )
  }

  async #live(faults: Faults, how: 'edited' | 'taken over' | 'resumed' | 'all over'): Promise<LifeEnd> {
    const isFirst = this.#last === undefined
    const isSame =
      !isFirst && (how === 'resumed' || how === 'taken over') && this.#last?.isDisturbed === false
    this.#stage.trace(() => `— life ${this.#lives}: ${isFirst ? 'new' : how}${isSame ? ', the same' : ''}`)
    // what was asked just before the process died may not be durable
    const isCancelled =
      how === 'taken over' && this.#stage.store.runs.get(mainRun)?.record.state === 'cancelling'
    this.#checker.begin(this.#program, isSame, isCancelled)
    const life = await this.#next(faults)
    const forget = how === 'taken over' ? 'none' : how === 'all over' ? 'caught' : 'uncaught'
    const end = await life.live(isFirst ? undefined : { forget })
    const isInterrupted = end.state === 'crashed' || end.state === 'full'
    // its clean-up may ask a person, who may take their time
    if (isCancelled && !isInterrupted && end.state !== 'cancelled' && end.state !== 'waiting')
      throw new Broken('S18', `the run was cancelled, taken over, and ended ${end.state}`)
    this.#stage.trace(() => `— ${end.state}${end.output === undefined ? '' : ` with ${end.output}`}`)
    this.#lives++
    this.#steps += life.steps
    this.#attempts += this.#checker.attempts
    this.#last = end
    return end
  }

  /** The next life, perhaps of the same process. */
  async #next(faults: Faults): Promise<Life> {
    const isKept = this.#life?.isAlive === true && this.#chance.number() < 0.5
    if (!isKept && this.#life?.isAlive === true) await this.#life.leave()
    this.#life = new Life(this.#stage, this.#program, faults, isKept ? this.#life : undefined)
    return this.#life
  }

  #edit(): void {
    this.#checker.edited()
    this.#stage.triggeredRuns.isEdited = true
    this.#stage.answered.clear()
    this.#program = editProgram(this.#program, this.#chance, 9000 + ++this.#edits)
  }
}
