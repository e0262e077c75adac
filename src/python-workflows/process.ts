import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { StringDecoder } from 'node:string_decoder'
import { fileURLToPath } from 'node:url'
import { AlmanacError, isAlmanacError } from '../model/errors.ts'
import { parseLine, type Said } from './messages.ts'

export interface ProcessEvents {
  said(message: Said): void
  /** it is gone, and why */
  exited(why: string | AlmanacError): void
}

/** How it is started. */
export interface ProcessStart {
  readonly python: string
  /** first on its path */
  readonly directory: string
  /** on the terminal, under a debugger */
  readonly debug?: 'pdb' | 'debugpy'
}

/** exit code of `debugger.py` */
const noDebugpy = 93

const entry = fileURLToPath(new URL('../../python/almanac/_host/__main__.py', import.meta.url))

/**
 * One Python process that workflow functions live in. Owns the process and its socket.
 *
 * P1 `exited` is called exactly once, and nothing is said after it
 * P2 what is sent in one turn of the event loop leaves together
 */
export class WorkflowProcess {
  readonly #child: ChildProcess
  readonly #socket: Socket
  readonly #events: ProcessEvents
  readonly #decoder = new StringDecoder('utf8')
  readonly #exit: Promise<void>
  /** parts of a line that has not ended */
  #rest: string[] = []
  #outgoing: string[] = []
  #doom: string | undefined
  #isGone = false

  constructor({ python, directory, debug }: ProcessStart, events: ProcessEvents) {
    this.#events = events
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#exit = promise
    this.#child = spawn(python, ['-X', 'utf8', entry], {
      // what it prints is for people: standard output is the run's, which may be JSON
      stdio: debug === undefined ? ['ignore', 2, 2, 'pipe'] : ['inherit', 2, 2, 'pipe'],
      // the terminal's Ctrl-C is for the run process to hear; a debugger has the terminal
      detached: debug === undefined,
    })
    this.#socket = this.#child.stdio[3] as Socket
    this.#socket.on('data', (chunk: Buffer) => this.#received(chunk))
    this.#socket.on('error', () => undefined)
    const gone = (why: string | AlmanacError): void => {
      if (this.#isGone) return
      this.#isGone = true
      events.exited(this.#doom ?? why)
      resolve()
    }
    this.#child.on('error', (error) => gone(error.message))
    this.#child.on('close', (code, signal) =>
      gone(
        code === noDebugpy && debug === 'debugpy'
          ? new AlmanacError('ALM_TOOL_MISSING', {
              what: 'debugpy',
              how: `Install it for the interpreter of workflows: ${python} -m pip install debugpy`,
            })
          : signal === null
            ? `it ended with exit code ${code}`
            : `it was ended by ${signal}`,
      ),
    )
    // it does not keep a program alive that has nothing else to do
    this.#child.unref()
    this.#socket.unref()
    this.send(JSON.stringify(['config', { directory, parent: process.pid, debug: debug ?? null }]))
  }

  /** Queues a message. */
  send(message: string): void {
    this.#outgoing.push(message)
    if (this.#outgoing.length === 1) queueMicrotask(() => this.#flush())
  }

  /** Is a program to wait for it? */
  keepAlive(isNeeded: boolean): void {
    // the child too: what it ends of is told after its socket has closed
    for (const one of [this.#socket, this.#child]) isNeeded ? one.ref() : one.unref()
  }

  /** Ends it; what it has under way is lost. */
  async end(why: string): Promise<void> {
    this.#doom ??= why
    this.#child.ref()
    this.#socket.destroy()
    if (!this.#isGone) this.#child.kill('SIGKILL')
    await this.#exit
  }

  #flush(): void {
    const line = `[${this.#outgoing.join(',')}]\n`
    this.#outgoing = []
    if (!this.#isGone) this.#socket.write(line)
  }

  #received(chunk: Buffer): void {
    const text = this.#decoder.write(chunk)
    let from = 0
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
      this.#rest.push(text.slice(from, at))
      from = at + 1
      const line = this.#rest.join('')
      this.#rest = []
      if (!this.#take(line)) return
    }
    if (from < text.length) this.#rest.push(text.slice(from))
  }

  #take(line: string): boolean {
    try {
      for (const message of parseLine(line)) if (!this.#isGone) this.#events.said(message)
      return true
    } catch (error) {
      this.#doom = isAlmanacError(error) ? error.message : String((error as Error).stack)
      this.#child.kill('SIGKILL')
      return false
    }
  }
}
