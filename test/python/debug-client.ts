import { connect } from 'node:net'

/** As much of the Debug Adapter Protocol as the test needs. */
export class DebugClient {
  readonly #socket
  #rest = Buffer.alloc(0)
  #seq = 0
  readonly #answers = new Map<number, (body: Record<string, unknown>) => void>()
  readonly #events: { readonly event: string; readonly body: Record<string, unknown> }[] = []
  #wake: () => void = () => undefined

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.on('error', () => undefined)
    this.#socket.on('data', (chunk: Buffer) => {
      this.#rest = Buffer.concat([this.#rest, chunk])
      this.#read()
    })
  }

  send(command: string, body: object): number {
    this.#seq += 1
    const text = JSON.stringify({ seq: this.#seq, type: 'request', command, arguments: body })
    this.#socket.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
    return this.#seq
  }

  request(command: string, body: object): Promise<Record<string, unknown>> {
    return new Promise((resolve) => {
      this.#answers.set(this.send(command, body), resolve)
    })
  }

  /** The next event of that name. */
  async event(name: string): Promise<Record<string, unknown>> {
    for (;;) {
      const at = this.#events.findIndex(({ event }) => event === name)
      if (at >= 0) return this.#events.splice(at, 1)[0]?.body ?? {}
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(): void {
    for (;;) {
      const [head, length] = /^Content-Length: (\d+)\r\n\r\n/.exec(this.#rest.toString('latin1', 0, 64)) ?? []
      if (head === undefined || this.#rest.length < head.length + Number(length)) return
      const end = head.length + Number(length)
      const message = JSON.parse(this.#rest.toString('utf8', head.length, end)) as {
        readonly type: string
        readonly event?: string
        readonly request_seq?: number
        readonly body?: Record<string, unknown>
      }
      this.#rest = this.#rest.subarray(end)
      if (message.event !== undefined) this.#events.push({ event: message.event, body: message.body ?? {} })
      else this.#answers.get(message.request_seq ?? 0)?.(message.body ?? {})
      this.#wake()
    }
  }
}
