/**
 * A time in microseconds, as Python has them: to whoever takes dates it is one, and whoever passes it on loses nothing.
 * Those of whole milliseconds are plain `Date`s.
 */
export class Instant extends Date {
  /** of the millisecond, 1 to 999 */
  readonly micros: number

  constructor(ms: number, micros: number) {
    super(ms)
    this.micros = micros
  }

  override toISOString(): string {
    return super.toISOString().replace('Z', `${String(this.micros).padStart(3, '0')}Z`)
  }
}

/** The time that an ISO 8601 text says, an invalid date where it says none. */
export function dateOf(text: string): Date {
  const date = new Date(text)
  const micros = Number(/\.\d{3}(\d{3})Z$/.exec(text)?.[1] ?? 0)
  return micros === 0 || Number.isNaN(date.getTime()) ? date : new Instant(date.getTime(), micros)
}

/** Microseconds beyond the milliseconds that `getTime` has. */
export const microsOf = (date: Date): number => (date instanceof Instant ? date.micros : 0)
