import { DurableRun } from './durable-run.ts'
import type { FunctionListener } from './function-listener.ts'
import type { Oracle } from './model.ts'
import type { Program } from './program.ts'

/** A run that another one has triggered, over all its lives. */
export class TriggeredRun implements FunctionListener {
  readonly recorded = new DurableRun()
  /** by which it was last executed */
  program: Program | undefined
  #firsts = new Map<string, number>()
  #said = new Map<string, number>()
  readonly #strange: (error: unknown) => void

  constructor(strange: (error: unknown) => void) {
    this.#strange = strange
  }

  /** Its function is entered. */
  begin(program: Program): void {
    this.program = program
    this.#firsts = new Map()
    this.#said = new Map()
  }

  get oracle(): Oracle {
    const [firsts, said] = [this.#firsts, this.#said]
    return { first: (at) => firsts.get(at) ?? 0, said: (at) => said.get(at) ?? 0, files: () => ({}) }
  }

  first(at: string, index: number): void {
    if (!this.#firsts.has(at)) this.#firsts.set(at, index)
  }

  said(at: string, value: number): void {
    this.#said.set(at, value)
  }

  received(at: string, value: number): void {
    this.#said.set(at, value)
  }

  strange(error: unknown): void {
    this.#strange(error)
  }

  waits(): void {
    // the order of outcomes is looked at in the run that everything began with
  }

  given(): void {
    // as above
  }

  knows(): void {
    // what an effect depends on is looked at there too
  }

  acts(): void {
    // as above
  }

  saw(): void {
    // it reads no directories
  }
}
