import type { ErrorCode } from '../../model/errors.ts'
import { AlmanacError, isAlmanacError } from '../../model/errors.ts'

/** An error that may cross between threads: their own lose all but the message. */
export interface Failure {
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>>
}

export const failureOf = (error: unknown): Failure =>
  isAlmanacError(error)
    ? { code: error.code, details: error.details }
    : {
        code: 'ALM_BUG',
        details: { why: error instanceof Error ? (error.stack ?? error.message) : String(error) },
      }

export const errorOf = ({ code, details }: Failure): AlmanacError => new AlmanacError(code, details)
