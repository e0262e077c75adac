import { Worker } from 'node:worker_threads'
import { AlmanacError } from '../../model/errors.ts'
import type { JournalRecord, RunId } from '../../model/records.ts'
import type { Failure, FromWriter, ToWriter, WriterMethods, WriterRequest } from './messages.ts'
import { packRecord, packRun } from './packs/packed-records.ts'
import { PackWriter } from './packs/packing.ts'

/** A batch that is this full is sent although another one is under way. */
const fullBatch = { records: 1000, characters: 2 ** 24 }
const maxUnderWay = 8
/** With that many more gathered, who appends is held back: it does so without ever resting, and hears of no end. */
const mostGathered = { records: 8000, characters: 2 ** 26 }
const usualHoldMs = 1000
/** Batches begin at least so long apart: two threads that wake each other for every record cost more than the record. */
const gatherMs = 1
/** The same while nobody waits for what is in them: each takes as much time of a core as some steps of a chain. */
const patientMs = 10

/**
 * This side of the thread that holds the database: gathers records into batches, and matches answers to questions.
 *
 * L1 records cross in the order of their appends; a batch ends before later ones do.
 * L2 while a batch is under way, records gather until it ends or the next batch is full: the slower the disk, the
 *    larger the batches. With `maxUnderWay` under way even a full one waits; who appends is held back by its promise.
 * L3 with `mostGathered` waiting as well, an append waits for the disk, up to a second while nothing gets through: a
 *    function that makes a million calls in one loop goes no faster than its journal, and takes no more memory.
 * L4 the process may end while nothing is under way: a thread that only waits keeps nothing alive.
 * L5 when the thread dies, all that waits for it fails, and all that comes later.
 * L6 a batch leaves `gatherMs` after the one before, or later: of calls that follow each other, several go together.
 *    What nobody waits for leaves after `patientMs`, unless something in the same batch is waited for.
 */
export class WriterClient {
  readonly #path: string
  readonly #holdMs: number
  readonly #worker: Worker
  readonly #exited: Promise<void>
  readonly #underWay = new Map<number, Map<RunId, PromiseWithResolvers<void>>>()
  /** batches that the thread is through with: it is seen without turning to messages */
  readonly #through = new Int32Array(new SharedArrayBuffer(4))
  #sent = 0
  /** what it was when a wait for it was given up */
  #stuckAt = -1
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>()
  readonly #pack = new PackWriter()
  /** of the batch that gathers */
  #ends = new Map<RunId, PromiseWithResolvers<void>>()
  #packedRun: RunId | undefined
  #records = 0
  #requests: WriterRequest[] = []
  #scheduled = false
  #nextId = 1
  /** when the last batch left, and how long the next one gathers from then on */
  #begunAt = 0
  #gather = patientMs
  #later: NodeJS.Timeout | undefined
  #laterGather = 0
  #failure: AlmanacError | undefined
  /** runs with an append that never crossed; later ones fail alike until the run is claimed anew */
  readonly #refused = new Map<RunId, AlmanacError>()

  /** `path` is the database, for messages; `holdMs`: so long who appends is held back at most (L3). */
  constructor(path: string, { holdMs = usualHoldMs }: { readonly holdMs?: number } = {}) {
    this.#path = path
    this.#holdMs = holdMs
    this.#worker = new Worker(new URL('./writer.ts', import.meta.url), {
      name: 'almanac-journal',
      execArgv: [],
      workerData: this.#through,
    })
    this.#worker.unref()
    this.#worker.on('message', (message: FromWriter) => this.#receive(message))
    this.#worker.on('error', (error: unknown) =>
      this.#die(error instanceof Error ? error.message : String(error), error),
    )
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#die(`its thread ended with code ${code}`)
        resolve()
      })
    })
  }

  /** Resolves when the records are durable. */
  append(run: RunId, records: readonly JournalRecord[], isPatient = false): Promise<void> {
    const failure = this.#failure ?? this.#refused.get(run)
    if (failure !== undefined) return Promise.reject(failure)
    const mark = this.#pack.mark()
    try {
      if (this.#packedRun !== run) packRun(this.#pack, run)
      for (const record of records) packRecord(this.#pack, record)
    } catch (error) {
      this.#pack.undo(mark)
      const why = `a record cannot be kept: ${(error as Error).message}`
      const refused = new AlmanacError('ALM_BUG', { why }, { cause: error })
      this.#refused.set(run, refused)
      return Promise.reject(refused)
    }
    this.#packedRun = run
    this.#records += records.length
    if (!isPatient) this.#gather = Math.min(this.#gather, gatherMs)
    let end = this.#ends.get(run)
    if (end === undefined) {
      end = Promise.withResolvers()
      this.#ends.set(run, end)
    }
    if (this.#hasGathered(mostGathered) && this.#inThread() >= maxUnderWay) this.#hold()
    if (this.#hasGathered(fullBatch) && this.#inThread() < maxUnderWay) this.#flush()
    else this.#schedule()
    return end.promise
  }

  /** Somebody waits for what has gathered. */
  hurry(): void {
    if (this.#gather <= gatherMs || this.#pack.isEmpty) return
    this.#gather = gatherMs
    this.#schedule()
  }

  call<M extends keyof WriterMethods>(
    method: M,
    ...args: Parameters<WriterMethods[M]>
  ): Promise<ReturnType<WriterMethods[M]>> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (method === 'claim') this.#refused.delete(args[0] as RunId)
    const id = this.#nextId++
    const answer = Promise.withResolvers<unknown>()
    this.#asked.set(id, answer)
    this.#requests.push({ id, method, args })
    this.#schedule()
    return answer.promise as Promise<ReturnType<WriterMethods[M]>>
  }

  /** Ends the thread when all that was appended has ended. */
  async close(): Promise<void> {
    while (this.#failure === undefined && this.#ends.size + this.#underWay.size > 0) {
      const ends = [...this.#underWay.values(), this.#ends].flatMap((batch) => [...batch.values()])
      await Promise.allSettled(ends.map(({ promise }) => promise))
    }
    if (this.#failure === undefined) {
      const closed = this.call('close')
      this.#failure = closedFailure()
      this.#flush()
      await closed
      // now its end is what there is to wait for
      this.#worker.ref()
    }
    await this.#exited
  }

  /** Ends the thread, whatever it does. */
  async end(): Promise<void> {
    this.#failure ??= closedFailure()
    await this.#worker.terminate()
  }

  get isClosed(): boolean {
    return this.#failure !== undefined
  }

  #hasGathered({ records, characters }: typeof fullBatch): boolean {
    return this.#records >= records || this.#pack.characters >= characters
  }

  #inThread(): number {
    return (this.#sent - Atomics.load(this.#through, 0)) | 0
  }

  #hold(): void {
    const until = performance.now() + this.#holdMs
    for (;;) {
      const through = Atomics.load(this.#through, 0)
      if (((this.#sent - through) | 0) < maxUnderWay || through === this.#stuckAt) return
      const left = until - performance.now()
      if (left <= 0) this.#stuckAt = through
      else Atomics.wait(this.#through, 0, through, left)
    }
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    const batch = this.#isEarly() ? undefined : this.#takeBatch()
    const requests = this.#requests
    if (batch === undefined && requests.length === 0) return
    this.#requests = []
    this.#worker.ref()
    const message: ToWriter = { ...(batch && { batch }), ...(requests.length > 0 && { requests }) }
    this.#worker.postMessage(message, batch === undefined ? [] : [batch.packed.numbers.buffer])
  }

  /** L6; whoever asks something waits for an answer, and takes all along. */
  #isEarly(): boolean {
    if (this.#underWay.size > 0 || this.#hasGathered(fullBatch) || this.#requests.length > 0) return false
    const passed = performance.now() - this.#begunAt
    if (this.#pack.isEmpty || passed >= this.#gather) return false
    this.#flushAfter(this.#gather - passed)
    return true
  }

  #flushAfter(ms: number): void {
    if (this.#later !== undefined && this.#laterGather <= this.#gather) return
    clearTimeout(this.#later)
    this.#laterGather = this.#gather
    this.#later = setTimeout(() => {
      this.#later = undefined
      this.#begunAt = 0
      this.#flush()
    }, ms)
  }

  #takeBatch(): ToWriter['batch'] {
    const due = this.#underWay.size === 0 || (this.#hasGathered(fullBatch) && this.#inThread() < maxUnderWay)
    if (this.#pack.isEmpty || !due) return undefined
    const id = this.#nextId++
    const batch = { id, packed: this.#pack.take(), runs: [...this.#ends.keys()] }
    this.#underWay.set(id, this.#ends)
    this.#begunAt = performance.now()
    this.#gather = patientMs
    this.#sent++
    this.#ends = new Map()
    this.#packedRun = undefined
    this.#records = 0
    return batch
  }

  #receive({ batches = [], replies = [] }: FromWriter): void {
    for (const { id, failures } of batches) {
      const ends = this.#underWay.get(id)
      this.#underWay.delete(id)
      for (const [run, failure] of failures) ends?.get(run)?.reject(errorOf(failure))
      // of those that were rejected this changes nothing
      for (const end of ends?.values() ?? []) end.resolve()
    }
    for (const { id, value, failure } of replies) {
      const answer = this.#asked.get(id)
      this.#asked.delete(id)
      if (failure === undefined) answer?.resolve(value)
      else answer?.reject(errorOf(failure))
    }
    this.#flush()
    if (this.#underWay.size + this.#asked.size === 0) this.#worker.unref()
  }

  #die(why: string, cause?: unknown): void {
    const failure = new AlmanacError('ALM_JOURNAL_FAILED', { path: this.#path, why }, { cause })
    this.#failure ??= failure
    for (const ends of [...this.#underWay.values(), this.#ends])
      for (const end of ends.values()) end.reject(failure)
    for (const answer of this.#asked.values()) answer.reject(failure)
    this.#underWay.clear()
    this.#ends.clear()
    this.#asked.clear()
  }
}

function errorOf({ code, details, stack }: Failure): AlmanacError {
  const error = new AlmanacError(code, details)
  if (stack !== undefined) error.stack = stack
  return error
}

const closedFailure = (): AlmanacError =>
  new AlmanacError('ALM_BUG', { why: 'the journal was used after it was closed' })
