import type { Call } from '../../core/run/call.ts'
import type { RunGraph } from '../../core/run/graph.ts'
import { errorOf } from '../../model/errors.ts'
import type { ErrorRecord } from '../../model/records.ts'

/** How a function ended: what it threw, and the highest order that functions had been given by then. */
interface Thrown {
  readonly calls: readonly number[]
  readonly after: number
}

/** so many of those that nobody heard are looked at for the calls that they stand for */
const maxUnheard = 1000

/** The run's own function among those of its calls. */
export const ownFunction = -1

/**
 * Follows failures from the calls that failed to the end of the run, over functions that pass them on.
 *
 * F1 a failure is uncaught if the run's function threw it; if a call that failed of it, or was skipped for it, is
 *    uncaught; if nobody awaited it; or if it came when its function had thrown already, as others of one
 *    `Promise.all` do: nobody can have caught it.
 * F2 what is thrown where nobody hears it is uncaught too.
 */
export class Failures {
  readonly #graph: RunGraph
  readonly #functionOf: (call: number) => number
  readonly #callOf = new WeakMap<object, number>()
  readonly #thrown = new Map<number, Thrown>()
  readonly #unheard: unknown[] = []
  #byFunction: ReadonlyMap<number, readonly number[]> | undefined

  /** `functionOf`: the call whose function made a call. */
  constructor(graph: RunGraph, functionOf: (call: number) => number) {
    this.#graph = graph
    this.#functionOf = functionOf
  }

  /** The failure of a call, as it is thrown at who awaits it. */
  errorOf(call: number, record: ErrorRecord): Error {
    const error = errorOf(record)
    this.#callOf.set(error, call)
    return error
  }

  /** The error that a function is about to throw is there because a timer rang. */
  becauseOf(timer: number, error: Error): void {
    // the failure of a call is that call's
    if (!this.#callOf.has(error)) this.#callOf.set(error, timer)
  }

  /** A function has thrown. */
  threw(call: number, error: unknown): void {
    this.#thrown.set(call, { calls: this.#callsOf(error), after: this.#graph.given.highest })
  }

  /** Nobody hears of it; the first of them is the run's failure. */
  unheard(error: unknown): void {
    if (this.#unheard.length < maxUnheard) this.#unheard.push(error)
  }

  get firstUnheard(): unknown {
    return this.#unheard[0]
  }

  /** Calls whose failure reached the end of the run. `unseen`: those that nobody awaited. */
  uncaught(unseen: readonly number[]): number[] {
    const found = new Set(unseen)
    for (const call of this.#reachedBy(ownFunction)) found.add(call)
    for (const error of this.#unheard) for (const call of this.#callsOf(error)) found.add(call)
    // grows while it is gone through
    for (const id of found) for (const cause of this.#causes(this.#graph.call(id))) found.add(cause)
    return [...found]
  }

  /** What made a call fail, or be skipped; and the map that it is an entry of. */
  #causes(call: Call): number[] {
    const causes = call.inputs.filter((id) => this.#isBad(this.#graph.call(id)))
    if (call.parent !== undefined) causes.push(call.parent)
    causes.push(...this.#reachedBy(call.id))
    return causes
  }

  /** What the function of a call threw, and what came too late for it to catch. */
  #reachedBy(call: number): readonly number[] {
    const thrown = this.#thrown.get(call)
    if (thrown === undefined) return []
    return [
      ...thrown.calls,
      ...(this.#failuresIn.get(call) ?? []).filter((id) => this.#graph.call(id).order > thrown.after),
    ]
  }

  /** Failures by the function that made the call. */
  get #failuresIn(): ReadonlyMap<number, readonly number[]> {
    if (this.#byFunction !== undefined) return this.#byFunction
    const byFunction = new Map<number, number[]>()
    for (const { id } of this.#graph.failures) {
      const maker = this.#functionOf(id)
      const failures = byFunction.get(maker)
      if (failures === undefined) byFunction.set(maker, [id])
      else failures.push(id)
    }
    this.#byFunction = byFunction
    return byFunction
  }

  /** The calls that an error stands for: itself, what caused it, and those that were put together in it. */
  #callsOf(error: unknown): number[] {
    const calls: number[] = []
    const errors = [error]
    for (const next of errors) {
      if (!(next instanceof Error) || errors.length > 1000) continue
      const call = this.#callOf.get(next)
      if (call !== undefined) calls.push(call)
      if (next.cause !== undefined) errors.push(next.cause)
      if (next instanceof AggregateError) errors.push(...(next.errors as readonly unknown[]))
    }
    return calls
  }

  #isBad(call: Call): boolean {
    return call.end !== undefined && call.end.state !== 'succeeded'
  }
}
