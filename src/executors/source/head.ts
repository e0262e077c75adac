import { AlmanacError } from '../../model/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Answer, HttpClient } from './client.ts'
import { refusal } from './refusals.ts'
import { headerOf } from './response-checksums.ts'

/** What a server says of a file. */
export interface Head {
  readonly etag?: string
  readonly size?: number
}

/** Longest silence of a server, ms. */
const idleMs = 60_000

/** Answers to `HEAD` after which a `GET` may still be answered: signatures are of one method, and some servers know one. */
const tryGet = new Set([400, 401, 403, 405, 501])

/** Asks what is known of a file without fetching it. @throws what `refusal` says, and the transport's errors */
export async function headOf(
  client: Pick<HttpClient, 'ask'>,
  url: URL,
  place: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Head> {
  const ask = (method: 'GET' | 'HEAD', headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    client.ask({
      method,
      url,
      headers: { 'accept-encoding': 'identity', ...headers },
      secret: authorizationOf(url),
      idleMs,
      linkLocal: false,
      signal,
    })
  const head = await ask('HEAD')
  head.drop()
  const said = said200(head)
  if (said?.size !== undefined) return said
  if (said === undefined && !tryGet.has(head.status)) throw refusal(head.status, head.headers, place, clock)
  const first = await ask('GET', { range: 'bytes=0-0' })
  first.drop()
  // an empty file has no first byte
  const got = first.status === 416 ? await ask('GET') : first
  got.drop()
  const found = got.status === 206 ? said206(got) : said200(got)
  if (found !== undefined) return found
  if (got.status < 400)
    throw new AlmanacError('ALM_SOURCE_REFUSED', { url: place, why: `the server answered ${got.status}` })
  throw refusal(got.status, got.headers, place, clock)
}

function said200({ status, headers }: Answer): Head | undefined {
  if (status !== 200) return undefined
  const length = headerOf(headers, 'content-length')
  return { ...etagOf(headers), ...(/^\d{1,15}$/.test(length ?? '') && { size: Number(length) }) }
}

function said206({ headers }: Answer): Head {
  const total = /^bytes 0-0\/(\d{1,15})$/.exec(headerOf(headers, 'content-range') ?? '')?.[1]
  return { ...etagOf(headers), ...(total !== undefined && { size: Number(total) }) }
}

function etagOf(headers: Answer['headers']): Head {
  const etag = headerOf(headers, 'etag')
  return etag === undefined ? {} : { etag }
}

function authorizationOf({ username, password }: URL): Record<string, string> {
  if (username === '') return {}
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(text).toString('base64')}` }
}
