import { checkDocumentName } from '../model/document.ts'
import { AlmanacError } from '../model/errors.ts'
import type { Value } from '../model/value.ts'
import { issuesText } from '../util/issues.ts'
import { requireCaller } from './ambient.ts'
import { toArgs } from './arguments.ts'
import { type Future, makeFuture } from './future.ts'
import { checkNames, type OptionNames } from './option-names.ts'
import type { Schema } from './schema.ts'

/** A document, whatever it holds. */
export interface AnyDocument {
  readonly name: string
  readonly [documentKey]: true
}

/** A document that runs share: plain JSON with versions, kept in the journal. */
export interface Document<T> extends AnyDocument {
  /**
   * The document as this run sees it: as it was when the run first asked for it, with what the run itself wrote since.
   * A new run sees the newest. `newest`: as it is now, from here on.
   */
  get(options?: { readonly newest?: boolean; readonly version?: number }): Future<DocumentState<T>>
  /**
   * Writes it anew. It is refused if another version came since the run last got or wrote it; `seen` names the version
   * that it is made upon instead, or says `'newest'`: whatever is there by then.
   */
  put(value: T | PromiseLike<T>, options?: WriteOptions): Future<DocumentState<T>>
  /** Merges fields into the newest version (JSON merge patch: `null` removes one). Others' fields stay as they are. */
  patch(fields: Patch<T> | PromiseLike<Patch<T>>, options?: WriteOptions): Future<DocumentState<T>>
}

/** A document as it is in a version; 0 where there is none yet. */
export interface DocumentState<T> {
  readonly value: T
  readonly version: number
}

/** Whose a document is, and what it holds. */
export interface DocumentOptions<T> {
  /** the run's own (it goes with it), the workflow's (if absent), or that of a named project, which all workflows share */
  readonly of?: 'run' | 'workflow' | { readonly project: string }
  /** what it must fit, when it is written and when it is read */
  readonly schema?: Schema<T>
  /** what it is as long as nobody has written it */
  readonly initial?: T
}

/** How a document is written. */
export interface WriteOptions {
  readonly seen?: number | 'newest'
  /** tells equal calls apart */
  readonly key?: string
}

/** Some fields of a document. */
export type Patch<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: Patch<T[K]> | null }
    : T

const documentKey = Symbol.for('almanac.document')

const optionNames: OptionNames<DocumentOptions<unknown>> = { of: true, schema: true, initial: true }
const writeNames: OptionNames<WriteOptions> = { seen: true, key: true }

/** Is it what `run.context` makes? */
export const isDocument = (value: unknown): value is AnyDocument =>
  typeof value === 'object' && value !== null && documentKey in value

/** @throws ALM_CONTEXT_NAME, ALM_OPTION_REFUSED */
export function document<T>(name: string, options: DocumentOptions<T> = {}): Document<T> {
  checkDocumentName(name)
  const label = `run.context(${JSON.stringify(name)})`
  checkNames(label, options, optionNames)
  const place = `${scopeOf(label, options.of)}/${name}`
  const initial = options.initial === undefined ? undefined : { value: options.initial as Value }
  const check = stateCheck(label, options.schema)
  const requests = {
    get: { kind: 'get', name: place, check },
    put: { kind: 'put', name: place, check },
    patch: { kind: 'patch', name: place, check },
  } as const
  const call = (kind: keyof typeof requests, args: Value, key?: string): Future<DocumentState<T>> => {
    const caller = requireCaller(label)
    return makeFuture(caller, caller.call(requests[kind], args, key), [], place)
  }
  const write = (kind: 'put' | 'patch', value: unknown, { seen, key, ...rest }: WriteOptions = {}) => {
    checkNames(label, rest, writeNames)
    if (seen !== undefined && seen !== 'newest') wholeNumber('seen', seen, 0)
    const base = kind === 'patch' && initial !== undefined ? { initial } : {}
    return call(kind, { value: toArgs(value), seen: seen ?? null, ...base }, key)
  }
  return {
    name,
    get: ({ newest = false, version } = {}) => {
      if (version !== undefined) wholeNumber('version', version, 1)
      return call('get', { newest, version: version ?? null, ...(initial !== undefined && { initial }) })
    },
    put: (value, more) => write('put', value, more),
    patch: (fields, more) => write('patch', fields, more),
    [documentKey]: true,
  }
}

/** The documents that a task declares, as arguments: futures of their values. */
export function contextArgs(context: Readonly<Record<string, AnyDocument>>): Record<string, Value> {
  const args: Record<string, Value> = {}
  for (const [name, each] of Object.entries(context))
    args[name] = toArgs((each as Document<unknown>).get().value)
  return args
}

function scopeOf(label: string, of: DocumentOptions<unknown>['of'] = 'workflow'): string {
  if (of === 'run' || of === 'workflow') return of
  if (typeof of !== 'object' || of === null || typeof of.project !== 'string')
    throw new AlmanacError('ALM_OPTION_REFUSED', {
      option: 'of',
      task: label,
      why: "it is 'run', 'workflow' or { project: 'name' }",
    })
  checkDocumentName(of.project)
  return `project:${of.project}`
}

function wholeNumber(what: string, value: unknown, least: number): void {
  if (Number.isInteger(value) && (value as number) >= least) return
  throw new AlmanacError('ALM_VALUE_REFUSED', { path: what, why: `it is no whole number from ${least}` })
}

/** Others may have written what does not fit. */
const stateCheck = (label: string, schema: Schema<unknown> | undefined) =>
  schema === undefined
    ? undefined
    : async (state: Value): Promise<Value> => {
        const { value, version } = state as unknown as DocumentState<Value>
        const result = await schema['~standard'].validate(value)
        if (result.issues === undefined) return { value: result.value as Value, version }
        throw new AlmanacError('ALM_SCHEMA', { what: label, issues: issuesText(result.issues, value) })
      }
