import { errorRecord } from '../model/errors.ts'
import type { ErrorRecord } from '../model/records.ts'
import type { FailureReason } from '../model/states.ts'
import type { Value } from '../model/value.ts'
import type { Clock } from '../ports/clock.ts'
import type { Attempt, AttemptEnd, AttemptNote, ExecutorListener, LogLine, Usage } from '../ports/executor.ts'
import { AttemptReporter } from './attempt-reporter.ts'
import type { AttemptLimits } from './limits.ts'
import { durationText } from './limits.ts'

/** What an executor does to its attempts; everything else of their life is common. */
export interface Driver<S> {
  /**
   * Makes the attempt end: politely, or, with `force`, at once and by all means. Called at most once each way, a
   * polite call never after a forced one. It must lead to `stopped` (or any other end).
   */
  stop(live: LiveAttempt<S>, force: boolean): void
  /** Takes in what the attempt may have said meanwhile; called before its silence is judged. */
  listen?(live: LiveAttempt<S>): void
  /** It has ended; the listener hears of it next. */
  left?(live: LiveAttempt<S>): void
}

/** What an attempt lives in. */
export interface Surroundings<S> {
  readonly clock: Clock
  readonly listener: ExecutorListener
  readonly limits: AttemptLimits
  readonly driver: Driver<S>
  /** from the request to stop to the end by force, where time or silence is the cause */
  readonly killAfterMs: number
  ended(live: LiveAttempt<S>): void
}

const never = Number.POSITIVE_INFINITY

/** Why an attempt is being stopped: how it will have ended. */
export type Verdict = Extract<AttemptEnd, { kind: 'cancelled' | 'failed' | 'lost' }>

/**
 * One attempt from submission to its end. Owns its end, its one timer and what it has said.
 *
 * A1 the listener hears `ended` exactly once, and nothing of the attempt afterwards.
 * A2 once it is being stopped, how it ends is decided; a request to cancel counts before all other causes.
 * A3 the grace of a stop only ever becomes shorter.
 */
export class LiveAttempt<S> {
  readonly attempt: Attempt
  /** the executor's own; undefined until it has begun with the attempt */
  state: S | undefined
  /** submitted ahead, and without a place so far */
  isAhead = false
  readonly #in: Surroundings<S>
  #reporter: AttemptReporter | undefined
  #verdict: Verdict | undefined
  #ended = false
  #isStartTold = false
  #forced = false
  // times are absent where there are none: most attempts end before they need any
  #timeoutAt: number | undefined
  #forceAt: number | undefined
  #signAt = 0
  #untime: (() => void) | undefined
  #timerAt: number | undefined

  constructor(attempt: Attempt, surroundings: Surroundings<S>) {
    this.attempt = attempt
    this.#in = surroundings
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Set from the moment that it is being stopped. */
  get verdict(): Verdict | undefined {
    return this.#verdict
  }

  get full(): boolean {
    return this.#reporter?.full ?? false
  }

  started(): void {
    if (this.#isStartTold) return
    this.#isStartTold = true
    this.#in.listener.started(this.attempt.id)
  }

  /** Timeout and heartbeat count from now. */
  watch(): void {
    const { timeoutMs, heartbeatMs } = this.attempt
    if (this.#ended || (timeoutMs === undefined && heartbeatMs === undefined)) return
    this.#signAt = this.#in.clock.now()
    if (timeoutMs !== undefined) this.#timeoutAt = this.#signAt + timeoutMs
    this.#arm()
  }

  log(stream: LogLine['stream'], text: string): void {
    this.#sign()?.log(stream, text)
  }

  lines(stream: LogLine['stream'], texts: readonly string[]): void {
    this.#sign()?.lines(stream, texts)
  }

  /** Counts output that is not passed on because the log is full. */
  drop(bytes: number): void {
    this.#sign()?.drop(bytes)
  }

  note(note: AttemptNote): void {
    this.#sign()?.note(note)
  }

  heartbeat(): void {
    this.#sign()?.heartbeat()
  }

  /** Something that the author should know; no sign of life, because the attempt did not say it. */
  warn(name: string, text: string, more?: Readonly<Record<string, Value>>): void {
    if (!this.#ended) this.#speak().warn(name, text, more)
  }

  succeed(values: Readonly<Record<string, Value>>, usage?: Usage): void {
    this.#end({ kind: 'succeeded', values, ...(usage !== undefined && { usage }) })
  }

  /** It succeeds before anything else has happened since it began: that it did need not be told. */
  succeedAtOnce(
    values: Readonly<Record<string, Value>>,
    tookMs: number,
    more?: { readonly usage: Usage; readonly code: object },
  ): void {
    const took = this.#isStartTold ? undefined : tookMs
    this.#end({ kind: 'succeeded', values, tookMs: took, usage: more?.usage, code: more?.code })
  }

  fail(reason: FailureReason, error: ErrorRecord, retryable: boolean, usage?: Usage): void {
    this.#end({ kind: 'failed', reason, error, retryable, ...(usage !== undefined && { usage }) })
  }

  lost(why: string): void {
    this.#end({ kind: 'lost', error: errorRecord('ALM_WORKER_LOST', { why }) })
  }

  /** Any other end, as it is. */
  end(end: AttemptEnd): void {
    this.#end(end)
  }

  /** It has ended because it was told to. */
  stopped(usage?: Usage): void {
    this.#end({ kind: 'cancelled' }, usage)
  }

  cancel(graceMs: number): void {
    this.stop({ kind: 'cancelled' }, graceMs)
  }

  stop(verdict: Verdict, graceMs: number): void {
    if (this.#ended) return
    const first = this.#verdict === undefined
    if (first || verdict.kind === 'cancelled') this.#verdict = verdict
    this.#forceAt = Math.min(this.#forceAt ?? never, this.#in.clock.now() + graceMs)
    if (graceMs <= 0) this.#force()
    else if (first) this.#in.driver.stop(this, false)
    this.#arm()
  }

  #force(): void {
    if (this.#forced || this.#ended) return
    this.#forced = true
    this.#in.driver.stop(this, true)
  }

  #end(end: AttemptEnd, usage?: Usage): void {
    if (this.#ended) return
    this.#untime?.()
    this.#untime = undefined
    this.#reporter?.finish()
    this.#ended = true
    this.#in.ended(this)
    this.#in.listener.ended(
      this.attempt.id,
      this.#verdict === undefined ? end : judged(this.#verdict, end, usage),
    )
  }

  #speak(): AttemptReporter {
    this.started()
    this.#reporter ??= new AttemptReporter(
      this.attempt.id,
      this.#in.listener,
      this.#in.clock,
      this.#in.limits,
    )
    return this.#reporter
  }

  #sign(): AttemptReporter | undefined {
    if (this.#ended) return undefined
    if (this.attempt.heartbeatMs !== undefined) this.#signAt = this.#in.clock.now()
    return this.#speak()
  }

  get #silentAt(): number {
    return this.#signAt + (this.attempt.heartbeatMs ?? never)
  }

  /** A sign of life only moves the time at which silence is judged: the timer stays, and finds that it came too early. */
  #arm(): void {
    if (this.#ended || this.#forced) return
    const due =
      this.#verdict === undefined
        ? Math.min(this.#timeoutAt ?? never, this.#silentAt)
        : (this.#forceAt ?? never)
    if (due === never || due >= (this.#timerAt ?? never)) return
    this.#untime?.()
    this.#timerAt = due
    this.#untime = this.#in.clock.at(due, () => this.#wake())
  }

  #wake(): void {
    this.#untime = undefined
    this.#timerAt = undefined
    const now = this.#in.clock.now()
    if (this.#verdict !== undefined) {
      if (now >= (this.#forceAt ?? never)) this.#force()
    } else if (now >= (this.#timeoutAt ?? never)) {
      this.#giveUp('ALM_TASK_TIMEOUT', this.attempt.timeoutMs ?? 0)
    } else if (now >= this.#silentAt) {
      this.#in.driver.listen?.(this)
      if (now >= this.#silentAt) this.#giveUp('ALM_TASK_SILENT', this.attempt.heartbeatMs ?? 0)
    }
    this.#arm()
  }

  #giveUp(code: 'ALM_TASK_TIMEOUT' | 'ALM_TASK_SILENT', limitMs: number): void {
    const error = errorRecord(code, { limit: durationText(limitMs) })
    this.stop({ kind: 'failed', reason: 'timeout', error, retryable: true }, this.#in.killAfterMs)
  }
}

function judged(verdict: Verdict, end: AttemptEnd, usage: Usage | undefined): AttemptEnd {
  const used = usage ?? ('usage' in end ? end.usage : undefined)
  return verdict.kind === 'failed' && used !== undefined ? { ...verdict, usage: used } : verdict
}
