import type { ChildProcess, StdioOptions } from 'node:child_process'
import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { isAlmanacError } from '../../model/errors.ts'
import type { Job } from '../jobs/job.ts'
import type { AttemptLimits } from '../limits.ts'
import { groupMembers } from '../programs/process-groups.ts'
import { isExhausted } from '../programs/program-failures.ts'
import type { Capture } from './capture.ts'
import { FrameReader, frameOf, framesOf } from './frames.ts'
import type { WorkerMessage } from './messages.ts'
import { parseMessage } from './messages.ts'
import { Outgoing } from './outgoing.ts'

/** How worker processes of one group are started. */
export interface WorkerStart {
  /** number of the worker in its executor: its handles begin with it */
  readonly id: number
  readonly holder: string
  readonly python: string
  /** an environment of our own making, into which nothing of the machine's shall reach */
  readonly isolated: boolean
  readonly directory: string
  readonly env: Readonly<Record<string, string>>
  /** environment variables that are for the interpreter only, not for what tasks start */
  readonly unset: readonly string[]
  /** beginnings of the paths of shared files, the preferred one first */
  readonly places: readonly string[]
  readonly limits: AttemptLimits
  readonly debug?: 'pdb' | 'debugpy'
}

export interface WorkerEvents {
  message(message: WorkerMessage): void
  /** the process and its group are gone; `why` where it was not asked to end */
  exited(exit: WorkerExit): void
}

export interface WorkerExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** why the host ended it, if it did */
  readonly doom: string | undefined
  /** there was no room for it: it was never started, and may be some other time */
  readonly noRoom?: true
}

/**
 * One Python process. Owns the process and its two sockets.
 *
 * P1 `exited` is called exactly once, after the process and all of its group were ended
 * P2 no message is delivered after `exited`
 */
export class WorkerProcess {
  readonly pid: number | undefined
  /** these are not there where the system refused to start it at once */
  readonly #child: ChildProcess | undefined
  readonly #data: Socket | undefined
  readonly #control: Socket | undefined
  readonly #reader = new FrameReader()
  readonly #events: WorkerEvents
  readonly #grouped: boolean
  readonly #outgoing = new Outgoing()
  #scheduled = false
  #holds = true
  #doom: string | undefined
  #noRoom = false
  #leaving = false
  #exited = false

  constructor(start: WorkerStart, capture: Capture | undefined, events: WorkerEvents) {
    this.#events = events
    this.#grouped = start.debug === undefined
    this.#child = this.#spawned(start, capture)
    this.pid = this.#child?.pid
    this.#data = this.#child?.stdio[3] as Socket | undefined
    this.#control = this.#child?.stdio[4] as Socket | undefined
    this.#data?.on('data', (chunk: Buffer) => this.#received(chunk))
    for (const socket of [this.#data, this.#control]) socket?.on('error', () => undefined)
    this.#child?.on('error', (error) => {
      this.#doom ??= error.message
      this.#noRoom = this.pid === undefined && isExhausted(error)
      if (this.pid === undefined) this.#gone(null, null)
    })
    this.#child?.on('exit', (code, signal) => this.#gone(code, signal))
    this.send(['config', configOf(start, capture?.eventsPath ?? '')])
  }

  /** Some of what the system refuses is said at once (E2BIG, ENOMEM), and heard like the rest of it. */
  #spawned(start: WorkerStart, capture: Capture | undefined): ChildProcess | undefined {
    const [out, err]: readonly (number | 'inherit')[] = capture?.descriptors ?? ['inherit', 'inherit']
    const stdio: StdioOptions = [this.#grouped ? 'ignore' : 'inherit', out, err, 'pipe', 'pipe']
    try {
      return spawn(start.python, [...(start.isolated ? ['-I'] : []), '-X', 'utf8', entry], {
        stdio,
        // a group of its own: it can be ended whole, and the terminal's Ctrl-C is the host's to hear
        detached: this.#grouped,
        env: { ...start.env },
      })
    } catch (error) {
      this.#doom = (error as Error).message
      this.#noRoom = isExhausted(error)
      setImmediate(() => this.#gone(null, null))
      return undefined
    }
  }

  /** Queues a message for between tasks; all of one turn of the loop go in one frame. */
  send(message: readonly unknown[]): void {
    this.#outgoing.add(JSON.stringify(message))
    this.#schedule()
  }

  /** An attempt; `inputs` is JSON already. */
  sendRun(job: Job, inputs: string): void {
    this.#outgoing.addRun(job, inputs)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => this.flush())
  }

  /** Heard even while a task runs. */
  tell(message: readonly unknown[]): void {
    if (!this.#exited) this.#control?.write(frameOf([JSON.stringify(message)]))
  }

  /** Is a program to wait for it? */
  hold(isNeeded: boolean): void {
    if (this.#holds === isNeeded) return
    this.#holds = isNeeded
    // the child too: what it ends of is told after its sockets have closed
    for (const one of [this.#child, this.#data, this.#control]) isNeeded ? one?.ref() : one?.unref()
  }

  /** Ends it when it has done what it was sent. */
  stop(): void {
    this.#doom ??= 'it was asked to stop'
    this.send(['stop'])
  }

  /** Ends it and its children at once. */
  kill(why: string): void {
    this.#doom ??= why
    // when it has ended its group is ended anyway, and once that is gone its number may be another's
    if (this.#leaving) return
    this.#killGroup()
    if (!this.#grouped) this.#child?.kill('SIGKILL')
  }

  /** Sends what is queued: before the turn ends, where its end is far. */
  flush(): void {
    this.#scheduled = false
    const messages = this.#outgoing.take()
    if (this.#exited) return
    for (const frame of framesOf(messages)) this.#data?.write(frame)
  }

  #received(chunk: Buffer): void {
    if (this.#exited) return
    try {
      for (const message of this.#reader.push(chunk)) this.#events.message(parseMessage(message))
    } catch (error) {
      if (!isAlmanacError(error)) throw error
      this.kill(String(error.details['why']))
    }
  }

  #gone(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#leaving) return
    this.#leaving = true
    void Promise.all([this.#groupGone(), this.#drained()]).then(() => {
      this.#exited = true
      this.#data?.destroy()
      this.#control?.destroy()
      this.#events.exited({ code, signal, doom: this.#doom, ...(this.#noRoom && { noRoom: true }) })
    })
  }

  /** What it had written before it died is still in the socket. */
  #drained(): Promise<void> {
    const data = this.#data
    return new Promise((resolve) => {
      if (this.pid === undefined || data === undefined || data.readableEnded || data.destroyed) {
        resolve()
        return
      }
      // a process that it forked, and that left its group, holds the socket open for as long as it likes
      // and what is there to be read comes after timers: this process may have stood still meanwhile
      const timer = setTimeout(() => setImmediate(resolve), drainMs)
      data.once('close', () => {
        clearTimeout(timer)
        resolve()
      })
      data.once('end', () => data.destroy())
    })
  }

  /** Ends what is left of its group, and waits until that is dead. */
  async #groupGone(): Promise<void> {
    const group = this.pid
    if (group === undefined) return
    for (let pause = 1; this.#killGroup(); pause = Math.min(2 * pause, 100)) {
      // what is dead and waits to be reaped by others is a member still
      if (groupMembers(new Set([group]))?.get(group)?.length === 0) return
      await new Promise<void>((resolve) => {
        setTimeout(resolve, pause)
      })
    }
  }

  /** False where there is no such group. */
  #killGroup(): boolean {
    if (!this.#grouped || this.pid === undefined) return false
    try {
      process.kill(-this.pid, 'SIGKILL')
      return true
    } catch (error) {
      // EPERM: what is left runs as another user, and is not ours to end
      if (['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return false
      throw error
    }
  }
}

const drainMs = 300

const entry = fileURLToPath(new URL('../../../python/almanac_worker/__main__.py', import.meta.url))

const configOf = (start: WorkerStart, events: string) => ({
  worker: start.id,
  holder: start.holder,
  parent: process.pid,
  directory: start.directory,
  places: start.places,
  events,
  unset: start.unset,
  logBytes: start.limits.logBytes,
  debug: start.debug ?? null,
})
