import { AlmanacError } from '../model/errors.ts'
import type { Ambient, Caller } from '../ports/caller.ts'

let bound: Ambient | undefined

/** Told once per process by the engine's host, which knows how to follow a function over `await`. */
export function bindAmbient(ambient: Ambient): void {
  bound = ambient
}

/** The workflow function that runs now, or undefined outside of one. */
export const currentCaller = (): Caller | undefined => bound?.current()

/** @throws ALM_OUTSIDE */
export function requireCaller(what: string): Caller {
  const caller = currentCaller()
  if (caller === undefined) throw new AlmanacError('ALM_OUTSIDE', { what })
  return caller
}
