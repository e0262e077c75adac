import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** What a server does with the request for a path: its first one gets `n = 0`. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse, n: number) => void

/** A server on this machine that behaves as a test tells it, and notes what it was asked. */
export class FaultyServer {
  readonly asked: {
    readonly method: string
    readonly path: string
    readonly headers: IncomingMessage['headers']
  }[] = []
  readonly #server: Server
  readonly #paths = new Map<string, Behaviour>()
  readonly #counts = new Map<string, number>()

  private constructor() {
    this.#server = createServer((request, response) => {
      const path = request.url ?? ''
      this.asked.push({ method: request.method ?? '', path, headers: request.headers })
      const plain = path.replace(/\?.*$/, '')
      const n = this.#counts.get(plain) ?? 0
      this.#counts.set(plain, n + 1)
      const behaviour = this.#paths.get(plain)
      if (behaviour === undefined) response.writeHead(404).end()
      else behaviour(request, response, n)
    })
    this.#server.on('clientError', (_, socket) => socket.destroy())
  }

  static async open(): Promise<FaultyServer> {
    const server = new FaultyServer()
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  url(path: string, host = '127.0.0.1'): string {
    return `http://${host}:${this.port}${path}`
  }

  on(path: string, behaviour: Behaviour): this {
    this.#paths.set(path, behaviour)
    return this
  }

  /** How often a path was asked for. */
  count(path: string): number {
    return this.#counts.get(path) ?? 0
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** Serves it as it should be: ETag, ranges and conditions. */
export function serving(content: string | Buffer, etag = '"v1"'): Behaviour {
  const whole = Buffer.from(content)
  return (request, response) => {
    const { range, 'if-range': ifRange, 'if-none-match': noneMatch } = request.headers
    if (noneMatch === etag) return void response.writeHead(304, { etag }).end()
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0)
    if (from === 0 || (ifRange !== undefined && ifRange !== etag))
      return void response.writeHead(200, { etag, 'content-length': whole.length }).end(whole)
    if (from >= whole.length) return void response.writeHead(416).end()
    const last = whole.length - 1
    const headers = { etag, 'content-range': `bytes ${from}-${last}/${whole.length}` }
    response.writeHead(206, headers).end(whole.subarray(from))
  }
}

/** Serves so many bytes of it, and then cuts the connection. */
export function cutting(content: string | Buffer, at: number, etag = '"v1"'): Behaviour {
  const whole = Buffer.from(content)
  return (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    if (from > 0)
      response.writeHead(206, { etag, 'content-range': `bytes ${from}-${whole.length - 1}/${whole.length}` })
    else response.writeHead(200, { etag, 'content-length': whole.length })
    const part = whole.subarray(from, Math.max(from, at))
    if (part.length === 0) response.flushHeaders()
    response.write(part.length === 0 ? '' : part, () => response.destroy())
  }
}

/** Writes to the socket itself, whatever that is. */
export function raw(text: string): Behaviour {
  return (_, response) => {
    ;(response.socket as Socket).end(text)
  }
}
