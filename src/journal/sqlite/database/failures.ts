import { accessSync, closeSync, constants, existsSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AlmanacError, isAlmanacError } from '../../../model/errors.ts'

/** SQLite's primary result codes that have a meaning here. */
const code = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  constraint: 19,
  noDatabase: 26,
}

interface SqliteError extends Error {
  readonly errcode: number
  readonly errstr: string
}

const isSqliteError = (error: unknown): error is SqliteError =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'

const primary = (error: unknown): number | undefined =>
  isSqliteError(error) ? error.errcode & 0xff : undefined

/** Another connection is in the way: trying again helps. */
export const isBusy = (error: unknown): boolean =>
  primary(error) === code.busy || primary(error) === code.locked

/** A record contradicts what is there: the fault of one run, not of the database. */
export const isConstraint = (error: unknown): boolean => primary(error) === code.constraint

/** Whatever went wrong, in the catalogue's words. `path` is the database. */
export function journalFailure(error: unknown, path: string): AlmanacError {
  if (isAlmanacError(error)) return error
  const cause = { cause: error }
  const why = error instanceof Error ? error.message : String(error)
  switch (primary(error)) {
    case code.full:
      return new AlmanacError('ALM_JOURNAL_FULL', { path }, cause)
    case code.corrupt:
    case code.noDatabase:
      return new AlmanacError('ALM_JOURNAL_DAMAGED', { path, why }, cause)
    case code.readOnly:
    case code.ioError:
    case code.cannotOpen:
      return diskFailure(path, why, primary(error) === code.readOnly, cause)
    case code.busy:
    case code.locked:
      return new AlmanacError(
        'ALM_JOURNAL_FAILED',
        { path, why: 'another process has locked it for a minute' },
        cause,
      )
    case undefined:
      return systemFailure(error, path) ?? new AlmanacError('ALM_BUG', { why }, cause)
    default:
      return new AlmanacError('ALM_JOURNAL_FAILED', { path, why }, cause)
  }
}

/** SQLite does not say why the system refused, so a small file is written there to ask. */
function diskFailure(path: string, why: string, readOnly: boolean, cause: { cause: unknown }): AlmanacError {
  const probed = probe(path)
  if (probed !== undefined)
    return systemFailure(probed, path) ?? new AlmanacError('ALM_JOURNAL_FAILED', { path, why }, cause)
  if (readOnly) return new AlmanacError('ALM_JOURNAL_READ_ONLY', { path, why }, cause)
  return new AlmanacError('ALM_JOURNAL_FAILED', { path, why }, cause)
}

/**
 * What the system says to more bytes at the end of a file as large as the database, or undefined if nothing.
 * The database itself is never opened here: to close it again would give up every lock that this process has on it.
 */
function probe(path: string): unknown {
  const file = join(dirname(path), `.probe-${process.pid}`)
  try {
    accessSync(dirname(path), constants.W_OK)
    const sizes = [path, `${path}-wal`]
      .filter((one) => existsSync(one))
      .map((one) => {
        accessSync(one, constants.W_OK)
        return statSync(one).size
      })
    const handle = openSync(file, 'w')
    try {
      writeSync(handle, new Uint8Array(64 * 1024), 0, 64 * 1024, Math.max(0, ...sizes))
    } finally {
      closeSync(handle)
      rmSync(file, { force: true })
    }
    return undefined
  } catch (error) {
    return error
  }
}

/** An error of the system itself: from a probe, or from making the folder. */
function systemFailure(error: unknown, path: string): AlmanacError | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  const cause = { cause: error }
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return new AlmanacError('ALM_JOURNAL_FULL', { path }, cause)
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    // a directory in which none can be made, as below /proc
    case 'ENOENT':
      return new AlmanacError('ALM_JOURNAL_READ_ONLY', { path, why: error.message }, cause)
    default:
      return typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code)
        ? new AlmanacError('ALM_JOURNAL_FAILED', { path, why: error.message }, cause)
        : undefined
  }
}
