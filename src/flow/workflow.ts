import { AlmanacError } from '../model/errors.ts'
import type { LimitRule } from '../model/limits.ts'
import { FutureRef } from '../model/refs.ts'
import type { SourcePlace } from '../model/task.ts'
import type { Value } from '../model/value.ts'
import { mapRefs } from '../model/value-refs.ts'
import { issuesText } from '../util/issues.ts'
import { currentCaller } from './ambient.ts'
import { toArgs } from './arguments.ts'
import { callSite } from './call-site.ts'
import type { Arg } from './callable.ts'
import type { Future } from './future.ts'
import { type Limit, limitRules } from './limits.ts'
import { all, makeChild } from './list.ts'
import { checkNames, type OptionNames } from './option-names.ts'
import { type Schema, type Shape, type ShapeOf, shapeSchema } from './schema.ts'

/** What a workflow takes and gives. */
export interface WorkflowOptions {
  /** a schema, or schemas by name */
  readonly input?: Schema | Shape
  /** the same of what it returns; what the function returns if absent */
  readonly output?: Schema | Shape
  /** limits that its tasks name, where the project's `almanac.config.ts` does not have them */
  readonly limits?: Readonly<Record<string, Limit>>
}

/** A workflow as it was defined. */
export interface WorkflowDefinition {
  readonly name: string
  readonly fn: (input: never) => unknown
  readonly input: Schema | undefined
  readonly output: Schema | undefined
  readonly limits: readonly LimitRule[]
  readonly definedAt: SourcePlace | undefined
  /** where it is found by who loads its file, if not at `definedAt` by its name; without `named` it is the file's own choice */
  readonly from?: { readonly file: string; readonly named?: string }
}

const optionNames: OptionNames<WorkflowOptions> = { input: true, output: true, limits: true }

const workflowKey = Symbol.for('almanac.workflow')

/** Called in another workflow it is a child; `almanac run`, or `almanac.run(workflow, input)`, runs it by itself. */
export interface Workflow<I, R> {
  (...input: undefined extends I ? [input?: Arg<I>] : [input: Arg<I>]): Future<R>
  /** The same child under a key that tells it from others of its name. */
  key(key: string): (...input: undefined extends I ? [input?: Arg<I>] : [input: Arg<I>]) => Future<R>
  readonly [workflowKey]: unknown
}

/** What a workflow of such options takes. */
export type WorkflowInput<O> = O extends { readonly input: infer S } ? SchemaValue<S> : undefined
type SchemaValue<S> = S extends Schema<infer T> ? T : S extends Shape ? ShapeOf<S> : never
/** What it gives; what its function returns is `R`. */
export type WorkflowOutput<O, R> = O extends { readonly output: infer S }
  ? SchemaValue<S>
  : Resolved<Awaited<R>>

/** What a workflow returns, with the futures in it known. */
type Resolved<T> =
  T extends PromiseLike<infer V>
    ? V
    : T extends readonly unknown[]
      ? { [K in keyof T]: Resolved<T[K]> }
      : T extends Record<string, unknown>
        ? { [K in keyof T]: Resolved<T[K]> }
        : T

/**
 * Makes a workflow of an async function that calls tasks. The function is executed from its start each time the run
 * goes on; what its calls gave is remembered. Await only futures of Almanac in it.
 *
 * @throws ALM_NAME_REFUSED, ALM_DEFINED_INSIDE
 * @example
 * ```ts
 * import { json, task, workflow } from 'almanac'
 *
 * const greet = task('greet', (name: string) => `Hello, ${name}.`)
 *
 * export default workflow('hello', { input: { name: json<string>() } }, async ({ name }) => greet(name))
 * ```
 */
export function workflow<R>(name: string, fn: () => R): Workflow<undefined, Resolved<Awaited<R>>>
export function workflow<const O extends WorkflowOptions, R>(
  name: string,
  options: O,
  fn: (input: WorkflowInput<O>) => R,
): Workflow<WorkflowInput<O>, WorkflowOutput<O, R>>
export function workflow(name: string, ...rest: readonly unknown[]): unknown {
  const fn = rest.at(-1) as (input: never) => unknown
  const options = rest.length > 1 ? (rest[0] as WorkflowOptions) : {}
  if (!/^[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,127}$/u.test(name))
    throw new AlmanacError('ALM_NAME_REFUSED', { name, what: 'a workflow' })
  if (currentCaller() !== undefined) throw new AlmanacError('ALM_DEFINED_INSIDE', { task: name })
  checkNames(name, options, optionNames)
  return definedWorkflow({
    name,
    fn,
    input: workflowSchema(options.input),
    output: workflowSchema(options.output),
    limits: limitRules(name, options.limits),
    definedAt: callSite(),
  })
}

/** The workflow of a definition, in whichever language its function is. */
export function definedWorkflow(definition: WorkflowDefinition): unknown {
  const { name } = definition
  const call = (input: unknown, key?: string): unknown => {
    const caller = currentCaller()
    if (caller === undefined) throw new AlmanacError('ALM_OUTSIDE', { what: `workflow ${name}` })
    const child = { name, fn: childFunction(definition), limits: definition.limits }
    return makeChild(caller, child, toArgs(input) as Value, key)
  }
  return Object.assign((input?: unknown) => call(input), {
    [workflowKey]: definition,
    key: (key: string) => (input?: unknown) => call(input, key),
  })
}

/** The function with its input checked before and its result after. */
export function childFunction(definition: WorkflowDefinition): (input: never) => Promise<unknown> {
  return async (input) => {
    const checked = await checkInput(definition, input)
    const given: unknown = await definition.fn(checked as never)
    if (definition.output === undefined) return given
    // a schema says of values what they are, and nothing of futures
    return await validate(definition.output, await allKnown(given), `The result of ${definition.name}`)
  }
}

/** The input as the function gets it. @throws ALM_SCHEMA */
export const checkInput = ({ input: schema, name }: WorkflowDefinition, input: unknown): Promise<unknown> =>
  validate(schema, input, `The input of ${name}`)

/** With the futures in it known. */
function allKnown(value: unknown): unknown {
  const args = toArgs(value)
  let isKnown = true
  mapRefs(args, (ref) => {
    if (ref instanceof FutureRef) isKnown = false
    return ref
  })
  return isKnown ? value : all<unknown>(args)
}

async function validate(schema: Schema | undefined, value: unknown, what: string): Promise<unknown> {
  if (schema === undefined) return value
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return result.value
  throw new AlmanacError('ALM_SCHEMA', { what, issues: issuesText(result.issues, value) })
}

/** One schema for named ones: an object that has them all and nothing else of interest. */
export function workflowSchema(given: Schema | Shape | undefined): Schema | undefined {
  if (given === undefined || '~standard' in given) return given as Schema | undefined
  return shapeSchema(given as Shape)
}

/** The definition behind a workflow function. */
export const workflowOf = (value: unknown): WorkflowDefinition | undefined =>
  typeof value === 'function'
    ? (value as { readonly [workflowKey]?: WorkflowDefinition })[workflowKey]
    : undefined
