import type { MemoryStore, RunMemory } from '../../journal/memory/store.ts'
import { decode } from '../../model/codec.ts'
import type { JournalRecord, RunId, RunRecord } from '../../model/records.ts'
import type { Attempt, AttemptId } from '../../ports/executor.ts'
import { contentOf } from './durable-run.ts'
import { Broken } from './failure.ts'
import type { FunctionListener } from './function-listener.ts'
import type { TriggeredInput } from './inputs.ts'
import { interpret, type Left } from './model.ts'
import { hasCounted, isCounted, mainRun, type Program } from './program.ts'
import { TriggeredRun } from './triggered-run.ts'
import { type Job, jobOf } from './work.ts'

/**
 * Watches the runs that are triggered, over all lives, and says when a promise is broken:
 *
 * S3 as of the first run: what is durable is not executed again.
 * S30 what a run has sent is there, once each, when it has succeeded.
 * S27 for each call that triggers there is one run, which the call gives; it ends as its own program says, whatever happens
 *     to the process that triggered it, and stays so.
 */
export class TriggeredRunsChecker {
  readonly #store: MemoryStore
  readonly #strange: (error: unknown) => void
  readonly #runs = new Map<RunId, TriggeredRun>()
  readonly #jobs = new Map<AttemptId, Job>()
  /** that have gone other ways than their program says, as somebody has cancelled them */
  readonly #astray = new Set<RunId>()
  /** of which a person had something forgotten */
  readonly #forgetful = new Set<RunId>()
  /** how those ended that were looked at */
  readonly #ended = new Map<RunId, string>()
  /** programs were edited */
  isEdited = false
  attempts = 0

  constructor(store: MemoryStore, strange: (error: unknown) => void) {
    this.#store = store
    this.#strange = strange
  }

  /** Another process begins: what was under way is no more. */
  processBegan(): void {
    this.#jobs.clear()
  }

  /** The function of one is entered. */
  begin(run: RunId, program: Program): FunctionListener {
    const one = this.#of(run)
    one.begin(program)
    return one
  }

  /** Those that have not come to the end that their program says. */
  get open(): readonly RunRecord[] {
    return this.#records().filter(
      ({ id, state }) => state !== 'succeeded' && this.#ended.get(id) !== 'failed',
    )
  }

  wentAstray(run: RunId): void {
    this.#astray.add(run)
  }

  submitted(attempt: Attempt): void {
    const { recorded, program } = this.#of(attempt.run)
    const job = jobOf(attempt, program as Program, () => Number.NaN)
    this.#jobs.set(attempt.id, job)
    this.attempts++
    // where it was cancelled, functions may have gone other ways
    const isElse = this.#astray.has(attempt.run) || this.isEdited || isCounted(program as Program, job.tag)
    if (isElse || !recorded.has(contentOf(job.tag, JSON.stringify(job.result), job.code.text))) return
    this.#strange(
      new Broken('S3', `attempt ${attempt.id} of ${attempt.run} at ${job.tag} does again what is durable`),
    )
  }

  job(id: AttemptId): Job | undefined {
    return this.#jobs.get(id)
  }

  ended(id: AttemptId): void {
    this.#jobs.delete(id)
  }

  durable(run: RunId, records: readonly JournalRecord[]): void {
    if (records.some(({ kind }) => kind === 'forgotten')) this.#forgetful.add(run)
    const { recorded, program } = this.#of(run)
    // the first run has somebody of its own who watches it
    if (run === mainRun || program === undefined) return
    for (const record of records) recorded.add(record, program, this.#astray.has(run))
  }

  /** A life has ended. */
  check(): void {
    const given = new Map<RunId, string>()
    for (const [run, memory] of this.#store.runs) this.#checkMade(run, memory, given)
    for (const record of this.#records()) {
      const { id, triggeredBy: { run = '', call = 0 } = {} } = record
      if (!given.has(id) && !this.#mayDiffer(run))
        throw new Broken('S27', `${id} was made by call ${call} of ${run}, which does not give it`)
      this.#checkEnd(record)
    }
  }

  /** What a run that has succeeded has left behind. */
  checkLeft(run: RunId, left: readonly Left[]): void {
    const counts = new Map(left.map((one) => [textOf(one), 0]))
    for (const one of this.#left(run)) {
      const text = textOf(one)
      const count = counts.get(text)
      if (this.#mayDiffer(run)) counts.set(text, 1)
      else if (count === undefined)
        throw new Broken('S30', `${run} has left ${text}, which its program does not say`)
      else counts.set(text, count + 1)
    }
    for (const [text, count] of counts)
      if (count !== 1) throw new Broken('S30', `${run} has left ${text} ${count} times`)
  }

  /**
   * May it have done what its program does not say, or the same once more? Where it went other ways for a while, or, when a
   * person had something forgotten, as functions that are known by their count may be others then.
   */
  #mayDiffer(run: RunId): boolean {
    const { program } = this.#of(run)
    const isAsCounted = this.#forgetful.has(run) && program !== undefined && hasCounted(program)
    return this.isEdited || this.#astray.has(run) || isAsCounted
  }

  #of(run: RunId): TriggeredRun {
    let one = this.#runs.get(run)
    if (one === undefined) {
      one = new TriggeredRun(this.#strange)
      this.#runs.set(run, one)
    }
    return one
  }

  #records(): readonly RunRecord[] {
    return [...this.#store.runs.values()]
      .map(({ record }) => record)
      .filter(({ triggeredBy }) => triggeredBy !== undefined)
  }

  /** Each call that triggers gives one run of its own. */
  #checkMade(run: RunId, { calls, outcomes }: RunMemory, given: Map<RunId, string>): void {
    for (const [call, { state, reason, valueWire }] of outcomes) {
      if (calls.get(call)?.call_kind !== 'trigger' || state !== 'succeeded' || reason === 'removed') continue
      const { id } = JSON.parse(valueWire ?? '') as { readonly id: RunId }
      const by = this.#store.runs.get(id)?.record.triggeredBy
      const before = given.get(id)
      const is = by?.run === run && (by.call === call || this.#mayDiffer(run)) && before === undefined
      if (!is)
        throw new Broken(
          'S27',
          `call ${call} of ${run} gives ${id}, which is of ${before ?? `call ${by?.call} of ${by?.run}`}`,
        )
      given.set(id, `call ${call} of ${run}`)
    }
  }

  #checkEnd(record: RunRecord): void {
    const { id, state, workflow, inputWire, outputWire, error } = record
    const before = this.#ended.get(id)
    if (before === 'succeeded' && state !== before)
      throw new Broken('S27', `${id} had succeeded, and is ${state}`)
    if (state === 'cancelled' && !this.#astray.has(id)) throw new Broken('S27', `nobody has cancelled ${id}`)
    if ((state !== 'succeeded' && state !== 'failed') || before === state) return
    const { program, oracle } = this.#of(id)
    if (program === undefined) throw new Broken('S27', `${id} has ${state}, and was never begun`)
    const { n, at } = decode(inputWire) as unknown as TriggeredInput
    const expected = interpret(program, oracle, {
      workflow: Number(workflow.slice('triggered'.length)),
      n,
      at,
    })
    const output = outputWire === undefined ? undefined : JSON.parse(outputWire)
    if (expected.state !== state || (expected.state === 'succeeded' && expected.output !== output))
      throw new Broken(
        'S27',
        `${id} ${state} with ${output ?? error?.message}, its program says ${JSON.stringify(expected)}`,
      )
    this.#ended.set(id, state)
    if (state === 'succeeded') this.checkLeft(id, expected.left)
  }

  #left(run: RunId): Left[] {
    const all = this.#store.runs.get(run)?.messages.values() ?? []
    const messages = [...all].filter(({ direction }) => direction === 'out')
    const triggered = this.#records().filter(({ triggeredBy }) => triggeredBy?.run === run)
    return [
      ...messages.map(({ name, valueWire }) => ({ ...(decode(valueWire) as unknown as Left), what: name })),
      ...triggered.map(({ workflow, inputWire }) => {
        const { n, at } = decode(inputWire) as unknown as TriggeredInput
        return { at, value: n, what: workflow.replace('triggered', 'workflow ') }
      }),
    ]
  }
}

const textOf = ({ at, what, value }: Left): string => `${what} at ${at}: ${JSON.stringify(value)}`
