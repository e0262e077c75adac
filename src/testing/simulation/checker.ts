import type { RunEvent } from '../../core/run/events.ts'
import { Invariants } from '../../core/run/invariants.ts'
import type { RunMachine } from '../../core/run/machine.ts'
import { targetOf } from '../../flow/future-target.ts'
import type { JournalRecord } from '../../model/records.ts'
import { type Digest, type FileRef, HeldRef } from '../../model/refs.ts'
import type { Attempt, AttemptEnd, AttemptId } from '../../ports/executor.ts'
import { contentOf, DurableRun } from './durable-run.ts'
import { Broken } from './failure.ts'
import type { FunctionListener } from './function-listener.ts'
import { numbers, type Oracle, type Plain } from './model.ts'
import { isCounted, type Program } from './program.ts'
import { capacity, limits, shapes } from './shapes.ts'
import type { Trace } from './trace.ts'
import { type Job, jobOf } from './work.ts'

/** Numbers below are no results: they are part of the program. */
const leastResult = 2 ** 16

/** The function went on with an outcome. */
interface Given {
  readonly at: string
  readonly call: number
  readonly order: number
  readonly outcome: unknown
}

/**
 * Watches one run over all its lives, and throws when a promise is broken:
 *
 * S1 the run gives what the program gives when it is read as it stands.
 * S2 a replay of a run that has ended executes nothing, and gives the same.
 * S3 what is durable is not executed again, unless its code or inputs changed or a person had it forgotten.
 * S4 no attempt begins before its inputs are known.
 * S5 an effect is not attempted before all is durable that it depends on.
 * S6 the idempotency key of an effect is the same for all attempts of its call, and no other call's.
 * S7 no result is lost, and none is recorded twice.
 * S8 what runs at once never exceeds the capacity, except alone.
 * S9 a run that ends or rests has given all slots back.
 * S10 a run ends, or rests and says what it waits for.
 * S11 outcomes are given in their order.
 * S12 orders are unique.
 * S13 an attempt that was given up changes nothing.
 * S14 a function that is taken through what is durable is given the same outcomes in the same order.
 * S15 an answer is asked for once.
 * S16 nothing begins while the run is paused, or when its function has thrown.
 * S17 a call is not tried more often than its author said, whatever happened between.
 * S18 what a cancellation gave up is not attempted by a process that takes the run over, and the run ends as cancelled.
 * S19 what is held of a limit never exceeds its capacity, and when a run has ended or rests it holds nothing of any.
 * and those of datasets, messages, triggered runs and the core: see `versions.ts`, `mail.ts`, `triggered-runs-checker.ts` and `core/run/invariants.ts`.
 */
export class Checker implements FunctionListener {
  readonly recorded = new DurableRun()
  readonly #read: (file: FileRef) => number
  readonly #filesOf: (digest: Digest) => Readonly<Record<string, number>>
  program: Program
  machine: RunMachine | undefined
  trace: Trace = () => undefined
  /** the time, where an attempt is submitted */
  now = 0
  /** when those began that a rate counts */
  readonly #starts: number[] = []
  /** units of a limit that others hold */
  held: (limit: string) => number = () => 0
  /** attempts under way */
  readonly #jobs = new Map<AttemptId, Job & { readonly attempt: Attempt }>()
  /** numbers that tasks gave, in any life */
  readonly #results = new Set<number>()
  /** numbers that functions made of others */
  readonly #hashes = new Set<number>()
  readonly #keys = new Map<string, string>()
  readonly #effects = new Map<string, string>()
  #isEdited = false
  /** calls that a cancellation has given up, and that whoever takes the run over is not to attempt */
  readonly #givenUp = new Set<number>()
  /** nothing has happened to the machine since it was looked at */
  #isChecked = true
  #invariants: Invariants | undefined
  #life = newLife()
  /** of the life before */
  #before: RunMachine | undefined
  /** what functions are to be given again, first of all */
  #expected: readonly Given[] = []

  /** `read`: what is in a file of the world; `filesOf`: of a version */
  constructor(
    program: Program,
    read: (file: FileRef) => number,
    filesOf: (digest: Digest) => Readonly<Record<string, number>>,
  ) {
    this.program = program
    this.#read = read
    this.#filesOf = filesOf
  }

  /**
   * A life begins. `isSame`: it is taken through what is durable of the last one, all of it. `isCancelled`: it takes
   * over a run of which it is durable that it was cancelled.
   */
  begin(program: Program, isSame: boolean, isCancelled: boolean): void {
    if (!isCancelled) this.#givenUp.clear()
    this.#expected = isSame ? this.#durableGiven() : []
    this.program = program
    this.#before = this.machine
    this.machine = undefined
    this.#jobs.clear()
    this.#life = newLife()
    const orders = new Map<number, number>()
    for (const [call, { order }] of this.recorded.outcomes) {
      if (orders.has(order))
        throw new Broken('S12', `calls ${orders.get(order)} and ${call} are both remembered as ${order}`)
      orders.set(order, call)
    }
  }

  /** The machine has applied an event. */
  applied(event: RunEvent, machine: RunMachine): void {
    if (this.machine !== machine) this.#invariants = new Invariants(machine)
    this.machine = machine
    this.#isChecked = false
    if (event.kind === 'pause' || event.kind === 'settled') this.#life.stoppedAt = this.#life.steps
    if (event.kind === 'given') this.#life.done.add(event.call)
  }

  /** What it is durable that a cancellation gave up; what ended before it could be stopped was not given up. */
  #giveUp(record: JournalRecord): void {
    if (record.kind === 'outcome' && record.state === 'cancelled') this.#givenUp.add(record.call)
    else if (record.kind === 'outcome') this.#givenUp.delete(record.call)
    if (record.kind === 'attempt' && record.phase === 'stopping') this.#givenUp.add(record.call)
    if (record.kind === 'forgotten') for (const call of record.calls) this.#givenUp.delete(call)
  }

  /** The program is another one: the keys of its effects may be too. */
  edited(): void {
    this.#isEdited = true
    this.#keys.clear()
  }

  /** After each step. */
  check(): void {
    this.#life.steps++
    if (this.#life.strange !== undefined) throw this.#life.strange
    if (this.machine === undefined || this.#isChecked) return
    this.#invariants?.check()
    this.#isChecked = true
  }

  /** The life ended, or the run rests. */
  end(): void {
    this.check()
    const slots = this.machine?.graph.slots
    if (slots !== undefined && slots.running > 0)
      throw new Broken('S9', `${slots.running} slots were not given back`)
    for (const { attempt } of this.#jobs.values())
      throw new Broken('S9', `attempt ${attempt.id} is still under way`)
    for (const [call, result] of this.#life.succeeded) {
      const recorded = this.#life.recorded.get(call)
      if (recorded !== result)
        throw new Broken(
          'S7',
          `the result ${result} of call ${call} was lost; ${recorded ?? 'nothing'} is recorded`,
        )
    }
    const again = this.machine?.graph.cancelling === true ? 0 : this.#expected.length
    if (this.#life.given.length < again)
      throw new Broken('S14', `the function was given ${this.#life.given.length} of ${again} outcomes again`)
  }

  /** How many attempts began in this life. */
  get attempts(): number {
    return this.#life.attempts
  }

  get oracle(): Oracle {
    const { firsts, said, saw } = this.#life
    return {
      first: (at) => firsts.get(at) ?? 0,
      said: (at) => said.get(at) ?? 0,
      files: (at) => this.#filesOf(saw.get(at) ?? ''),
    }
  }

  // --- executors

  submitted(attempt: Attempt): void {
    // thrown here, it would reach the engine
    try {
      this.#submitted(attempt)
    } catch (error) {
      this.strange(error)
    }
  }

  #submitted(attempt: Attempt): void {
    const job = jobOf(attempt, this.program, this.#read)
    this.#life.attempts++
    // what has succeeded all the same is made again where clean-up needs what was held of it
    if (this.#givenUp.has(attempt.call) && !this.#life.made.has(attempt.call))
      throw new Broken('S18', `attempt ${attempt.id} began, which was cancelled`)
    const { slots, draining } = (this.machine as RunMachine).graph
    // what was decided before, in the same step, may still begin
    const isStopped = (slots.paused || draining) && this.#life.stoppedAt < this.#life.steps
    if (isStopped) throw new Broken('S16', `attempt ${attempt.id} began`)
    const spent = this.recorded.spent.get(attempt.call) ?? 0
    if (spent > attempt.task.policy.retries.count)
      throw new Broken('S17', `attempt ${attempt.id} began, when ${spent} had failed`)
    this.#checkCapacity(attempt)
    this.#checkLimits(attempt)
    this.#jobs.set(attempt.id, { ...job, attempt })
    for (const number of job.args.flatMap(numbers)) {
      if (number >= leastResult && !this.#results.has(number) && !this.#hashes.has(number)) {
        throw new Broken('S4', `attempt ${attempt.id} at ${job.tag} began with ${number}, which nothing gave`)
      }
    }
    // what a worker holds counts by the code that made it, so an edit of that reaches further than its value
    const isElse =
      this.#isEdited &&
      (isCounted(this.program, job.tag) || job.args.some((arg) => (arg as unknown) instanceof HeldRef))
    const isKnown = job.tag !== '' && !isElse
    if (isKnown && this.recorded.has(contentOf(job.tag, JSON.stringify(job.result), job.code.text))) {
      throw new Broken('S3', `attempt ${attempt.id} at ${job.tag} does again what is durable`)
    }
    if (shapes[job.shape]?.options.effect === true) this.#checkEffect(attempt, job)
  }

  /** An attempt has ended, by its executor's first word. */
  ended(id: AttemptId, end: AttemptEnd): void {
    const job = this.#jobs.get(id)
    if (job === undefined) return
    this.#jobs.delete(id)
    if (end.kind !== 'succeeded') return
    this.#life.made.add(job.attempt.call)
    for (const number of numbers(job.result)) this.#results.add(number)
    // what is made again is not recorded again
    if (shapes[job.shape]?.gives === 'held') return
    this.#life.succeeded.set(job.attempt.call, JSON.stringify(job.result))
  }

  job(id: AttemptId): Job | undefined {
    return this.#jobs.get(id)
  }

  // --- journal

  appended(records: readonly JournalRecord[]): void {
    for (const record of records) {
      if (record.kind !== 'outcome' || record.reason === 'removed') continue
      const { call, valueWire } = record
      // only where a copy of the result lies has changed
      if (this.#life.recorded.has(call) && valueWire?.includes('"copy"') !== true)
        throw new Broken('S7', `the outcome of call ${call} is recorded twice`)
      this.#life.recorded.set(call, valueWire)
      if (valueWire?.includes('given up') === true)
        throw new Broken('S13', `call ${call} has the result of an attempt that was given up`)
    }
  }

  durable(records: readonly JournalRecord[]): void {
    for (const record of records) {
      this.recorded.add(record, this.program, this.#isAstray)
      this.#giveUp(record)
      if (record.kind !== 'forgotten') continue
      // what is done again comes at other times, and with it functions that are known by their count
      this.edited()
      const forgotten = new Set(record.calls)
      const end = this.#expected.findIndex(({ call }) => this.#dependsOn(forgotten, call))
      if (end >= 0) this.#expected = this.#expected.slice(0, end)
    }
  }

  // --- functions

  waits(future: unknown): void {
    const call = targetOf(future)?.call
    if (call !== undefined && !this.#life.done.has(call))
      this.#life.waiting.set(call, (this.#life.waiting.get(call) ?? 0) + 1)
  }

  given(future: unknown, at: string, outcome: unknown): void {
    const call = targetOf(future)?.call as number
    const { waiting, given } = this.#life
    // what was given before is known at once
    const isTurn = waiting.has(call)
    const left = (waiting.get(call) ?? 1) - 1
    if (left === 0) waiting.delete(call)
    else waiting.set(call, left)
    const order = this.machine?.graph.calls.find(call)?.order ?? -1
    given.push({ at, call, order, outcome })
    this.trace(() => `    at ${at}: ${JSON.stringify(outcome)} (call ${call}, order ${order})`)
    for (const other of waiting.keys()) {
      const found = this.machine?.graph.calls.find(other)
      if (isTurn && found?.end !== undefined && found.order < order && !this.#life.done.has(other)) {
        this.strange(
          new Broken('S11', `at ${at} order ${order} was given before order ${found.order} of call ${other}`),
        )
      }
    }
    // what is cancelled goes other ways
    const expected = this.machine?.graph.cancelling === true ? undefined : this.#expected[given.length - 1]
    if (
      expected !== undefined &&
      (expected.at !== at || givenText(expected.outcome) !== givenText(outcome))
    ) {
      const had = `${JSON.stringify(expected.outcome)} at ${expected.at} (order ${expected.order})`
      this.strange(
        new Broken(
          'S14',
          `after ${given.length - 1} outcomes the function had been given ${had}, now ${JSON.stringify(outcome)} at ${at} (order ${order})`,
        ),
      )
    }
  }

  knows(value: Plain): void {
    for (const number of numbers(value)) this.#hashes.add(number)
  }

  acts(at: string): void {
    this.#life.actsAfter.set(at, { given: this.#life.given.length, said: this.#life.values.length })
  }

  first(at: string, index: number): void {
    if (!this.#life.firsts.has(at)) this.#life.firsts.set(at, index)
  }

  said(at: string, value: number): void {
    this.#life.said.set(at, value)
    this.#life.values.push(value)
    this.#results.add(value)
  }

  received(at: string, value: number): void {
    this.#life.said.set(at, value)
  }

  saw(at: string, digest: string): void {
    this.#life.saw.set(at, digest)
  }

  /** A person's answer is as good as a task's, and so is a message. */
  answered(value: number): void {
    this.#results.add(value)
  }

  strange(error: unknown): void {
    this.#life.strange ??=
      error instanceof Broken ? error : new Broken('S1', `the program met ${String(error)}`)
  }

  // ---

  #checkCapacity(attempt: Attempt): void {
    if (this.#jobs.size === 0) return
    let cpu = attempt.task.policy.cpu
    let memoryBytes = attempt.memoryBytes
    for (const { attempt: other } of this.#jobs.values()) {
      cpu += other.task.policy.cpu
      memoryBytes += other.memoryBytes
    }
    if (cpu > capacity.cpu || memoryBytes > capacity.memoryBytes)
      throw new Broken('S8', `attempt ${attempt.id} makes it ${cpu} processors and ${memoryBytes} bytes`)
  }

  #checkLimits(attempt: Attempt): void {
    for (const { name, units } of attempt.task.policy.limits?.needs ?? []) {
      const limit = limits[name as keyof typeof limits]
      if (name === 'often') this.#checkRate(attempt)
      if (typeof limit !== 'number') continue
      let held = units + this.held(name)
      for (const { attempt: other } of this.#jobs.values())
        held += other.task.policy.limits?.needs.find((need) => need.name === name)?.units ?? 0
      if (held > limit) throw new Broken('S19', `attempt ${attempt.id} makes it ${held} of ${name}`)
    }
  }

  /** 20 in a second, one at a time; beside those that were let in and found no processor free then. */
  #checkRate(attempt: Attempt): void {
    const starts = this.#starts
    starts.push(this.now)
    for (const [i, start] of starts.slice(-60).entries()) {
      const count = Math.min(60, starts.length) - i
      if (count > 1 + capacity.cpu + (this.now - start) / 50)
        throw new Broken('S19', `attempt ${attempt.id} is number ${count} in ${this.now - start} ms`)
    }
  }

  #checkEffect(attempt: Attempt, { tag, args }: Job): void {
    const { idempotencyKey } = attempt
    const effect = `${tag} ${JSON.stringify(args)}`
    const key = this.#keys.get(effect)
    const other = this.#effects.get(idempotencyKey)
    if (!this.#isAstray && key !== undefined && key !== idempotencyKey)
      throw new Broken('S6', `the effect ${effect} had the key ${key}, now ${idempotencyKey}`)
    if (other !== undefined && other !== tag)
      throw new Broken('S6', `the effects ${tag} and ${other} have one key`)
    if (!this.#isAstray) this.#keys.set(effect, idempotencyKey)
    this.#effects.set(idempotencyKey, tag)
    const after = this.#life.actsAfter.get(tag) ?? { given: 0, said: 0 }
    const given = this.#life.given.slice(0, after.given).map(({ outcome }) => outcome)
    for (const outcome of [...given, ...this.#life.values.slice(0, after.said), ...args]) {
      if (typeof outcome === 'string') {
        if (!this.recorded.messages.has(outcome))
          throw new Broken(
            'S5',
            `the effect at ${tag} is attempted before the failure "${outcome}" is durable`,
          )
        continue
      }
      for (const number of numbers(outcome)) {
        if (number < leastResult || this.#hashes.has(number) || this.recorded.numbers.has(number)) continue
        throw new Broken('S5', `the effect at ${tag} is attempted before ${number} is durable`)
      }
    }
  }

  /** Where calls are cancelled, functions may go other ways than their own, on which the same steps are other calls. */
  get #isAstray(): boolean {
    const graph = this.machine?.graph
    return graph?.cancelling === true || graph?.draining === true
  }

  /** Did a call of the life before come of one of these? */
  #dependsOn(calls: ReadonlySet<number>, call: number): boolean {
    if (calls.has(call)) return true
    return (
      this.#before?.graph.calls.find(call)?.inputs.some((input) => this.#dependsOn(calls, input)) === true
    )
  }

  /** The first outcomes that functions were given, as far as all of them are durable. */
  #durableGiven(): readonly Given[] {
    const { given } = this.#life
    const end = given.findIndex(({ call, order }) => this.recorded.outcomes.get(call)?.order !== order)
    return end < 0 ? given : given.slice(0, end)
  }
}

interface Life {
  steps: number
  /** the step in which the run was paused, or its function ended */
  stoppedAt: number
  attempts: number
  strange: Error | undefined
  readonly given: Given[]
  /** calls that functions wait for, and how often */
  readonly waiting: Map<number, number>
  /** calls whose outcome has been given */
  readonly done: Set<number>
  /** what was given and said before an effect was called */
  readonly actsAfter: Map<string, { readonly given: number; readonly said: number }>
  readonly firsts: Map<string, number>
  readonly said: Map<string, number>
  readonly saw: Map<string, Digest>
  /** what chance and clocks said */
  readonly values: number[]
  /** calls whose results executors reported, those too that workers hold */
  readonly made: Set<number>
  /** results that executors reported, and outcomes that were written */
  readonly succeeded: Map<number, string>
  readonly recorded: Map<number, string | undefined>
}

/** A result in a worker's memory is the same with and without a copy. */
const givenText = (outcome: unknown): string =>
  JSON.stringify(outcome, (name, value: unknown) => (name === 'copy' ? undefined : value))

const newLife = (): Life => ({
  steps: 0,
  stoppedAt: 0,
  attempts: 0,
  strange: undefined,
  given: [],
  waiting: new Map(),
  done: new Set(),
  actsAfter: new Map(),
  firsts: new Map(),
  said: new Map(),
  saw: new Map(),
  values: [],
  made: new Set(),
  succeeded: new Map(),
  recorded: new Map(),
})
