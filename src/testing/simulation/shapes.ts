import type { FunctionTaskOptions } from '../../flow/task.ts'
import { task } from '../../flow/task.ts'

/** How a task behaves when it is attempted. */
export interface Shape {
  readonly options: FunctionTaskOptions
  /** what it gives: a number, two by name, or one that stays with the worker */
  readonly gives: 'number' | 'pair' | 'held'
  /** attempts that fail before one succeeds */
  readonly flaky?: number
  /** fails for good for one in so many inputs */
  readonly failsOneIn?: number
  /** a failure of it is judged by a person, who lets it be tried again with success */
  readonly cured?: boolean
  /** fails while the world around it is out of order */
  readonly outage?: boolean
}

/** What all processes of a simulation may use at once. */
export const capacity = { cpu: 4, memoryBytes: 1000 }

/** What tasks of all runs share. */
export const limits = { one: 1, three: 3, often: { rate: '20/s' } } as const

const retries = (count: number, more: object = {}) => ({ retries: { count, delay: 40, ...more } })

/** The tasks of all programs; their code differs from program to program. */
export const shapes: readonly Shape[] = [
  { options: {}, gives: 'number' },
  { options: {}, gives: 'number' },
  { options: {}, gives: 'number' },
  { options: {}, gives: 'pair' },
  { options: { priority: 5 }, gives: 'number' },
  { options: { cpu: 2 }, gives: 'number' },
  { options: { cpu: 4 }, gives: 'pair' },
  { options: { memory: 600 }, gives: 'number' },
  { options: { cpu: 6, memory: 300 }, gives: 'number' },
  { options: retries(2), gives: 'number', flaky: 2 },
  { options: { memory: 200, ...retries(3, { memoryFactor: 2 }) }, gives: 'number', flaky: 1 },
  { options: {}, gives: 'number', failsOneIn: 3 },
  { options: retries(1), gives: 'number', failsOneIn: 4 },
  { options: { onFailure: 'skip' }, gives: 'number', failsOneIn: 3 },
  { options: { effect: true }, gives: 'number' },
  { options: { effect: true, ...retries(2) }, gives: 'number', flaky: 1 },
  { options: { effect: true }, gives: 'number', failsOneIn: 4 },
  { options: { onFailure: 'pause' }, gives: 'number', failsOneIn: 2 },
  { options: { onFailure: 'pause' }, gives: 'number', failsOneIn: 2, cured: true },
  { options: { cache: true }, gives: 'number' },
  { options: { cache: true, ...retries(1) }, gives: 'number', flaky: 1 },
  { options: {}, gives: 'number', outage: true },
  { options: { effect: true }, gives: 'number', outage: true },
  { options: {}, gives: 'held' },
  { options: retries(1), gives: 'held', flaky: 1 },
  { options: { persist: true }, gives: 'held' },
  { options: { limits: ['one'] }, gives: 'number' },
  { options: { limits: { three: 2 }, priority: 2 }, gives: 'number' },
  { options: { limits: ['one', 'three'], cpu: 2 }, gives: 'number', failsOneIn: 3 },
  { options: { limits: ['three'], ...retries(2) }, gives: 'number', flaky: 2 },
  { options: { limits: ['often'] }, gives: 'number' },
]

/** A task as the programs use it: futures and values alike. */
export interface SimulatedTask {
  (...args: readonly unknown[]): unknown
  map(items: readonly unknown[]): readonly unknown[]
  map(dir: unknown, options: { readonly with: Readonly<Record<string, unknown>> }): unknown
}

const tasks = new Map<string, SimulatedTask>()

/** A shape with a code, as an author's task. Defining one is slow, so it is done once. */
export function taskOf(shape: number, code: number): SimulatedTask {
  const id = `${shape}.${code}`
  let found = tasks.get(id)
  if (found === undefined) {
    const { options } = shapes[shape] as Shape
    found = task(`t${shape}`, { ...options, version: String(code) }, () => null) as unknown as SimulatedTask
    tasks.set(id, found)
  }
  return found
}

/** The shape and the code's text behind a task of that name and version. */
export const shapeIndex = (name: string): number => Number(name.slice(1))
