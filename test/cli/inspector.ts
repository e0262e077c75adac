import { decode } from '@jridgewell/sourcemap-codec'

/** A program of Node under its inspector, as a debugger speaks with it. */
export class Inspector {
  readonly #socket: WebSocket
  readonly #answers = new Map<number, (answer: Answer) => void>()
  readonly #events: Event[] = []
  readonly #waiters = new Set<() => void>()
  #id = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.onmessage = ({ data }) => this.#heard(JSON.parse(String(data)) as Answer & Event)
  }

  static connect(url: string): Promise<Inspector> {
    const socket = new WebSocket(url)
    return new Promise((resolve, reject) => {
      const inspector = new Inspector(socket)
      socket.onopen = () => resolve(inspector)
      socket.onerror = () => reject(new Error(`no inspector at ${url}`))
    })
  }

  send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.#id
    this.#socket.send(JSON.stringify({ id, method, params }))
    return new Promise((resolve, reject) =>
      this.#answers.set(id, ({ result, error }) =>
        error === undefined ? resolve(result ?? {}) : reject(new Error(`${method}: ${error.message}`)),
      ),
    )
  }

  /** The first event that fits, of those that came and those that come; it is taken. */
  async event<P>(method: string, fits: (params: P) => boolean = () => true): Promise<P> {
    for (;;) {
      const at = this.#events.findIndex((event) => event.method === method && fits(event.params as P))
      if (at >= 0) return this.#events.splice(at, 1)[0]?.params as P
      await new Promise<void>((resolve) => this.#waiters.add(resolve))
    }
  }

  close(): void {
    this.#socket.close()
  }

  #heard(message: Answer & Event): void {
    if (message.id !== undefined) this.#answers.get(message.id)?.(message)
    else this.#events.push(message)
    for (const waiter of this.#waiters) waiter()
    this.#waiters.clear()
  }
}

interface Answer {
  readonly id?: number
  readonly result?: Record<string, unknown>
  readonly error?: { readonly message: string }
}

interface Event {
  readonly method: string
  readonly params: unknown
}

/** Where a script's lines come from, as its source map has it: both counted from 0. */
export class ScriptLines {
  readonly #sources: readonly string[]
  readonly #mappings: ReturnType<typeof decode>

  constructor(sourceMapUrl: string) {
    const map = JSON.parse(
      Buffer.from(sourceMapUrl.slice(sourceMapUrl.indexOf(',') + 1), 'base64').toString(),
    ) as {
      readonly sources: readonly string[]
      readonly mappings: string
    }
    this.#sources = map.sources
    this.#mappings = decode(map.mappings)
  }

  /** The place in the script of an author's line. */
  generated(file: string, line: number): { readonly lineNumber: number; readonly columnNumber: number } {
    for (const [lineNumber, segments] of this.#mappings.entries()) {
      const found = segments.find(
        ([, source, at]) => at === line && this.#sources[source ?? -1]?.endsWith(file),
      )
      if (found !== undefined) return { lineNumber, columnNumber: found[0] }
    }
    throw new Error(`${file} has no line ${line} in ${this.#sources.join(', ')}`)
  }

  /** The author's place of one in the script. */
  original(lineNumber: number, columnNumber: number): readonly [file: string, line: number] {
    const before = (this.#mappings[lineNumber] ?? []).filter(([column]) => column <= columnNumber)
    const [, source = -1, line = -1] = before.at(-1) ?? []
    return [this.#sources[source]?.replace(/^.*\//, '') ?? '', line]
  }
}
