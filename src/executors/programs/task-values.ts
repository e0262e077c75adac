import { AlmanacError } from '../../model/errors.ts'
import { DirRef, FileRef, FutureRef, HeldRef, UrlRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { toBase64 } from '../../util/base64.ts'

/** Values as programs get them, which know nothing of Almanac: plain JSON, with files and directories as their paths. */

/**
 *   file, directory       its path
 *   file at a URL         the URL
 *   date                  its ISO text
 *   bytes                 base64
 *   big integer           a number where one can hold it, else its digits as text
 *   NaN, ±Infinity        that text
 *
 * @throws ALM_VALUE_REFUSED for what has no path or lives elsewhere
 */
export function plainJson(value: Value, at: string): unknown {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
    case 'object':
      return value === null ? null : plainObject(value, at)
    default:
      return value
  }
}

function plainObject(value: object, at: string): unknown {
  if (isPathRef(value)) return pathOf(value, at)
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return toBase64(value)
  if (value instanceof HeldRef) throw refused(at, 'it only lives in the memory of a worker')
  if (value instanceof FutureRef) throw refused(at, 'it is not known yet')
  if (Array.isArray(value)) return value.map((item: Value, i) => plainJson(item, `${at}[${i}]`))
  return Object.fromEntries(
    Object.entries(value as Record<string, Value>).map(([key, field]) => [
      key,
      plainJson(field, `${at}.${key}`),
    ]),
  )
}

/** Where a file or directory lies for this attempt: its path, or its URL. */
export function pathOf(ref: FileRef | DirRef | UrlRef, at: string): string {
  if (ref.at === undefined) throw refused(at, 'it has no path')
  return ref.at
}

export const isPathRef = (value: unknown): value is FileRef | DirRef | UrlRef =>
  value instanceof FileRef || value instanceof DirRef || value instanceof UrlRef

const refused = (path: string, why: string): AlmanacError =>
  new AlmanacError('ALM_VALUE_REFUSED', { path, why })
