import type { Path } from '../model/path.ts'
import { FutureRef } from '../model/refs.ts'
import type { Caller } from '../ports/caller.ts'

/** What a future stands for. */
export interface FutureTarget {
  readonly caller: Caller
  readonly call: number
  readonly path: Path
  readonly name: string
}

export const futureTarget = Symbol.for('almanac.future')

export const targetOf = (value: unknown): FutureTarget | undefined =>
  typeof value === 'object' && value !== null && futureTarget in value
    ? ((value as Record<symbol, unknown>)[futureTarget] as FutureTarget)
    : undefined

/** Is it a future of Almanac? */
export const isFuture = (value: unknown): boolean => targetOf(value) !== undefined

export const refOf = (target: FutureTarget): FutureRef => new FutureRef(target.call, target.path)
