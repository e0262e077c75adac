/** Plain data of a simulated program. */
export type Plain = number | readonly Plain[] | { readonly [name: string]: Plain }

/** What stands for a future: its value, or what it failed with. */
export interface Outcome {
  readonly ok: boolean
  readonly value: Plain
  /** calls that were not done because of these */
  readonly because: readonly Outcome[]
  /** of a map that failed: what its entries gave, and which of them failed */
  readonly entries?: Entries
  /** fails the run unless somebody awaits it */
  readonly isFailure: boolean
  seen: boolean
}

export type Variable = Outcome | readonly Outcome[]

export interface Entries {
  readonly done: Readonly<Record<string, number>>
  readonly failed: readonly string[]
}

/** Thrown where the program throws. */
export class Thrown {
  readonly why: Outcome | undefined
  constructor(why: Outcome | undefined) {
    this.why = why
  }
}

export const good = (value: Plain): Outcome => ({
  ok: true,
  value,
  because: [],
  isFailure: false,
  seen: false,
})

export const skipped = (because: readonly Outcome[]): Outcome => ({
  ok: false,
  value: 0,
  because,
  isFailure: false,
  seen: false,
})

export const together = (all: readonly Outcome[]): Outcome => {
  const failed = all.filter((got) => !got.ok)
  return failed.length > 0 ? skipped(failed) : good(all.map((got) => got.value))
}

export const one = (variable: Variable): Outcome => (isMany(variable) ? together(variable) : variable)

export const isMany = (variable: Variable): variable is readonly Outcome[] => Array.isArray(variable)

export const plain = (variable: Variable): Plain => one(variable).value

/** Awaited: neither it nor what made it impossible fails the run by itself. */
export function see(got: Outcome): void {
  if (got.seen) return
  got.seen = true
  for (const cause of got.because) see(cause)
}

export function attempt(body: () => number): Thrown | number {
  try {
    return body()
  } catch (error) {
    if (error instanceof Thrown) return error
    throw error
  }
}

/** A failure that waits to be looked at. */
export class Caught {
  readonly error: unknown
  constructor(error: unknown) {
    this.error = error
  }
}
