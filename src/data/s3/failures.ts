import { setTimeout as pause } from 'node:timers/promises'
import { AlmanacError, isAlmanacError } from '../../model/errors.ts'

/** How often something is tried, and how long it rests in between. */
export interface Patience {
  readonly attempts: number
  /** rest after the first failure, ms; twice that after the second, and so on, with chance in it */
  readonly restMs: number
  /** a connection that says nothing for so long is cut, ms */
  readonly silenceMs: number
}

export const usualPatience: Patience = { attempts: 6, restMs: 150, silenceMs: 30_000 }

/** What an answer of the store lacks; worth another try. */
export class BadAnswer extends Error {
  override readonly name = 'BadAnswer'
}

interface Answered {
  readonly name?: string
  readonly Code?: string
  readonly code?: string
  readonly message?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $response?: { readonly statusCode?: number }
}

const asAnswered = (error: unknown): Answered =>
  typeof error === 'object' && error !== null ? (error as Answered) : {}

const statusOf = (error: unknown): number | undefined =>
  asAnswered(error).$metadata?.httpStatusCode ?? asAnswered(error).$response?.statusCode

const nameOf = (error: unknown): string | undefined => {
  const { name, Code } = asAnswered(error)
  return Code ?? name
}

export const isAbsent = (error: unknown): boolean =>
  ['NoSuchKey', 'NotFound', 'NoSuchUpload'].includes(nameOf(error) ?? '') ||
  (statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket')

export const isTaken = (error: unknown): boolean =>
  statusOf(error) === 412 || nameOf(error) === 'PreconditionFailed'

/** An upload in parts is no longer as it was: somebody completed or removed it. */
export const isEndedUpload = (error: unknown): boolean =>
  isTaken(error) || ['NoSuchUpload', 'InvalidPart', 'InvalidPartOrder'].includes(nameOf(error) ?? '')

export const isEmptyRange = (error: unknown): boolean =>
  statusOf(error) === 416 || nameOf(error) === 'InvalidRange'

/** Answers that say how it is, and will say so again. */
const lasting = new Set(['NoSuchBucket', 'CredentialsProviderError', 'InvalidAccessKeyId'])

/** Who asks is not let in, whatever the status says: that of what has expired is 400. */
const refusals = new Set(['CredentialsProviderError', 'InvalidAccessKeyId', 'ExpiredToken', 'InvalidToken'])

/** The clock of this machine is wrong; the client corrects it by the answer. */
const worthAgain = new Set([
  'RequestTimeTooSkewed',
  'RequestTimeout',
  'BadDigest',
  'XAmzContentSHA256Mismatch',
])

function isPassing(error: unknown): boolean {
  if (isAlmanacError(error) || lasting.has(nameOf(error) ?? '')) return false
  if (error instanceof BadAnswer || worthAgain.has(nameOf(error) ?? '')) return true
  const status = statusOf(error)
  // without one the answer never came, or came in pieces
  return (
    status === undefined ||
    status >= 500 ||
    status === 429 ||
    status === 408 ||
    status === 409 ||
    status < 300
  )
}

/** Does it again while that may help. `aside`: what is no failure, and for the caller to judge. */
export async function withPatience<T>(
  patience: Patience,
  work: () => Promise<T>,
  aside: (error: unknown) => boolean = () => false,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (aside(error) || attempt >= patience.attempts || !isPassing(error)) throw error
      await pause(patience.restMs * 2 ** (attempt - 1) * (0.5 + Math.random()))
    }
  }
}

/** `what`: a verb, for people. `place`: the full address of the object. */
export function objectError(error: unknown, what: string, place: string): AlmanacError {
  if (isAlmanacError(error)) return error
  const status = statusOf(error)
  const name = nameOf(error)
  const message = asAnswered(error).message
  const said = [name, message].filter((text) => text !== undefined && text !== '' && text !== 'Error')
  const why = said.length === 0 ? String(error) : [...new Set(said)].join(': ').replace(/\.$/, '')
  const refused = status === 401 || status === 403 || refusals.has(name ?? '')
  const cause = bare(error)
  if (refused) return new AlmanacError('ALM_STORE_DENIED', { what, place, why }, { cause })
  return new AlmanacError('ALM_STORE_FAILED', { path: place, why }, { cause })
}

/** The client's errors carry the whole exchange, sockets and signatures too: nothing to be kept or shown. */
function bare(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined
  const { name, message, stack } = error
  return Object.assign(new Error(message), { name, stack })
}
