import { relative } from 'node:path'
import {
  AlmanacError,
  catalogue,
  type ErrorCode,
  errorOf,
  errorRecord,
  isAlmanacError,
} from '../model/errors.ts'
import type { ErrorRecord } from '../model/records.ts'
import type { PythonFailure } from './messages.ts'

/**
 * An exception as an error that keeps Python's own words. `failures`: what the function was given, by wait, so that the
 * engine knows which of its calls' failures this one stands for.
 */
export function errorFrom(
  failure: PythonFailure,
  code: ErrorCode = 'ALM_WORKFLOW_FAILED',
  failures?: ReadonlyMap<number, unknown>,
): Error {
  const { message, type, types, group, file, line, stack, tokens = [], raised } = failure
  const same = raised === undefined ? undefined : failures?.get(raised)
  if (same instanceof Error) return line === undefined ? same : here(same, failure)
  const own = failure.code !== undefined && failure.code in catalogue ? (failure.code as ErrorCode) : code
  const about = { file: file ?? '', why: message, message }
  const plain = new AlmanacError(own, about)
  const isOurs = failure.code !== undefined
  const error = errorOf({
    code: own,
    message: isOurs ? message : plain.message,
    hint: isOurs && failure.hint !== undefined ? failure.hint : plain.hint,
    ...(type !== undefined && { type }),
    ...(types !== undefined && { types }),
    ...(group !== undefined && { group }),
    ...(file !== undefined && { file }),
    ...(line !== undefined && { line }),
    ...(stack !== undefined && { stack }),
  })
  const causes = tokens.flatMap((token) => failures?.get(token) ?? [])
  if (causes.length > 0) error.cause = new AggregateError(causes)
  return error
}

/** What has no place of its own, such as a field that is not there, is where it was asked for. */
function here(error: Error, { file, line, stack }: PythonFailure): Error {
  if (!isAlmanacError(error) || error.record?.file !== undefined || file === undefined) return error
  const { code, message, hint } = error
  const placed = errorOf({
    ...error.record,
    code,
    message,
    hint,
    file,
    ...(line !== undefined && { line }),
    ...(stack !== undefined && { stack }),
  })
  placed.cause = error
  return placed
}

/** Why a file could not be imported, in its author's lines. */
export function loadError(failure: PythonFailure): Error {
  const { message, type = '', file = '', line, column, stack } = failure
  const shown = relative(process.cwd(), file)
  const name = shown.startsWith('..') ? file : shown
  const isOurs = failure.code !== undefined
  const why = isOurs || type === '' || message.startsWith(type) ? message : `${type}: ${message}`
  const details = {
    file: name,
    why: line === undefined ? why : `${name}:${line}${column === undefined ? '' : `:${column}`}: ${why}`,
  }
  const record = errorRecord('ALM_LOAD_FAILED', details, {
    file,
    ...(line !== undefined && { line }),
    ...(type !== '' && { type }),
    ...(stack !== undefined && { stack }),
    ...(isOurs && failure.hint !== undefined && { hint: failure.hint }),
  })
  return new AlmanacError('ALM_LOAD_FAILED', details, { record })
}

/** What a function in Python is told of a failure. */
export function toldOf(error: unknown): Pick<ErrorRecord, 'code' | 'message'> {
  if (!isAlmanacError(error)) return { code: 'ALM_BUG', message: String(error) }
  const { code, message, hint, record } = error
  return { ...record, code, message, hint } as ErrorRecord
}
