import { errorRecord } from '../../model/errors.ts'
import type { RunId } from '../../model/records.ts'
import { DirRef, FileRef, HeldRef, UrlRef } from '../../model/refs.ts'
import type { SourceSecrets } from '../../model/source.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { Value } from '../../model/value.ts'
import { eachRef } from '../../model/value-refs.ts'
import type { CallRequest } from '../../ports/caller.ts'
import type { Workspace } from '../../ports/data.ts'
import type { Attempt, AttemptEnd, AttemptId, Executor } from '../../ports/executor.ts'
import { ChurnMap } from '../../util/churn-map.ts'
import type { CallInfo } from '../calls/call-info.ts'
import { Redaction } from '../notes/redaction.ts'
import type { EnginePorts } from '../settings.ts'
import { type AttemptResult, failedBy, keep } from './attempt-result.ts'
import { type Collecting, collectResult, type Staged } from './collect-result.ts'
import { ExecutorSlots } from './executor-slots.ts'
import { HeldTransfers } from './held-transfers.ts'
import { CallAttempt, isAlwaysStaged, stageArgs } from './staging.ts'

interface UnderWay {
  readonly info: CallInfo
  readonly attempt: number
  readonly executor: Executor
  readonly task: TaskSpec
  /** what was laid out for it; most take and leave values only */
  readonly staged: Staged | undefined
  /** what it shows is on its way into the store: it ends after that */
  taking?: Promise<unknown>
}

/**
 * The attempts of a run between the decision to start and the outcome: inputs staged, the executor told, outputs
 * collected.
 *
 * P1 each attempt begun is reported once by `ended`, whatever the executor says afterwards, and whatever it says of
 *    attempts of an earlier life of the run in this process.
 * P2 an attempt's directories are gone when all are `idle`; what waits for its result does not wait for that.
 * P3 inputs are verified before and after: an attempt on inputs that changed has no result.
 * P4 what lets an attempt in to a server is in nothing that is told of it.
 * P5 what an attempt shows is kept before its end is.
 */
export class Attempts {
  readonly #ports: AttemptPorts
  readonly #run: RunId
  readonly #executors: readonly Executor[]
  readonly #report: (info: CallInfo, attempt: number, result: AttemptResult) => void
  /** a number for an attempt that an executor is about to be given */
  readonly #number: () => AttemptId
  /** how many of the calls that run have a place */
  readonly #slotsNow: () => number
  readonly #transfers: HeldTransfers
  readonly #slots = new ExecutorSlots()
  readonly #executorOf = new Map<TaskSpec, Executor | undefined>()
  /** the task that was asked for last: most calls are of the one that the call before was of */
  #last: { readonly task: TaskSpec | undefined; readonly executor: Executor | undefined } = {
    task: undefined,
    executor: undefined,
  }
  readonly #underWay = new ChurnMap<AttemptId, UnderWay>()
  /** full URLs by what is kept of them */
  readonly #fullUrls = new Map<string, string>()
  readonly #collecting: Collecting
  /** given up before the executor was told */
  readonly #stopped = new Set<string>()
  /** attempts begun whose directories are not gone, and who waits for the last of them */
  #unfinished = 0
  #waiters: (() => void)[] = []

  constructor(
    ports: AttemptPorts,
    run: RunId,
    number: () => AttemptId,
    slots: () => number,
    executors: readonly Executor[],
    ended: (info: CallInfo, attempt: number, result: AttemptResult) => void,
  ) {
    this.#ports = ports
    this.#collecting = { ports, fullUrls: this.#fullUrls }
    this.#run = run
    this.#number = number
    this.#slotsNow = slots
    this.#executors = executors
    this.#transfers = new HeldTransfers(executors)
    this.#report = ended
  }

  /** Resolves when every attempt that was begun has ended and left nothing. */
  async idle(): Promise<void> {
    while (this.#unfinished > 0) await new Promise<void>((resolve) => this.#waiters.push(resolve))
  }

  #ended(info: CallInfo, attempt: number, result: AttemptResult): void {
    this.#report(info, attempt, result)
    this.#finished()
  }

  #finished(): void {
    if (--this.#unfinished > 0) return
    const waiters = this.#waiters
    this.#waiters = []
    for (const resolve of waiters) resolve()
  }

  executorFor(task: TaskSpec): Executor | undefined {
    return task === this.#last.task ? this.#last.executor : this.#findExecutor(task)
  }

  #findExecutor(task: TaskSpec): Executor | undefined {
    if (!this.#executorOf.has(task))
      this.#executorOf.set(
        task,
        this.#executors.find((executor) => executor.accepts(task)),
      )
    const executor = this.#executorOf.get(task)
    this.#last = { task, executor }
    return executor
  }

  /** A call was made: what one of `url.http` has beside its arguments, tasks that read it later need too. */
  made({ task, fn }: CallRequest): void {
    if (task?.body.kind !== 'source' || task.body.from !== 'url') return
    const { urls } = (fn as () => SourceSecrets)()
    for (const [place, full] of urls) this.#fullUrls.set(place, full)
  }

  info(id: AttemptId): AttemptInfo | undefined {
    return this.#underWay.get(id)
  }

  /** Starts attempts with their resolved arguments; those of one executor travel together. */
  begin(starts: readonly AttemptStart[]): void {
    const batches = new Map<Executor, Attempt[]>()
    this.#unfinished += starts.length
    for (const start of starts) {
      const task = start.info.request.task as TaskSpec
      const executor = this.executorFor(task)
      if (executor === undefined) {
        const error = errorRecord('ALM_NO_EXECUTOR', { task: task.name, kind: task.body.kind })
        this.#ended(start.info, start.attempt, { kind: 'failed', reason: 'error', error, retryable: false })
      } else if (this.#isStopped(start)) this.#ended(start.info, start.attempt, { kind: 'cancelled' })
      else if (this.#needsStaging(start, task, executor)) void this.#stage(start, task, executor)
      else {
        const attempt = this.#attempt(start, task, executor, start.args, undefined)
        this.#submitting(attempt, {
          info: start.info,
          attempt: start.attempt,
          executor,
          task,
          staged: undefined,
        })
        const batch = batches.get(executor)
        if (batch === undefined) batches.set(executor, [attempt])
        else batch.push(attempt)
      }
    }
    for (const [executor, batch] of batches) executor.submit(batch)
  }

  stop({ id: call, underWay: id }: CallInfo, attempt: number, graceMs: number): void {
    const underWay = id === undefined ? undefined : this.#underWay.get(id)
    if (id === undefined || underWay?.attempt !== attempt) this.#stopped.add(nameOf(call, attempt))
    else underWay.executor.cancel(id, graceMs)
  }

  #submitting(attempt: Attempt, underWay: UnderWay): void {
    underWay.info.underWay = attempt.id
    this.#underWay.set(attempt.id, underWay)
  }

  /** Something that an attempt shows is taken into the store, which cannot fail: its end waits for that. */
  taking(id: AttemptId, work: Promise<void>): void {
    const underWay = this.#underWay.get(id)
    if (underWay !== undefined) underWay.taking = Promise.all([underWay.taking, work])
  }

  /** The executor's word on an attempt. */
  onEnd(id: AttemptId, end: AttemptEnd): void {
    const underWay = this.#underWay.get(id)
    if (underWay === undefined) return
    this.#underWay.delete(id)
    this.#slots.leave(underWay.executor)
    if (underWay.taking === undefined) this.#left(underWay, end)
    else this.#leftAfter(underWay.taking, underWay, end)
  }

  #leftAfter(taking: Promise<unknown>, underWay: UnderWay, end: AttemptEnd): void {
    void taking.then(() => this.#left(underWay, end))
  }

  #left(underWay: UnderWay, end: AttemptEnd): void {
    const { info, attempt, task, staged } = underWay
    if (staged === undefined) this.#ended(info, attempt, keep(end, task))
    else this.#leftStaged(underWay, staged, end)
  }

  #leftStaged({ info, attempt, task, executor }: UnderWay, staged: Staged, end: AttemptEnd): void {
    const { refs, workspace, transferred } = staged
    void collectResult(this.#collecting, task, staged, end)
      .catch(failedBy)
      .then((result) => {
        this.#report(info, attempt, result)
        if (transferred.length > 0) executor.release?.(transferred)
        // after the report: what waits for the result is not held up by it. What cannot be removed harms nobody
        return Promise.allSettled([workspace.remove(), this.#ports.data.release?.(refs)])
      })
      .then(() => this.#finished())
  }

  async #stage(start: AttemptStart, task: TaskSpec, executor: Executor): Promise<void> {
    const { info, attempt } = start
    const name = nameOf(info.id, attempt)
    let workspace: Workspace | undefined
    let transferred: readonly number[] = noHandles
    let opened: Staged['refs'] = []
    try {
      const own = await this.#transfers.transfer(start.args, executor)
      if ('gone' in own) {
        const isStopped = this.#stopped.delete(name)
        return this.#ended(
          info,
          attempt,
          isStopped ? { kind: 'cancelled' } : { kind: 'inputs-gone', handles: own.gone },
        )
      }
      transferred = own.handles
      const staged = await stageArgs(own.args, this.#ports, this.#fullUrls)
      opened = staged.refs
      workspace = await this.#ports.data.workspace(`${this.#run}-${info.id}.${attempt}`)
      if (this.#stopped.delete(name)) {
        await this.#unstage(executor, { transferred, refs: opened, workspace })
        return this.#ended(info, attempt, { kind: 'cancelled' })
      }
      const { refs, urls, secrets } = staged
      const redaction = secrets.length === 0 ? undefined : new Redaction(secrets)
      const laidOut = { refs, urls, workspace, redaction, transferred }
      const submitted = this.#attempt(start, task, executor, staged.args, workspace)
      this.#submitting(submitted, { info, attempt, executor, task, staged: laidOut })
      executor.submit([submitted])
    } catch (error) {
      this.#stopped.delete(name)
      await this.#unstage(executor, { transferred, refs: opened, workspace })
      this.#ended(info, attempt, failedBy(error))
    }
  }

  /** No executor is told of it: what was laid out goes. What cannot be removed harms nobody. */
  async #unstage(executor: Executor, { transferred, refs, workspace }: LaidOut): Promise<void> {
    if (transferred.length > 0) executor.release?.(transferred)
    await Promise.allSettled([workspace?.remove(), this.#ports.data.release?.(refs)])
  }

  #needsStaging({ info, args }: AttemptStart, task: TaskSpec, executor: Executor): boolean {
    return isAlwaysStaged(task) || (!info.isPlain && this.#isStagedFor(args, executor))
  }

  #isStagedFor(args: Value, executor: Executor): boolean {
    let files = false
    eachRef(args, (ref) => {
      const isForeign = ref instanceof HeldRef && this.#transfers.sourceOf(ref, executor) !== undefined
      if (ref instanceof FileRef || ref instanceof DirRef || ref instanceof UrlRef || isForeign) files = true
    })
    return files
  }

  /** Was it given up before its executor was told? */
  #isStopped({ info, attempt }: AttemptStart): boolean {
    return this.#stopped.size > 0 && this.#stopped.delete(nameOf(info.id, attempt))
  }

  #attempt(
    start: AttemptStart,
    task: TaskSpec,
    executor: Executor,
    args: Value,
    workspace: Workspace | undefined,
  ): Attempt {
    const { info, attempt, memoryBytes, usesUp, neededAt } = start
    const id = this.#number()
    const behind = this.#slots.enter(executor, this.#slotsNow())
    return new CallAttempt(
      { run: this.#run, info, task, attempt, id },
      { args, memoryBytes, workspace, behind, usesUp, neededAt },
      this.#ports.variable,
    )
  }
}

/** Of an attempt that no executor has been told of. */
const nameOf = (call: number, attempt: number): string => `${call}.${attempt}`

type AttemptPorts = Pick<EnginePorts, 'data' | 'urls' | 'clock' | 'variable'>

/** Whose attempt it is, and what is to be kept out of all that is told of it. */
export interface AttemptInfo {
  readonly info: CallInfo
  readonly attempt: number
  readonly staged: { readonly redaction: Redaction | undefined } | undefined
}

export interface AttemptStart {
  readonly info: CallInfo
  readonly attempt: number
  readonly memoryBytes: number
  // known when it is submitted
  /** no futures in it any more */
  args: Value
  /** nobody else needs what is held for its inputs, as far as is known */
  usesUp: boolean
  /** the first call that takes its result */
  neededAt: number | undefined
}

type LaidOut = Pick<Staged, 'transferred' | 'refs'> & { readonly workspace: Workspace | undefined }

const noHandles: readonly number[] = []
