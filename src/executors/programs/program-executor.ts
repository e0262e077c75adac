import { rmSync } from 'node:fs'
import { errorRecord } from '../../model/errors.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { Attempt, AttemptId, Executor, ExecutorListener, Usage } from '../../ports/executor.ts'
import type { ExecutorOptions } from '../lifecycle.ts'
import { Attempts } from '../lifecycle.ts'
import { bytesText } from '../limits.ts'
import type { Driver, LiveAttempt } from '../live-attempt.ts'
import { programValues } from '../results.ts'
import { EventsFile } from './events-file.ts'
import { groupMembers, resident, residentAtMost } from './process-groups.ts'
import { exitFailure, isExhausted, preparationFailure } from './program-failures.ts'
import { ProgramOutput } from './program-output.ts'
import type { Prepared, ProgramKind, ProgramVerdict } from './program-plan.ts'
import type { ProgramExit } from './supervisor.ts'
import { SupervisedProgram } from './supervisor.ts'
import type { HostEnvironment } from './task-files.ts'
import { hostEnvironment, readResult, shareTaskFiles, taskFile } from './task-files.ts'

export interface ProgramOptions extends ExecutorOptions {
  /** of the programs; this process's own unless told */
  readonly environment?: HostEnvironment
}

/** How often files of events are read; memory is looked at every second time. */
const pulseMs = 500
/** So long programs are started in one go; then timers, cancels and sockets have their turn. */
const sliceMs = 10
/** Where there is no room for a process, it is tried again after so long, and given up after so long without any. */
const roomMs = 50
const noRoomMs = 10_000

interface Running extends Prepared {
  readonly program: SupervisedProgram
  readonly events: EventsFile
  readonly stdout: ProgramOutput
  readonly stderr: ProgramOutput
  maxRssBytes: number
}

type Live = LiveAttempt<Running>

/** What it said last, which is why it failed. */
const wordsOf = ({ stderr, stdout }: Running): string => stderr.tail || stdout.tail

/**
 * Runs programs, each in a process group of its own. Owns the queue of attempts that were not started, and the pulse.
 *
 * P1 `submit` returns before anything is started or told.
 * P2 where the machine has no room for another process, attempts wait until one of ours has ended, or for a while.
 * P3 there is a timer only while a program is running.
 */
export class ProgramExecutor implements Executor, Driver<Running> {
  readonly name: string
  readonly afterCommit = true
  readonly #kind: ProgramKind
  readonly #options: ProgramOptions
  readonly #host: HostEnvironment
  readonly #attempts: Attempts<Running>
  readonly #running = new Set<Live>()
  readonly #queue: Live[] = []
  #scheduled = false
  /** see P2: nothing is started until this is let go of */
  #roomTimer: NodeJS.Timeout | undefined
  /** nothing could be started since */
  #noRoomSince: number | undefined
  #pulses = 0
  #stopPulse: (() => void) | undefined

  constructor(kind: ProgramKind, options: ProgramOptions, listener: ExecutorListener) {
    this.name = kind.name
    this.#kind = kind
    this.#options = options
    this.#host = options.environment ?? hostEnvironment()
    this.#attempts = new Attempts(options, listener, this)
  }

  accepts(task: TaskSpec): boolean {
    return this.#kind.accepts(task)
  }

  submit(attempts: readonly Attempt[]): void {
    for (const attempt of attempts) {
      const live = this.#attempts.add(attempt)
      if (live === undefined) continue
      if (this.#kind.ready === undefined) this.#queue.push(live)
      else void this.#enqueue(live, this.#kind.ready(live.attempt))
    }
    this.#schedule()
  }

  cancel(id: AttemptId, graceMs: number): void {
    this.#attempts.cancel(id, graceMs)
  }

  close(): Promise<void> {
    return this.#attempts.close(async () => {
      clearTimeout(this.#roomTimer)
      await this.#kind.close?.()
    })
  }

  stop(live: Live, force: boolean): void {
    if (live.state === undefined) live.stopped()
    else if (force) live.state.program.signal('SIGKILL')
    else if (this.#kind.ask === undefined) live.state.program.signal('SIGTERM')
    else this.#kind.ask(live.attempt, () => !this.#running.has(live))
  }

  listen(live: Live): void {
    live.state?.events.read()
  }

  async #enqueue(live: Live, ready: Promise<void>): Promise<void> {
    try {
      await ready
      if (!live.ended) this.#queue.push(live)
    } catch (error) {
      this.#notStarted(live, error)
    }
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#roomTimer !== undefined || this.#queue.length === 0) return
    this.#scheduled = true
    setImmediate(() => this.#startSome())
  }

  #startSome(): void {
    this.#scheduled = false
    const until = performance.now() + sliceMs
    let next = 0
    while (next < this.#queue.length && this.#roomTimer === undefined && performance.now() < until) {
      const live = this.#queue[next++]
      if (live !== undefined && !live.ended) this.#start(live)
    }
    this.#queue.splice(0, next)
    this.#schedule()
  }

  #start(live: Live): void {
    let events: EventsFile | undefined
    try {
      const prepared = this.#kind.prepare(live.attempt, this.#host)
      events = new EventsFile(prepared.files.events, live.attempt.scratch, live, this.#attempts.limits)
      if (prepared.shared === true) shareTaskFiles(live.attempt, prepared.files)
      const state = this.#run(live, prepared, events)
      if (state.program.group !== undefined) this.#started(live, state)
      // `refused` follows and says why; until then it is no use to try more
      else this.#awaitRoom()
    } catch (error) {
      events?.close()
      this.#notStarted(live, error)
    }
  }

  #run(live: Live, prepared: Prepared, events: EventsFile): Running {
    const { limits } = this.#attempts
    const stdout = new ProgramOutput('stdout', live, limits)
    const stderr = new ProgramOutput('stderr', live, limits)
    const program = new SupervisedProgram(prepared.start, {
      output: (stream, chunk) => (stream === 'stdout' ? stdout : stderr).push(chunk),
      exited: (exit) => this.#exited(live, state, exit),
      refused: (error) => {
        events.close()
        this.#notStarted(live, error)
      },
    })
    const state: Running = { ...prepared, program, events, stdout, stderr, maxRssBytes: 0 }
    return state
  }

  #started(live: Live, state: Running): void {
    live.state = state
    this.#noRoomSince = undefined
    this.#running.add(live)
    live.started()
    live.watch()
    this.#beat()
  }

  #notStarted(live: Live, error: unknown): void {
    if (live.ended) return
    const { attempt } = live
    if (!isExhausted(error)) {
      const failure = preparationFailure(attempt.task, error, attempt.scratch)
      live.fail('error', failure.error, failure.retryable)
    } else if (
      this.#running.size > 0 ||
      performance.now() - (this.#noRoomSince ?? performance.now()) < noRoomMs
    ) {
      // it was made anew by this try, and will be by the next
      rmSync(taskFile(attempt, 'events.jsonl'), { force: true })
      this.#queue.unshift(live)
      this.#awaitRoom()
    } else {
      live.lost(`no process could be started: ${(error as Error).message}`)
    }
  }

  #awaitRoom(): void {
    this.#noRoomSince ??= performance.now()
    this.#roomTimer ??= setTimeout(() => this.#tryForRoom(), roomMs)
  }

  #tryForRoom(): void {
    clearTimeout(this.#roomTimer)
    this.#roomTimer = undefined
    this.#schedule()
  }

  #exited(live: Live, state: Running, exit: ProgramExit): void {
    this.#running.delete(live)
    if (this.#running.size === 0) this.#rest()
    this.#tryForRoom()
    state.stdout.end()
    state.stderr.end()
    state.events.close()
    if (exit.left.length > 0) {
      live.warn(
        'left',
        `Processes ${exit.left.join(', ')} could not be killed: they hang in the system itself.`,
      )
    }
    if (this.#kind.settle === undefined) this.#judged(live, state, exit, undefined)
    else void this.#settle(live, state, exit)
  }

  async #settle(live: Live, state: Running, exit: ProgramExit): Promise<void> {
    const stopped = live.verdict !== undefined
    const end = { exit, stopped, lastWords: wordsOf(state) }
    try {
      this.#judged(live, state, exit, await this.#kind.settle?.(live.attempt, end))
    } catch (error) {
      live.warn('left', (error as Error).message)
      this.#judged(live, state, exit, undefined)
    }
  }

  #judged(live: Live, state: Running, exit: ProgramExit, verdict: ProgramVerdict | undefined): void {
    const usage: Usage = {
      ...(exit.cpuMs !== undefined && this.#kind.elsewhere !== true && { cpuMs: exit.cpuMs }),
      ...(state.maxRssBytes > 0 && { maxRssBytes: state.maxRssBytes }),
    }
    if (live.verdict !== undefined) live.stopped(usage)
    else if (verdict !== undefined && 'lost' in verdict) live.lost(verdict.lost)
    else if (verdict !== undefined) live.fail(verdict.reason, verdict.error, verdict.retryable, usage)
    else if (exit.code === 0) this.#succeeded(live, state, usage)
    else {
      const { label, exitCodes } = state
      const { error, retryable } = exitFailure(live.attempt.task, label, exit, exitCodes, wordsOf(state))
      live.fail('error', error, retryable, usage)
    }
  }

  #succeeded(live: Live, state: Running, usage: Usage): void {
    const { resultBytes } = this.#attempts.limits
    const read = readResult(state.files.result, resultBytes)
    if (read.kind === 'too-large') {
      const what = 'result (ALMANAC_RESULT)'
      live.fail(
        'outputs',
        errorRecord('ALM_OUTPUT_LIMIT', { limit: bytesText(resultBytes), what }),
        true,
        usage,
      )
      return
    }
    const named = programValues(live.attempt.task, read)
    if ('values' in named) live.succeed(named.values, usage)
    else live.fail('outputs', errorRecord('ALM_RESULT_REFUSED', { why: named.refused }), true, usage)
  }

  #beat(): void {
    if (this.#stopPulse !== undefined || this.#running.size === 0) return
    const { clock } = this.#options
    this.#stopPulse = clock.at(clock.now() + pulseMs, () => {
      this.#stopPulse = undefined
      for (const live of this.#running) live.state?.events.read()
      if (++this.#pulses % 2 === 0 && this.#kind.elsewhere !== true) this.#weigh()
      this.#beat()
    })
  }

  #rest(): void {
    this.#stopPulse?.()
    this.#stopPulse = undefined
  }

  /** Memory of the attempts that declare some: over it they are ended. */
  #weigh(): void {
    const groups = new Map<number, Live>()
    for (const live of this.#running) {
      const group = live.state?.program.group
      if (live.attempt.memoryBytes > 0 && group !== undefined) groups.set(group, live)
    }
    if (groups.size === 0) return
    for (const [group, pids] of groupMembers(new Set(groups.keys())) ?? []) {
      const live = groups.get(group)
      if (live?.state === undefined) continue
      const limit = live.attempt.memoryBytes
      // the exact figure is dear, and needed only where the rough one is over the limit
      const rough = residentAtMost(pids)
      const bytes = rough > limit ? resident(pids) : rough
      live.state.maxRssBytes = Math.max(live.state.maxRssBytes, bytes)
      if (bytes <= limit) continue
      const why = `it used ${bytesText(bytes)}, and ${bytesText(limit)} are declared`
      live.stop(
        { kind: 'failed', reason: 'memory', error: errorRecord('ALM_TASK_MEMORY', { why }), retryable: true },
        0,
      )
    }
  }
}
