import { AlmanacError, isAlmanacError } from '../../model/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import { PartLost } from '../../ports/downloads.ts'
import type { ResponseHeaders } from './client.ts'
import { headerOf } from './response-checksums.ts'
import { NotNow, retryAfter, transientStatus } from './transient.ts'

/** What an answer other than the file means. */
export function refusal(status: number, headers: ResponseHeaders, name: string, clock: Clock): Error {
  if (status === 404 || status === 410) return new AlmanacError('ALM_SOURCE_MISSING', { url: name, status })
  if (status === 401 || status === 403 || status === 407)
    return new AlmanacError('ALM_SOURCE_DENIED', { url: name, status })
  if (status === 416 || transientStatus(status))
    return new NotNow(`it answered ${status}`, retryAfter(headerOf(headers, 'retry-after'), clock.now()))
  return new AlmanacError('ALM_SOURCE_REFUSED', { url: name, why: `the server answered ${status}` })
}

/** After the last try. */
export function finalError(error: unknown, name: string): AlmanacError {
  if (isAlmanacError(error)) return error
  const why = error instanceof NotNow || error instanceof PartLost ? error.message : transportWords(error)
  return new AlmanacError('ALM_SOURCE_FAILED', { url: name, why })
}

/** Of the transport's errors only their code: their texts may quote what was sent. */
function transportWords(error: unknown): string {
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } }
  const known = words[String(code ?? cause?.code)]
  return known ?? `the connection failed (${String(code ?? cause?.code ?? (error as Error).name)})`
}

const words: Readonly<Record<string, string>> = {
  UND_ERR_BODY_TIMEOUT: 'it fell silent',
  UND_ERR_HEADERS_TIMEOUT: 'it did not answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_SOCKET: 'the connection was cut',
  ECONNRESET: 'the connection was cut',
  ECONNREFUSED: 'nobody listens there (ECONNREFUSED)',
  ENOTFOUND: 'its host is not known (ENOTFOUND)',
}
