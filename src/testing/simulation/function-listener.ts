import type { RunId } from '../../model/records.ts'
import type { Plain } from './outcome.ts'
import type { Program } from './program.ts'

/** What the functions of one life of a run tell of themselves. */
export interface FunctionListener {
  /** the function waits for an outcome */
  waits(future: unknown): void
  /** it goes on with one: of what, where, and the value or the error's text */
  given(future: unknown, at: string, outcome: unknown): void
  /** a number that no task gave */
  knows(value: Plain): void
  /** an effect is about to be called */
  acts(at: string): void
  /** of those that raced there, this one was first */
  first(at: string, index: number): void
  said(at: string, value: number): void
  /** a message was received there, and came to this number */
  received(at: string, value: number): void
  /** the directory of that digest was read */
  saw(at: string, digest: string): void
  /** an error that no program can cause */
  strange(error: unknown): void
}

/** Who is told by which run. */
export interface RunListeners {
  readonly main: FunctionListener
  /** The function of a run that was triggered is entered. */
  triggered(run: RunId, program: Program): FunctionListener
}
