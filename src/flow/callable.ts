import { AlmanacError } from '../model/errors.ts'
import type { DirRef, FileRef, UrlRef } from '../model/refs.ts'
import type { TaskSpec } from '../model/task.ts'
import type { Value } from '../model/value.ts'
import { requireCaller } from './ambient.ts'
import { toArgs } from './arguments.ts'
import type { TaskDefinition } from './definition.ts'
import { contextArgs } from './document.ts'
import { type DirOf, type Future, makeFuture } from './future.ts'
import { isFuture } from './future-target.ts'
import { groupsOf, selected } from './groups.ts'
import { type FutureList, futureList } from './list.ts'
import { checkNames, type OptionNames } from './option-names.ts'
import { kindOf } from './schema.ts'

/** A value, its future, or a structure that holds futures anywhere. */
export type Arg<T> = T extends FileRef
  ? FileRef | PromiseLike<FileRef>
  : T extends DirRef
    ? DirRef | PromiseLike<DirRef>
    : T extends UrlRef
      ? UrlRef | PromiseLike<UrlRef>
      :
          | T
          | PromiseLike<T>
          | (T extends Date | ArrayBuffer | ArrayBufferView
              ? never
              : T extends object
                ? { readonly [K in keyof T]: Arg<T[K]> }
                : never)

/** What a map over a directory gives: by output, a directory with one entry for each. */
export type MapResult<R> =
  R extends Record<string, unknown>
    ? { readonly [K in keyof R]: R[K] extends FileRef | DirRef ? DirRef : DirOf<R[K]> }
    : DirOf<R>

/** A map over a directory, under way. */
export type DirMap<R> = Future<MapResult<R>> & {
  /** Does not fail with an entry: `done` holds those that succeeded, `failed` says of the others why, by path. */
  settled(): Future<{ done: MapResult<R>; failed: Record<string, { code: string; message: string }> }>
}

/** What a map is told besides what it maps over. */
export interface MapOptions {
  /** other inputs, the same for each entry */
  readonly with?: Readonly<Record<string, unknown>>
  /** which input gets the entry; the first file, directory or input if absent */
  readonly as?: string
  /** only files that a glob matches: one without `/` by their names at any depth, one with `/` by their paths */
  readonly include?: string | readonly string[]
  /**
   * One call for each group of files, which gets them as a directory: what a regular expression captures of the path,
   * or what a function gives for it, names the group. Files without a group are left out.
   */
  readonly by?: RegExp | ((path: string) => string | null | undefined)
}

const mapNames: OptionNames<MapOptions> = { with: true, as: true, include: true, by: true }

export const definitionKey = Symbol.for('almanac.definition')

/** Makes one call. `key` tells equal calls apart. */
export function callTask<R>(definition: TaskDefinition, args: Value, key?: string): Future<R> {
  const caller = requireCaller(definition.spec.name)
  return makeFuture<R>(
    caller,
    caller.call(definition.request, withContext(definition, args), key),
    [],
    definition.spec.name,
  )
}

/** `task.map`: a list that is known (or a generator, a `Set`) is one call an item; a directory, or what is not known yet, is one map. */
export function mapTask<R>(
  definition: TaskDefinition,
  over: unknown,
  argsOf: (item: unknown, index: number) => Value,
  options: MapOptions = {},
): FutureList<R> | DirMap<R> {
  const caller = requireCaller(`${definition.spec.name}.map`)
  checkNames(`${definition.spec.name}.map`, options, mapNames)
  const items = listed(over)
  if (items !== undefined)
    return futureList(
      caller,
      items.map((item, index) => callTask<R>(definition, argsOf(item, index))),
    )
  if (!isFuture(over) && !(typeof over === 'object' && over !== null)) {
    throw new AlmanacError('ALM_MAP_OVER', { task: definition.spec.name, what: nameOfKind(over) })
  }
  const { spec } = definition
  const { include, by } = options
  const isFunction = isOfFunction(spec)
  const some = include === undefined ? over : selected(caller, over, include)
  const args = {
    ...(by === undefined ? { over: toArgs(some) } : groupsOf(caller, some, by)),
    with: isFunction ? toArgs(options.with ?? {}) : withContext(definition, toArgs(options.with ?? {})),
    ...(isFunction && definition.context !== undefined && { context: contextArgs(definition.context) }),
    as: options.as ?? entryInput(definition),
  }
  const call = caller.call({ ...definition.request, kind: 'map', calledAt: calledHere() }, args)
  return makeFuture<MapResult<R>>(caller, call, [], spec.name) as DirMap<R>
}

/** The items of a list, or of a generator, a `Set` or the like; undefined for what is none. */
function listed(over: unknown): readonly unknown[] | undefined {
  if (Array.isArray(over)) return over
  const isIterable = typeof over === 'object' && over !== null && !isFuture(over) && Symbol.iterator in over
  return isIterable ? [...(over as Iterable<unknown>)] : undefined
}

/** What a value is, in a sentence. */
export const nameOfKind = (value: unknown): string => {
  if (value === null || value === undefined) return 'nothing'
  if (typeof value === 'object') return 'an object'
  return `a ${typeof value === 'string' ? 'text' : typeof value}`
}

/** Formatted only if somebody reads it. */
function calledHere(): { readonly stack?: string } {
  const here: { stack?: string } = {}
  Error.captureStackTrace(here, calledHere)
  return here
}

const isOfFunction = ({ body }: TaskSpec): boolean => body.kind === 'function' || body.kind === 'thread'

/** Declared documents are inputs like others: named ones beside the arguments, those of functions in their context. */
function withContext({ context, spec }: TaskDefinition, args: Value): Value {
  if (context === undefined) return args
  const documents = contextArgs(context)
  const given = args as Readonly<Record<string, Value>>
  return isOfFunction(spec) ? { ...given, context: documents } : { ...given, ...documents }
}

/** The input that gets the entry: the first that is a file or directory, else the first. */
function entryInput(definition: TaskDefinition): string | null {
  const inputs = Object.entries(definition.input ?? {})
  return (inputs.find(([, schema]) => kindOf(schema) !== 'value') ?? inputs[0])?.[0] ?? null
}
