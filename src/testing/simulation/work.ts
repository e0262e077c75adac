import { FileRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import type { Attempt, AttemptEnd } from '../../ports/executor.ts'
import { hashOf } from './hashes.ts'
import { isDoomed, type Plain, pairOf, taskValue } from './model.ts'
import type { Code, Program } from './program.ts'
import { type Shape, shapeIndex, shapes } from './shapes.ts'

/** An attempt as the simulation knows it. */
export interface Job {
  readonly shape: number
  readonly code: Code
  /** where in the program the call stands; empty for calls that are made to equal others */
  readonly tag: string
  readonly args: readonly Plain[]
  /** what the task gives, if it does not fail */
  readonly value: number
  readonly result: Plain
}

/** What an attempt is about. */
export function jobOf(attempt: Attempt, program: Program, read: (file: FileRef) => number): Job {
  const shape = shapeIndex(attempt.task.name)
  const { tag, args } = argumentsOf((attempt.inputs['args'] ?? []) as readonly Value[], read)
  const code = program.codes[shape] as Code
  const value = taskValue(shape, code.meaning, tag, args)
  return { shape, code, tag, args, value, result: shapes[shape]?.gives === 'pair' ? pairOf(value) : value }
}

function argumentsOf(given: readonly Value[], read: (file: FileRef) => number): Pick<Job, 'tag' | 'args'> {
  const [first, ...rest] = given
  // an entry of a map over a directory: the file comes first
  if (first instanceof FileRef) {
    const [tag, ...args] = rest as [string, ...Plain[]]
    return { tag: `${tag} ${first.name}`, args: [read(first), ...args] }
  }
  // one call of many by `task.map` has one argument that holds all
  const [tag, ...args] = (given.length === 1 && Array.isArray(first) ? first : given) as [string, ...Plain[]]
  return { tag, args }
}

/**
 * The tasks' side of the world: it outlives every process.
 */
export class Work {
  isOutage = false
  readonly #failed = new Map<number, number>()
  readonly #cured = new Set<number>()

  perform(job: Job): AttemptEnd {
    const { value, result, shape } = job
    if (this.#fails(shapes[shape] as Shape, shape, value)) {
      const error = { code: 'ALM_TASK_FAILED', message: `boom ${shape} ${value}`, type: 'Boom' }
      return { kind: 'failed', reason: 'error', error, retryable: true }
    }
    return { kind: 'succeeded', values: { '': result } }
  }

  /** A person has seen to it that it will not fail again. */
  cure(value: number): void {
    this.#cured.add(value)
  }

  #fails(shape: Shape, index: number, value: number): boolean {
    if (shape.outage === true && this.isOutage) return true
    if (isDoomed(index, value)) return true
    if (shape.cured === true)
      return hashOf(value, 77) % (shape.failsOneIn ?? 1) === 0 && !this.#cured.has(value)
    const failed = this.#failed.get(value) ?? 0
    if (failed >= (shape.flaky ?? 0)) return false
    this.#failed.set(value, failed + 1)
    return true
  }
}
