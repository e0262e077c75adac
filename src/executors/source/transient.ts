import { isAlmanacError } from '../../model/errors.ts'

/** A server that does not serve now, or not well: another time it may. */
export class NotNow extends Error {
  override readonly name = 'NotNow'
  /** ms that it asked to be left alone */
  readonly after: number | undefined

  constructor(why: string, after?: number) {
    super(why)
    this.after = after
  }
}

export const transientStatus = (status: number): boolean =>
  status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501 && status !== 505)

/** Is it worth another try? What the transport says is; of our own errors only that of bytes that came wrong. */
export const isTransient = (error: unknown): boolean =>
  isAlmanacError(error) ? error.code === 'ALM_SOURCE_CHECKSUM' : true

/** ms from `Retry-After`: seconds, or a date. */
export function retryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
