import type { RememberedCall } from '../../model/records.ts'
import type { Digest } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import type { AttemptId } from '../../ports/executor.ts'
import type { CallInfo, TaskIdentity } from './call-info.ts'

export const pageBits = 10
export const pageSize = 2 ** pageBits

/** What calls of one function have in common. */
export type Called = Pick<CallInfo, 'caller' | 'path' | 'request'>

/** Rows of calls with numbers that follow one another. */
export interface Page {
  readonly keys: Digest[]
  readonly called: (Called | undefined)[]
  /** of arguments by position only what tells them: that they wait costs no object, where there is one that is none */
  readonly args: Value[]
  readonly fingerprints: (Digest | undefined)[]
  readonly identities: (TaskIdentity | undefined)[]
  readonly underWay: (AttemptId | undefined)[]
  readonly wires: (string | undefined)[]
  /** only where an earlier life of the run has left something */
  owns?: (RememberedCall | undefined)[]
  /** only where workers hold results */
  heldKeys?: (Digest | undefined)[]
  readonly numbers: Float64Array
  readonly codes: Uint8Array
}

export const newPage = (): Page => ({
  keys: new Array(pageSize),
  called: new Array(pageSize),
  args: new Array(pageSize),
  fingerprints: new Array(pageSize),
  identities: new Array(pageSize),
  underWay: new Array(pageSize),
  wires: new Array(pageSize),
  numbers: new Float64Array(pageSize * columns),
  codes: new Uint8Array(pageSize * codes),
})

export const isReleased = (page: Page, row: number): boolean =>
  ((page.codes[row * codes + flagsAt] as number) & released) !== 0

// a row of times …
export const madeAt = 0
export const startedAt = 1
export const costMs = 2
export const columns = 3

// … and of small numbers
export const flagsAt = 0
export const verdictAt = 1
export const codes = 2

export const plain = 1
export const cacheable = 2
export const released = 4
export const positional = 8

/** Is it `{ args: […] }`, and no more? */
export function isPositional(args: Value): args is { readonly args: readonly Value[] } {
  if (typeof args !== 'object' || args === null || !Array.isArray((args as { args?: unknown }).args))
    return false
  for (const name in args) if (name !== 'args') return false
  return true
}

/** One argument stands for itself, unless it would be taken for several. */
export const onlyOne = (positions: readonly Value[]): Value =>
  positions.length === 1 && !Array.isArray(positions[0]) ? positions[0] : positions

/** What is beside the rows: of few calls, or shared by all. */
export interface Beside {
  readonly rare: Map<number, Rare>
  /** the few that there are */
  readonly verdicts: string[]
}

/** What few calls have. */
export type Rare = {
  -readonly [K in RareName]?: CallInfo[K]
}
export type RareName = 'entry' | 'origin' | 'takenFrom' | 'lastError' | 'drift' | 'claim' | 'map' | 'message'
