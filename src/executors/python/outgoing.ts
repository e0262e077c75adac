import { isEmpty } from '../../util/empty.ts'
import type { Job } from '../jobs/job.ts'

/**
 * Messages that wait to be sent to a worker, as JSON. Owns them, and their order.
 *
 * O1 attempts that follow each other, and are alike but for their inputs, go in one message: of a short one the worker
 *    then reads little else
 */
export class Outgoing {
  #texts: string[] = []
  /** the last of them, if it may take in more */
  #run: RunMessage | undefined

  add(text: string): void {
    this.#close()
    this.#texts.push(text)
  }

  /** An attempt; `inputs` is JSON already. */
  addRun(job: Job, inputs: string): void {
    if (this.#run?.takes(job) !== true) {
      this.#close()
      this.#run = new RunMessage(job)
    }
    this.#run.add(job, inputs)
  }

  /** All that wait; none do any more. */
  take(): readonly string[] {
    this.#close()
    const texts = this.#texts
    this.#texts = []
    return texts
  }

  #close(): void {
    if (this.#run !== undefined) this.#texts.push(this.#run.text())
    this.#run = undefined
  }
}

/** Characters of inputs from which on a message takes in no more. */
const fullMessage = 2 ** 20

/** `python/almanac_worker/worker.py` reads it. */
class RunMessage {
  readonly #function: number
  readonly #run: number
  readonly #attempt: number
  readonly #flags: number
  readonly #logicalTime: number
  readonly #scratch: string
  readonly #outputs: Readonly<Record<string, string>>
  readonly #seqs: number[] = []
  readonly #inputs: string[] = []
  readonly #calls: number[] = []
  readonly #keys: string[] = []
  #characters = 0

  constructor(job: Job) {
    const { attempt, logicalTime, scratch, outputs } = job.live.attempt
    this.#function = job.function.id
    this.#run = job.run.id
    this.#attempt = attempt
    this.#flags = flagsOf(job)
    this.#logicalTime = logicalTime
    this.#scratch = scratch
    this.#outputs = outputs
  }

  takes(job: Job): boolean {
    const { attempt, logicalTime, scratch, outputs } = job.live.attempt
    return (
      this.#characters < fullMessage &&
      job.function.id === this.#function &&
      job.run.id === this.#run &&
      attempt === this.#attempt &&
      flagsOf(job) === this.#flags &&
      logicalTime === this.#logicalTime &&
      scratch === this.#scratch &&
      (outputs === this.#outputs || (isEmpty(outputs) && isEmpty(this.#outputs)))
    )
  }

  add(job: Job, inputs: string): void {
    const { call, idempotencyKey } = job.live.attempt
    this.#seqs.push(job.seq)
    this.#inputs.push(inputs)
    this.#characters += inputs.length
    this.#calls.push(call)
    this.#keys.push(idempotencyKey)
  }

  text(): string {
    const alike = `${this.#function},${this.#run},${this.#attempt},${this.#flags},"${isoTime(this.#logicalTime)}"`
    const files = `${JSON.stringify(this.#scratch)},${JSON.stringify(this.#outputs)}`
    const own = `[${this.#seqs.join()}],[${this.#inputs.join()}],[${this.#calls.join()}],${JSON.stringify(this.#keys)}`
    return `["run",${alike},${files},${own}]`
  }
}

const flagsOf = ({ announced, begins, live }: Job): number =>
  (announced ? 1 : 0) + (begins ? 2 : 0) + (live.attempt.usesUp === true ? 4 : 0)

const isoTime = (at: number): string => new Date(at).toISOString()
