import type { Report, ThreadStart } from './messages.ts'
import type { Parts } from './values.ts'

/** A function that computes for long is heard so often, ms. */
const sayEveryMs = 20

/** What a thread tells its host, several reports to a message. Owns those that were not sent yet. */
export class Outgoing {
  readonly #port: ThreadStart['port']
  #reports: Report[] = []
  #buffers: [number, SharedArrayBuffer][] = []
  #parts: Parts = []
  #sentAt = 0
  /** it is sent when other work has had its turn, or when the function that says it rests */
  #sendsSoon = false
  #sendsAtRest = false
  /** attempts are being executed: whoever does so sends in between */
  executing = false

  constructor(port: ThreadStart['port']) {
    this.#port = port
  }

  /** Parts of values that go with what is sent next. */
  get parts(): Parts {
    return this.#parts
  }

  /** A buffer that the host does not know. */
  introduce(id: number, buffer: SharedArrayBuffer): void {
    this.#buffers.push([id, buffer])
  }

  add(report: Report): void {
    this.#reports.push(report)
    if (this.executing || this.#sendsSoon) return
    this.#sendsSoon = true
    setImmediate(() => {
      this.#sendsSoon = false
      this.send()
    })
  }

  /** A function that computes for long is heard while it does; what waits, at once but for what it says in one go. */
  say(report: Report): void {
    this.#reports.push(report)
    if (this.executing) {
      if (this.msSince(performance.now()) > sayEveryMs) this.send()
      return
    }
    if (this.#sendsAtRest) return
    this.#sendsAtRest = true
    queueMicrotask(() => {
      this.#sendsAtRest = false
      this.send()
    })
  }

  /** How long ago something was sent. */
  msSince(now: number): number {
    return now - this.#sentAt
  }

  send(): void {
    if (this.#reports.length === 0) return
    const text = JSON.stringify(this.#reports)
    this.#reports = []
    this.#sentAt = performance.now()
    if (this.#buffers.length === 0 && this.#parts.length === 0) return this.#port.postMessage(text)
    const message = { text, buffers: this.#buffers, parts: this.#parts }
    this.#buffers = []
    this.#parts = []
    this.#port.postMessage(message)
  }
}
