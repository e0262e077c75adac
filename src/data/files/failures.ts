import { AlmanacError, isAlmanacError } from '../../model/errors.ts'

/** The system's code of an error: `ENOENT`, … */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  // Node's `rmSync` has no code for a file system that is read only, but its words
  return error.code === '' && error.message.includes('Read-only file system') ? 'EROFS' : error.code
}

export const isMissing = (error: unknown): boolean =>
  codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR'

/** A limit on the size of files is a full disk to whoever meets it. */
const full = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
const forbidden = new Set(['EROFS', 'EACCES', 'EPERM'])

/** What went wrong with something of ours. */
export function storeError(error: unknown, path: string): AlmanacError {
  if (isAlmanacError(error)) return error
  const code = codeOf(error) ?? ''
  const why = reason(error)
  if (full.has(code)) return new AlmanacError('ALM_STORE_FULL', { path }, { cause: error })
  if (forbidden.has(code)) return new AlmanacError('ALM_STORE_READ_ONLY', { path, why }, { cause: error })
  return new AlmanacError('ALM_STORE_FAILED', { path, why }, { cause: error })
}

/** What went wrong with something of the user's. `then`: what it means that it is not there. */
export function inputError(
  error: unknown,
  path: string,
  absent: 'ALM_INPUT_MISSING' | 'ALM_INPUT_CHANGED' = 'ALM_INPUT_CHANGED',
): AlmanacError {
  if (isAlmanacError(error)) return error
  if (isMissing(error)) return new AlmanacError(absent, { path }, { cause: error })
  if (codeOf(error) === 'ENAMETOOLONG') return refused(path, 'its path is too long')
  if (codeOf(error) === 'ELOOP') return refused(path, 'its links go in a circle')
  return new AlmanacError('ALM_INPUT_UNREADABLE', { path, why: reason(error) }, { cause: error })
}

/** Something that cannot be part of a directory. */
export const refused = (path: string, why: string): AlmanacError =>
  new AlmanacError('ALM_PATH_REFUSED', { path: readable(path), why })

/** Of a path that nobody reads to its end, where it begins and what it ends with. */
const readable = (path: string): string =>
  path.length <= 400 ? path : `${path.slice(0, 200)}…${path.slice(-100)}`

/** Runs work on files of ours; its failures get a code. */
export function inStore<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw storeError(error, path)
  }
}

function reason(error: unknown): string {
  const code = codeOf(error)
  if (!(error instanceof Error)) return String(error)
  if (code === 'EROFS') return 'read-only file system (EROFS)'
  // the system's message repeats code, call and path: "EIO: i/o error, read '/x'"
  return code === undefined
    ? error.message
    : `${error.message.replace(/^\w+: /, '').replace(/, .*$/s, '')} (${code})`
}
