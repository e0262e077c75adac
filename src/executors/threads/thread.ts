import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { Message, Order, Report, ThreadStart } from './messages.ts'
import { words } from './messages.ts'

/** How a thread ended. */
export interface ThreadExit {
  readonly code: number
  /** what ended it, where it was an error: of Node's own, or thrown while the thread began */
  readonly error: Error | undefined
  /** why the host ended it, if it did */
  readonly doom: string | undefined
}

export interface ThreadEvents {
  report(report: Report, parts: readonly Uint8Array[]): void
  buffer(id: number, buffer: SharedArrayBuffer): void
  exited(exit: ThreadExit): void
}

export interface ThreadOptions {
  readonly number: number
  /** the program of threads */
  readonly program: URL
  readonly heapMb: number
  readonly keeps: number
}

/**
 * A thread and the channel to it. Owns both.
 *
 * P1 `exited` is called exactly once, and nothing is delivered after it
 * P2 orders of one turn travel together
 */
export class Thread {
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #words: Int32Array
  readonly #events: ThreadEvents
  #orders: Order[] = []
  #buffers: [number, SharedArrayBuffer][] = []
  #parts: Uint8Array[] = []
  #scheduled = false
  #error: Error | undefined
  #doom: string | undefined
  #exited = false

  constructor(options: ThreadOptions, events: ThreadEvents) {
    const { number, program, heapMb, keeps } = options
    const { port1, port2 } = new MessageChannel()
    const control = new SharedArrayBuffer(4 * words.count)
    const start: ThreadStart = { almanac: 'thread', port: port2, number, control, keeps }
    this.#events = events
    this.#words = new Int32Array(control)
    this.#port = port1
    this.#worker = new Worker(program, {
      name: `almanac ${number}`,
      workerData: start,
      transferList: [port2],
      // what is young is moved at once where the old has no room: more than V8 adds at the end would take the process down
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: Math.min(48, heapMb / 16) },
    })
    port1.on('message', (message: Message) => this.#hear(message))
    this.#worker.on('error', (error) => {
      this.#error = error instanceof Error ? error : new Error(String(error))
    })
    this.#worker.once('exit', (code) => this.#exit(code))
  }

  /** The place beside the text for large bytes that the next orders speak of. */
  get parts(): Uint8Array[] {
    return this.#parts
  }

  tell(order: Order): void {
    if (this.#exited) return
    this.#orders.push(order)
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => this.flush())
  }

  /** A buffer that the next orders speak of. */
  give(id: number, buffer: SharedArrayBuffer): void {
    this.#buffers.push([id, buffer])
  }

  /** The attempt that was begun last. */
  get begun(): number {
    const begun = Atomics.load(this.#words, words.begun)
    return begun < 0 ? -begun - 1 : begun
  }

  /** Something in it has asked for its signal. */
  get heeds(): boolean {
    return Atomics.load(this.#words, words.heeds) === 1
  }

  /** Nothing begins from now on, until orders say what is recalled; the attempt that was begun last. */
  close(): number {
    for (;;) {
      const begun = Atomics.load(this.#words, words.begun)
      if (begun < 0) return -begun - 1
      if (Atomics.compareExchange(this.#words, words.begun, begun, -begun - 1) === begun) return begun
    }
  }

  kill(why: string): void {
    if (this.#exited) return
    this.#doom ??= why
    void this.#worker.terminate()
  }

  /** Does it keep the process alive? */
  hold(held: boolean): void {
    if (this.#exited) return
    if (held) this.#worker.ref()
    else this.#worker.unref()
    if (held) this.#port.ref()
    else this.#port.unref()
  }

  /** Sends what it was told: before the turn ends, where its end is far. */
  flush(): void {
    this.#scheduled = false
    if (this.#exited || this.#orders.length === 0) return
    const text = JSON.stringify(this.#orders)
    this.#orders = []
    if (this.#buffers.length === 0 && this.#parts.length === 0) return this.#port.postMessage(text)
    const message = { text, buffers: this.#buffers, parts: this.#parts }
    this.#buffers = []
    this.#parts = []
    this.#port.postMessage(message)
  }

  #hear(message: Message): void {
    const { text, buffers, parts } =
      typeof message === 'string' ? { text: message, buffers: [], parts: [] } : message
    for (const [id, buffer] of buffers) this.#events.buffer(id, buffer)
    for (const report of JSON.parse(text) as Report[]) this.#events.report(report, parts)
  }

  /** Takes in what was told and has not been heard. */
  listen(): void {
    for (;;) {
      const next = receiveMessageOnPort(this.#port) as { readonly message: Message } | undefined
      if (next === undefined) return
      this.#hear(next.message)
    }
  }

  #exit(code: number): void {
    this.listen()
    this.#exited = true
    this.#port.close()
    this.#events.exited({ code, error: this.#error, doom: this.#doom })
  }
}
