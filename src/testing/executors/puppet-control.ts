import { mkdtempSync, rmSync } from 'node:fs'
import type { Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/**
 * Tasks that do what a test tells them, step by step, in whatever process and language they run: a task connects to
 * the test's unix socket and speaks JSON lines.
 *
 *   task  {"hello":"<token>","pid":12}         the token is the one of its arguments
 *   test  {"id":1,"do":"log","stream":"stdout","text":"…"}        writes the text and a line end, flushed
 *         {"id":2,"do":"flood","bytes":1000000}                   writes lines of 99 characters to stdout, flushed
 *         {"id":3,"do":"say","line":{"type":"event","name":…}}    as tasks of its kind say it (heartbeat too)
 *         {"id":4,"do":"stubborn"}               ignores requests to stop from now on, and tells of them
 *         {"id":5,"do":"child"}                  starts a process that lives until it is killed
 *         {"id":6,"do":"succeed","value":…}      returns the value
 *         {"id":7,"do":"fail","message":"…"}     fails as tasks of its kind do
 *         {"id":8,"do":"die"}                    kills its own process by SIGKILL
 *   task  {"id":1,"ok":true}                     done; for `child` with `pid`; for the last three, before they are done
 *         {"told":"stop"}                        a request to stop came while stubborn
 *
 * Until it is told to end it waits. When the connection ends it fails.
 */
export type Order =
  | { readonly do: 'log'; readonly stream: 'stdout' | 'stderr'; readonly text: string }
  | { readonly do: 'flood'; readonly bytes: number }
  | { readonly do: 'say'; readonly line: Readonly<Record<string, unknown>> }
  | { readonly do: 'stubborn' | 'child' | 'die' }
  | { readonly do: 'succeed'; readonly value: unknown }
  | { readonly do: 'fail'; readonly message: string }

export interface Reply {
  readonly id: number
  readonly ok: true
  readonly pid?: number
}

/** One connected task. */
export class Puppet {
  readonly pid: number
  /** resolves when its connection has ended: its process is dead, or it has let go */
  readonly gone: Promise<void>
  readonly #socket: Socket
  readonly #replies = new Map<number, (reply: Reply) => void>()
  #orders = 0
  #toldToStop = 0
  readonly #stopWaits: (() => void)[] = []

  constructor(pid: number, socket: Socket) {
    this.pid = pid
    this.#socket = socket
    this.gone = new Promise((resolve) => {
      socket.once('close', () => resolve())
    })
  }

  tell(order: Order): Promise<Reply> {
    const id = ++this.#orders
    return new Promise((resolve, reject) => {
      this.#replies.set(id, resolve)
      void this.gone.then(() => reject(new Error(`the puppet went before it answered ${order.do}`)))
      this.#socket.write(`${JSON.stringify({ id, ...order })}\n`)
    })
  }

  /** Resolves when a stubborn puppet has been asked to stop. */
  askedToStop(): Promise<void> {
    if (this.#toldToStop > 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#stopWaits.push(resolve)
      void this.gone.then(() => reject(new Error('the puppet went before it was asked to stop')))
    })
  }

  /** A line from the task. */
  hear(line: { readonly id?: number; readonly told?: string }): void {
    if (line.told === 'stop') {
      this.#toldToStop++
      for (const go of this.#stopWaits.splice(0)) go()
    } else if (line.id !== undefined) {
      this.#replies.get(line.id)?.(line as Reply)
      this.#replies.delete(line.id)
    }
  }
}

/** The test's end: a socket that puppets connect to. */
export class PuppetControl {
  readonly address: string
  readonly #folder: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #here = new Map<string, Puppet>()
  readonly #awaited = new Map<string, (puppet: Puppet) => void>()

  private constructor(folder: string) {
    this.#folder = folder
    this.address = join(folder, 'control')
    this.#server = createServer((socket) => this.#connected(socket))
  }

  static async open(): Promise<PuppetControl> {
    const control = new PuppetControl(mkdtempSync(join(tmpdir(), 'puppets-')))
    await new Promise<void>((resolve) => {
      control.#server.listen(control.address, resolve)
    })
    return control
  }

  /** The puppet with this token, when it has connected. */
  puppet(token: string): Promise<Puppet> {
    const here = this.#here.get(token)
    if (here !== undefined) return Promise.resolve(here)
    return new Promise((resolve) => {
      this.#awaited.set(token, resolve)
    })
  }

  /** Ends all connections: puppets that are left fail. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => {
      this.#server.close(resolve)
    })
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #connected(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    let puppet: Puppet | undefined
    const lines = createInterface({ input: socket })
    // readline tells of the socket's errors once more
    lines.on('error', () => socket.destroy())
    lines.on('line', (text) => {
      const line = JSON.parse(text) as { hello?: string; pid?: number; id?: number; told?: string }
      if (puppet !== undefined) {
        puppet.hear(line)
      } else if (line.hello !== undefined && line.pid !== undefined) {
        puppet = new Puppet(line.pid, socket)
        this.#here.set(line.hello, puppet)
        this.#awaited.get(line.hello)?.(puppet)
      }
    })
  }
}
