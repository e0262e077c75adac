import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What happens to one request. */
export type Fault =
  /** the answer is this, and the server never hears of it */
  | { readonly kind: 'status'; readonly status: number; readonly code: string }
  /** the connection is cut after so many bytes of the answer's body */
  | { readonly kind: 'cut'; readonly after: number }
  /** the connection is cut while the request's body is sent */
  | { readonly kind: 'refuse' }
  /** the answer's body ends early, and its head says so: a whole answer with half an object */
  | { readonly kind: 'shorten'; readonly to: number }
  /** the head says more bytes than the body has, and the connection stays open */
  | { readonly kind: 'lie'; readonly more: number }
  /** a byte of the answer's body is another, and no checksum tells */
  | { readonly kind: 'flip' }
  /** the same, and the checksums are of the body as it was */
  | { readonly kind: 'corrupt' }
  /** the body stops in the middle, and the connection stays open */
  | { readonly kind: 'hang' }
  /** the server does it, and the answer is lost */
  | { readonly kind: 'lose' }

export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  /** bytes of the request's body */
  readonly size: number
}

/** A server between the store and its client, which does harm where it is told to. */
export interface FaultyProxy {
  readonly endpoint: string
  /** all that was asked since the proxy began */
  readonly asked: Asked[]
  /** decides for each request; undefined: it goes through */
  fault: (asked: Asked) => Fault | undefined
  close(): Promise<void>
}

export async function startProxy(target: string): Promise<FaultyProxy> {
  const asked: Asked[] = []
  const server = createServer((incoming, answer) => {
    const pieces: Buffer[] = []
    incoming.on('data', (piece: Buffer) => pieces.push(piece))
    incoming.on('end', () => {
      const body = Buffer.concat(pieces)
      const url = new URL(incoming.url ?? '/', target)
      const one: Asked = {
        method: incoming.method ?? '',
        path: decodeURIComponent(url.pathname),
        query: url.searchParams,
        headers: incoming.headers,
        size: body.length,
      }
      asked.push(one)
      const fault = proxy.fault(one)
      if (fault?.kind === 'status') return refuse(answer, fault)
      if (fault?.kind === 'refuse') return void incoming.socket.destroy()
      forward(target, incoming, body, answer, fault)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy: FaultyProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    fault: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return proxy
}

function refuse(answer: ServerResponse, { status, code }: Extract<Fault, { kind: 'status' }>): void {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>as told</Message></Error>`
  answer.writeHead(status, { 'content-type': 'application/xml', 'content-length': body.length })
  answer.end(body)
}

function forward(
  target: string,
  incoming: IncomingMessage,
  body: Buffer,
  answer: ServerResponse,
  fault: Fault | undefined,
): void {
  const { hostname, port } = new URL(target)
  // the signature is of the name that the client used
  const passed = request({
    hostname,
    port,
    path: incoming.url,
    method: incoming.method,
    headers: incoming.headers,
  })
  passed.on('error', () => incoming.socket.destroy())
  passed.on('response', (response) => {
    const pieces: Buffer[] = []
    response.on('data', (piece: Buffer) => pieces.push(piece))
    response.on('end', () => {
      give(incoming, answer, response, Buffer.concat(pieces), fault)
    })
  })
  passed.end(body)
}

function give(
  incoming: IncomingMessage,
  answer: ServerResponse,
  { statusCode = 500, headers }: IncomingMessage,
  body: Buffer,
  fault: Fault | undefined,
): void {
  const head = { ...headers }
  delete head['transfer-encoding']
  if (incoming.method === 'HEAD') {
    answer.writeHead(statusCode, head)
    return void answer.end()
  }
  const begin = (length: number, less: readonly string[] = []) => {
    for (const name of less) delete head[name]
    answer.writeHead(statusCode, { ...head, 'content-length': length })
  }
  const checksums = Object.keys(head).filter((name) => name.startsWith('x-amz-checksum'))
  if (fault?.kind === 'lose') return void incoming.socket.destroy()
  if (fault?.kind === 'cut') {
    begin(body.length)
    return void answer.write(body.subarray(0, fault.after), () => incoming.socket.destroy())
  }
  if (fault?.kind === 'hang') {
    begin(body.length)
    return void answer.write(body.subarray(0, Math.floor(body.length / 2)))
  }
  if (fault?.kind === 'lie') {
    begin(body.length + fault.more)
    return void answer.write(body)
  }
  if (fault?.kind === 'shorten') {
    begin(Math.min(fault.to, body.length), checksums)
    return void answer.end(body.subarray(0, fault.to))
  }
  if (fault?.kind === 'flip') {
    begin(body.length, checksums)
    return void answer.end(body.map((byte, at) => (at === 0 ? byte ^ 1 : byte)))
  }
  begin(body.length)
  answer.end(fault?.kind === 'corrupt' ? body.map((byte, at) => (at === 0 ? byte ^ 1 : byte)) : body)
}
