import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { encode } from '../model/codec.ts'
import { AlmanacError, isAlmanacError } from '../model/errors.ts'
import type { RunId } from '../model/records.ts'
import type { Value } from '../model/value.ts'
import type { Callback, Journal, Records } from '../ports/journal.ts'
import type { CallbackPlace } from './callback-place.ts'

/** Bytes that may be posted. */
const mostBytes = 2 ** 20
/** Bytes of a request that is refused, which are read and forgotten. */
const mostDiscarded = 2 ** 22
/** A request that is not whole by then is cut off. */
const requestMs = 15_000
const headersMs = 5000
const mostConnections = 256

export interface ListenerParts {
  readonly journal: Pick<Journal, 'answer'>
  readonly records: Pick<Records, 'callback'>
  /** why a value does not fit a JSON Schema; undefined where it does */
  readonly misfit: (schema: object, value: unknown) => string | undefined
  readonly accepted: (run: RunId, call: number) => void
  readonly now: () => number
}

/** An HTTP answer that ends the request. */
class Refused extends Error {
  readonly status: number
  readonly body: object

  constructor(status: number, error: string, more: object = {}) {
    super(error)
    this.status = status
    this.body = { error, ...more }
  }
}

/**
 * What listens for callbacks of all runs of a journal.
 *
 * L1 who does not know a token learns nothing: whatever else is asked for is not found.
 * L2 what is accepted is durable before that is said, and counts once.
 * L3 neither a request nor its sender takes more than a bounded time, number of bytes, or connections.
 */
export async function listenForCallbacks(
  place: CallbackPlace,
  parts: ListenerParts,
): Promise<() => Promise<void>> {
  const server = createServer(
    {
      requestTimeout: requestMs,
      headersTimeout: headersMs,
      connectionsCheckingInterval: 1000,
      maxHeaderSize: 16_384,
    },
    (request, response) => void answered(request, response, parts),
  )
  server.maxConnections = mostConnections
  server.maxRequestsPerSocket = 100
  server.keepAliveTimeout = 5000
  await listening(server, place)
  return () =>
    new Promise((closed) => {
      server.close(() => closed())
      server.closeIdleConnections()
      // what is under way has its time, and no more
      setTimeout(() => server.closeAllConnections(), headersMs).unref()
    })
}

function listening(server: Server, { host, port }: CallbackPlace): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'something listens there already' : error.message
      reject(new AlmanacError('ALM_LISTEN_FAILED', { address: `${host}:${port}`, why }))
    })
    server.listen(port, host, resolve)
  })
}

async function answered(
  request: IncomingMessage,
  response: ServerResponse,
  parts: ListenerParts,
): Promise<void> {
  try {
    const callback = await calledBack(request, parts)
    await accept(request, callback, parts)
    respond(response, 200, { accepted: true })
  } catch (error) {
    if (error instanceof Refused) {
      if (error.status === 405) response.setHeader('allow', 'POST')
      respond(response, error.status, error.body)
    } else respond(response, 500, { error: 'it could not be kept: try again' })
    await discard(request)
  }
  response.end()
}

/** Says all of an answer, and does not end it: that may close the connection. */
function respond(response: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // who sends more than is discarded is cut off
    ...(status !== 200 && { connection: 'close' }),
  })
  response.write(text)
}

/** The callback that a request is for. */
async function calledBack({ url = '' }: IncomingMessage, { records }: ListenerParts): Promise<Callback> {
  const token = /\/callbacks\/([A-Za-z0-9_-]{43})$/.exec(url)?.[1]
  if (token === undefined) throw new Refused(404, 'not found')
  const digest = createHash('sha256').update(token).digest()
  const callback = await records.callback(digest.toString('hex'))
  const isIt = callback?.token !== undefined && timingSafeEqual(Buffer.from(callback.token, 'hex'), digest)
  if (callback === undefined || !isIt) throw new Refused(404, 'not found')
  return callback
}

async function accept(request: IncomingMessage, callback: Callback, parts: ListenerParts): Promise<void> {
  const { run, call } = callback
  if (request.method !== 'POST') throw new Refused(405, 'post to it')
  if (!callback.isOpen) throw new Refused(410, 'it was called before')
  const value = parsed(await bodyOf(request), request.headers['content-type'])
  const issues = parts.misfit(JSON.parse(callback.schemaWire) as object, value)
  if (issues !== undefined) throw new Refused(422, 'it does not fit', { issues })
  try {
    await parts.journal.answer(run, call, wireOf(value), 'callback', parts.now())
  } catch (error) {
    if (isAlmanacError(error) && error.code === 'ALM_ASK_CLOSED')
      throw new Refused(410, 'it was called before')
    throw error
  }
  parts.accepted(run, call)
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const tooLarge = new Refused(413, `at most ${mostBytes} bytes`)
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) throw tooLarge
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of chunksOf(request)) {
    bytes += chunk.length
    if (bytes > mostBytes) throw tooLarge
    chunks.push(chunk)
  }
  return new TextDecoder('utf-8', { fatal: false }).decode(Buffer.concat(chunks))
}

/** The bytes that follow; who stops reading them can still answer. */
const chunksOf = (request: IncomingMessage): AsyncIterable<Buffer> =>
  request.iterator({ destroyOnReturn: false })

/**
 * Reads what else a refused request has: a connection that is closed with unread bytes is reset, and its sender may then never
 * see why it was refused.
 */
async function discard(request: IncomingMessage): Promise<void> {
  let bytes = 0
  try {
    for await (const chunk of chunksOf(request)) {
      bytes += chunk.length
      if (bytes > mostDiscarded) return
    }
  } catch {
    // the sender has gone: nobody is there to be told
  }
}

function parsed(body: string, type = ''): unknown {
  if (body === '') return null
  if (!/^application\/json\s*(;|$)/i.test(type)) throw new Refused(415, 'it is application/json')
  try {
    return JSON.parse(body)
  } catch {
    throw new Refused(400, 'it is no JSON')
  }
}

/** What is nested too deep for the journal is no value. */
function wireOf(value: unknown): string {
  try {
    return encode(value as Value)
  } catch {
    throw new Refused(422, 'it does not fit', { issues: 'it cannot be kept' })
  }
}
