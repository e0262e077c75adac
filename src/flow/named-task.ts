import { AlmanacError } from '../model/errors.ts'
import type { DirRef, FileRef } from '../model/refs.ts'
import type { TaskBody } from '../model/task.ts'
import { requireCaller } from './ambient.ts'
import { toArgs } from './arguments.ts'
import { type Arg, callTask, type DirMap, definitionKey, type MapOptions, mapTask } from './callable.ts'
import { defineTask, type TaskDefinition } from './definition.ts'
import type { Future } from './future.ts'
import type { FutureList } from './list.ts'
import type { OptionNames } from './option-names.ts'
import { type TaskOptions, taskOptionNames } from './options.ts'
import type { Shape, ShapeOf } from './schema.ts'

type AnyInputs = Readonly<Record<string, unknown>>

/** A task whose inputs have names: Python functions, commands, scripts. */
export interface NamedTask<I extends AnyInputs, R> {
  (inputs: { readonly [K in keyof I]: Arg<I[K]> }): Future<R>
  /** One call for each item, or for each entry of a directory. */
  map(over: Iterable<{ readonly [K in keyof I]: Arg<I[K]> }>): FutureList<R>
  map(over: DirRef | PromiseLike<DirRef>, options?: MapOptions): DirMap<R>
  map(over: PromiseLike<readonly (FileRef | AnyInputs)[]>, options?: MapOptions): Future<R[]>
  /** The same task with other options. */
  options(overrides: TaskOptions): NamedTask<I, R>
  /** The same call under a key that tells it from its equals. */
  key(key: string): (inputs: { readonly [K in keyof I]: Arg<I[K]> }) => Future<R>
  readonly [definitionKey]: unknown
}

/** What a definition of named inputs and outputs makes of its schemas. */
export type Inputs<O> = O extends { readonly input: infer S extends Shape } ? ShapeOf<S> : AnyInputs
export type Outputs<O> = O extends { readonly output: infer S extends Shape } ? ShapeOf<S> : unknown

/** Options of a task whose inputs have names. */
export interface NamedTaskOptions extends TaskOptions {
  /** schemas by name: `{ scene: file(), limit: json(z.number()) }` */
  readonly input?: Shape
  /** schemas by name; files and directories are left at the paths that are given for them */
  readonly output?: Shape
}

/** The names of those. */
export const namedOptionNames: OptionNames<NamedTaskOptions> = {
  ...taskOptionNames,
  input: true,
  output: true,
}

/** @throws ALM_NAME_REFUSED, ALM_OPTION_REFUSED, ALM_DEFINED_INSIDE */
export function namedTask<I extends AnyInputs, R>(
  name: string,
  /** by its options, where those of all kinds make a part of it */
  body: TaskBody | ((options: NamedTaskOptions) => TaskBody),
  options: NamedTaskOptions,
  optionNames: object,
  variantOf?: TaskDefinition,
): NamedTask<I, R> {
  const definition = defineTask({
    name,
    body: typeof body === 'function' ? body(options) : body,
    options,
    optionNames,
    input: options.input,
    output: options.output,
    variantOf,
  })
  const call = (inputs: unknown, key?: string) =>
    callTask<R>(definition, toArgs(namedInputs(definition, inputs)), key)
  const callable = (inputs: unknown = {}) => {
    requireCaller(name)
    return call(inputs)
  }
  return Object.assign(callable, {
    [definitionKey]: definition,
    map: (over: unknown, more?: MapOptions) =>
      mapTask(definition, over, (item) => toArgs(namedInputs(definition, item)), more),
    options: (overrides: TaskOptions) =>
      namedTask<I, R>(name, body, { ...options, ...overrides }, optionNames, definition),
    key: (key: string) => (inputs: unknown) => call(inputs, key),
  }) as unknown as NamedTask<I, R>
}

/** Nearly always: nothing is put together for it, as there may be a million calls. */
function areDeclared(inputs: object, declared: object): boolean {
  for (const name in declared) if (!Object.hasOwn(inputs, name)) return false
  for (const name in inputs) if (!Object.hasOwn(declared, name)) return false
  return true
}

/** Types catch it in an editor; this catches it in plain JavaScript. */
function namedInputs(definition: TaskDefinition, inputs: unknown): unknown {
  const declared = definition.input
  if (declared === undefined || inputs === null || typeof inputs !== 'object') return inputs
  if (areDeclared(inputs, declared)) return inputs
  const unknown = Object.keys(inputs).filter((name) => !Object.hasOwn(declared, name))
  const missing = Object.keys(declared).filter((name) => !Object.hasOwn(inputs, name))
  if (unknown.length > 0 || missing.length > 0) {
    throw new AlmanacError('ALM_SCHEMA', {
      what: `A call of ${definition.spec.name}`,
      issues: [
        ...missing.map((name) => `input ${name} is missing`),
        ...unknown.map((name) => `there is no input ${name}`),
      ].join('; '),
    })
  }
  return inputs
}
