import { AsyncLocalStorage } from 'node:async_hooks'
import { Console } from 'node:console'
import { Writable } from 'node:stream'
import type { LogLine } from '../../ports/executor.ts'
import { LineSplitter, splitLines } from '../log-lines.ts'

/** Where the console of a task goes. */
export interface TaskLog {
  readonly ended: boolean
  lines(stream: LogLine['stream'], texts: readonly string[]): void
}

/**
 * Where functions of tasks are called one after another. Most have ended when they return: they can have one seat in turn,
 * as one for each would cost more than they do. One that goes on keeps the seat that it began in.
 */
export interface Seat {
  /** whose console it is */
  log: TaskLog | undefined
}

type Method = (...args: unknown[]) => unknown
type Methods = Record<string, Method>

/** Methods that print, or that what is printed depends on. */
const captured = [
  ...['log', 'info', 'debug', 'warn', 'error', 'trace', 'assert', 'dir', 'dirxml', 'table', 'clear'],
  ...['group', 'groupCollapsed', 'groupEnd', 'count', 'countReset', 'time', 'timeLog', 'timeEnd'],
]

/** so long are the lines of a log at most */
const maxLine = 2 ** 16

const methods = console as unknown as Methods

/**
 * The console of the process, captured for tasks. Owns what the console's methods were before, while a user is left.
 *
 * C1 the methods are replaced from the first `open` to the last `close`, and then are the very ones they were.
 * C2 what is called outside a task, or after its attempt has ended, goes where it would have gone.
 * C3 what a task calls goes to its log and nowhere else.
 *
 * There is one console in a process, so there is one capture: executors share it, and a task of one that runs tasks
 * of another is told apart by the innermost.
 */
class ConsoleCapture {
  readonly #seats = new AsyncLocalStorage<Seat>()
  readonly #consoles = new WeakMap<TaskLog, Methods>()
  #replaced: readonly { readonly name: string; readonly original: Method; readonly ours: Method }[] = []
  #users = 0

  open(): void {
    if (this.#users++ > 0) return
    this.#replaced = captured.map((name) => {
      const original = methods[name] as Method
      const ours: Method = (...args) => this.#call(name, original, args)
      methods[name] = ours
      return { name, original, ours }
    })
  }

  /**
   * In a thread that only runs tasks, what they write to the streams of the process is theirs too, to its end. (In the
   * process itself others write there in their name, such as who shows what they log.)
   */
  openStreams(): void {
    for (const name of ['stdout', 'stderr'] as const) {
      const stream = process[name] as { write: Method }
      const original = stream.write
      stream.write = (...args) => {
        const log = this.#seats.getStore()?.log
        const [chunk, ...more] = args
        // of what cannot be written the stream says so
        const text = chunk instanceof Uint8Array ? Buffer.from(chunk).toString() : chunk
        if (log === undefined || log.ended || typeof text !== 'string') return original.apply(stream, args)
        log.lines(name, splitLines(text, maxLine))
        const done = more.find((one) => typeof one === 'function')
        if (done !== undefined) process.nextTick(done as () => void)
        return true
      }
    }
  }

  close(): void {
    if (this.#users === 0 || --this.#users > 0) return
    for (const { name, original, ours } of this.#replaced) {
      // someone else may have replaced it since: theirs stays, and calls ours, which passes on
      if (methods[name] === ours) methods[name] = original
    }
    this.#replaced = []
  }

  /** Calls the function of a task; the console of all that it starts is the task's. */
  run<A extends unknown[], R>(log: TaskLog, call: (...args: A) => R, ...args: A): R {
    return this.#seats.run({ log }, call, ...args)
  }

  /** Runs `work` in a seat of its own: the console of all that it starts is that of whoever sits there. */
  seat<R>(work: (seat: Seat) => R): R {
    const seat: Seat = { log: undefined }
    return this.#seats.run(seat, work, seat)
  }

  /** Whose code this is. */
  current(): TaskLog | undefined {
    return this.#seats.getStore()?.log
  }

  #call(name: string, original: Method, args: unknown[]): unknown {
    const log = this.#seats.getStore()?.log
    if (log === undefined || log.ended) return original.apply(console, args)
    return this.#console(log)[name]?.(...args)
  }

  /** A real console for each task that uses one: groups, counts and timers are its own. */
  #console(log: TaskLog): Methods {
    let own = this.#consoles.get(log)
    if (own === undefined) {
      const made = new Console({ stdout: lineWriter(log, 'stdout'), stderr: lineWriter(log, 'stderr') })
      own = made as unknown as Methods
      this.#consoles.set(log, own)
    }
    return own
  }
}

export const consoleCapture: Pick<
  ConsoleCapture,
  'open' | 'openStreams' | 'close' | 'run' | 'seat' | 'current'
> = new ConsoleCapture()

function lineWriter(log: TaskLog, stream: LogLine['stream']): Writable {
  const splitter = new LineSplitter(maxLine)
  return new Writable({
    write: (chunk: Uint8Array, _encoding, done) => {
      log.lines(stream, splitter.push(chunk))
      done()
    },
  })
}
