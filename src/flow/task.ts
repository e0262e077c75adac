import { AlmanacError } from '../model/errors.ts'
import type { DirRef, FileRef } from '../model/refs.ts'
import type { TaskBody } from '../model/task.ts'
import type { TaskContext } from '../model/task-context.ts'
import type { Value } from '../model/value.ts'
import { currentCaller } from './ambient.ts'
import { toArgs } from './arguments.ts'
import { definitionStack } from './call-site.ts'
import { type Arg, callTask, type DirMap, definitionKey, type MapOptions, mapTask } from './callable.ts'
import { defineTask, type TaskDefinition } from './definition.ts'
import type { Future } from './future.ts'
import type { FutureList } from './list.ts'
import type { OptionNames } from './option-names.ts'
import { type TaskOptions, taskOptionNames } from './options.ts'
import type { Shape, ShapeOf } from './schema.ts'

/** A task that is a function. Called in a workflow it makes a call; elsewhere it is the function. */
export interface FunctionTask<A extends readonly unknown[], R> {
  (...args: { readonly [K in keyof A]: Arg<A[K]> }): Future<R>
  /** One call for each item, or for each entry of a directory. */
  map(over: Iterable<Arg<A[0]>>): FutureList<R>
  map(over: DirRef | PromiseLike<DirRef>, options?: MapOptions): DirMap<R>
  map(over: PromiseLike<readonly A[0][]>, options?: MapOptions): Future<R[]>
  /** The same task with other options. */
  options(overrides: FunctionTaskOptions): FunctionTask<A, R>
  /** The same call under a key that tells it from its equals. */
  key(key: string): (...args: { readonly [K in keyof A]: Arg<A[K]> }) => Future<R>
  readonly [definitionKey]: unknown
}

/** Options of a task that is a function. */
export interface FunctionTaskOptions extends TaskOptions {
  /** named outputs; without it the returned value is the one output */
  readonly output?: Shape
  /** `'inline'` (if absent): in this process; `'thread'`: in a thread of its own, for what computes for long */
  readonly run?: 'inline' | 'thread'
  /** with `run: 'thread'`: calls that one thread may run at once, for functions that mostly wait; 1 if absent */
  readonly threads?: number
}

type WithoutContext<A extends readonly unknown[]> = A extends readonly [...infer Rest, TaskContext] ? Rest : A
/** What a function gives for its declared values: the one itself, or an object of several; files are left at paths. */
type Returned<S extends Shape> = [ValueNames<S>] extends [never]
  ? unknown
  : [ValueNames<S>] extends [One<ValueNames<S>>]
    ? ShapeOf<S>[ValueNames<S>]
    : { readonly [K in ValueNames<S>]: ShapeOf<S>[K] }

type ValueNames<S extends Shape> = {
  [K in keyof S]: ShapeOf<S>[K] extends FileRef | DirRef ? never : K
}[keyof S]

/** Of one name that name, of several none. */
type One<K> = (K extends unknown ? (of: K) => void : never) extends (of: infer I) => void ? I : never

/**
 * Makes a task of a function. It gets its arguments and, last, a `TaskContext`: the paths of its declared file
 * outputs, a signal that says when to stop, and what it may report.
 *
 * @throws ALM_NAME_REFUSED, ALM_OPTION_REFUSED, ALM_DEFINED_INSIDE
 * @example
 * ```ts
 * import { task, workflow } from 'almanac'
 *
 * const mean = task('mean', { retries: 2 }, (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length)
 *
 * export default workflow('average', async () => mean([1, 2, 3]))
 * ```
 */
export function task<A extends unknown[], R>(
  name: string,
  fn: (...args: A) => R,
): FunctionTask<WithoutContext<A>, Awaited<R>>
export function task<A extends unknown[], const S extends Shape>(
  name: string,
  options: FunctionTaskOptions & { readonly output: S },
  fn: (...args: A) => Returned<S> | Promise<Returned<S>>,
): FunctionTask<WithoutContext<A>, ShapeOf<S>>
export function task<A extends unknown[], R>(
  name: string,
  options: Omit<FunctionTaskOptions, 'output'>,
  fn: (...args: A) => R,
): FunctionTask<WithoutContext<A>, Awaited<R>>
export function task(name: string, ...rest: readonly unknown[]): unknown {
  const fn = rest.at(-1) as (...args: never[]) => unknown
  return functionTask(name, rest.length > 1 ? (rest[0] as FunctionTaskOptions) : {}, fn)
}

const optionNames: OptionNames<FunctionTaskOptions> = {
  ...taskOptionNames,
  output: true,
  run: true,
  threads: true,
}

function functionTask(
  name: string,
  options: FunctionTaskOptions,
  fn: (...args: never[]) => unknown,
  variantOf?: TaskDefinition,
): unknown {
  const at = variantOf?.at ?? definitionStack()
  const definition = defineTask({
    name,
    body: bodyOf(name, options, at),
    at,
    options,
    optionNames,
    fn,
    output: options.output,
    variantOf,
  })
  const call = (args: readonly unknown[], key?: string) =>
    callTask(definition, { args: toArgs(args) } as Value, key)
  const callable = (...args: readonly unknown[]): unknown =>
    currentCaller() === undefined ? fn(...(args as never[])) : call(args)
  return Object.assign(callable, {
    [definitionKey]: definition,
    map: (over: unknown, more?: MapOptions) =>
      mapTask(definition, over, (item) => ({ args: [toArgs(item)] }), more),
    options: (overrides: FunctionTaskOptions) =>
      functionTask(name, { ...options, ...overrides }, fn, definition),
    key:
      (key: string) =>
      (...args: readonly unknown[]) =>
        call(args, key),
  })
}

function bodyOf(
  name: string,
  { run = 'inline', threads = 1 }: FunctionTaskOptions,
  at: readonly string[],
): TaskBody {
  const refuse = (option: string, why: string): never => {
    throw new AlmanacError('ALM_OPTION_REFUSED', { option, task: name, why })
  }
  if (!Number.isInteger(threads) || threads < 1) refuse('threads', 'it is no number from 1')
  if (run === 'thread') return { kind: 'thread', name, at, threads }
  if (run !== 'inline') refuse('run', "it is neither 'inline' nor 'thread'")
  if (threads > 1) refuse('threads', "it goes with run: 'thread'")
  return { kind: 'function', name }
}
