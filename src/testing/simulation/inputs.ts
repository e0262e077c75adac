import type { Workflow } from '../../flow/workflow.ts'
import type { Plain } from './outcome.ts'

/** What a program is given: a number, and the directory if it works on one. */
export interface RunInput {
  readonly n: number
  readonly dir?: unknown
}

/** What a triggered run is given: a value, and the place of the trigger. */
export interface TriggeredInput {
  readonly n: Plain
  readonly at: string
}

export type TriggeredWorkflow = Workflow<TriggeredInput, Plain>

export interface ChildInput {
  readonly arg: Plain
  readonly at: string
  readonly child: number
  readonly most: number
}

/** A child as the programs use it. */
export interface ChildWorkflow {
  (input: ChildInput): unknown
  key(key: string): (input: ChildInput) => unknown
}
