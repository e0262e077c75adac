import { decode, encode } from '../../model/codec.ts'
import { AlmanacError, errorOf } from '../../model/errors.ts'
import { DirRef, FileRef, FutureRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { areScalars, mapRefs } from '../../model/value-refs.ts'
import type { CallRequest } from '../../ports/caller.ts'
import type { DataPlane } from '../../ports/data.ts'
import type { CallInfo } from './call-info.ts'
import { groupedDir } from './group-view.ts'
import type { Outcomes } from './outcomes.ts'

/** What views are computed from. */
export interface ViewSources {
  readonly data: DataPlane
  readonly outcomes: Outcomes
  readonly request: (call: number) => CallRequest
  /** where a callback is posted to */
  readonly callbackUrl: (call: number) => Promise<string>
  /** Runs a function of the author's where the workflow function lives. */
  readonly evaluate: (view: CallInfo, args: readonly Value[]) => unknown
}

/** Values derived from values, never remembered: computed anew on each replay, from content alone. */
export function computeView(view: CallInfo, sources: ViewSources): Promise<Value> {
  const args = view.args as Record<string, Value>
  switch (view.request.name) {
    case 'all':
      return listed(resolve(args['of'], sources), sources)
    case 'settled':
      return Promise.resolve(settledOf(args['of'], sources))
    case 'filter':
      return filtered(view, resolve(args['of'], sources), resolve(args['by'], sources), sources)
    case 'group':
      return groupedDir(dirOf(resolve(args['of'], sources)), args['by'], {
        data: sources.data,
        keyOf: (path) => sources.evaluate(view, [path]),
      })
    case 'callback':
      return sources.callbackUrl(args['call'] as number)
    case 'dir':
      return assembled(resolve(args['entries'], sources), sources)
    default:
      throw new AlmanacError('ALM_BUG', { why: `there is no view ${view.request.name}` })
  }
}

function dirOf(value: Value): DirRef {
  if (value instanceof DirRef) return value
  throw new AlmanacError('ALM_VALUE_REFUSED', { path: 'map', why: 'only files of a directory have groups' })
}

/** A structure with the values of its futures: a copy, where whoever is given it could change it. */
export function resolve(args: Value, sources: Pick<ViewSources, 'outcomes' | 'request'>): Value {
  return areScalars(args) ? args : resolved(args, sources)
}

function resolved(args: Value, sources: Pick<ViewSources, 'outcomes' | 'request'>): Value {
  return mapRefs(args, (ref) =>
    ref instanceof FutureRef ? sources.outcomes.field(ref, sources.request(ref.call).name) : ref,
  )
}

/** A list as it is; the values of a map's output in order of path. */
async function listed(value: Value, { data }: ViewSources): Promise<Value> {
  if (!(value instanceof DirRef)) return value
  const values: Value[] = []
  for await (const [, entry] of valuesOf(value, data)) values.push(entry)
  return values
}

/** The JSON values that a map left, one an entry. */
async function* valuesOf(dir: DirRef, data: DataPlane): AsyncIterable<readonly [path: string, value: Value]> {
  for await (const entry of data.entries(dir)) {
    if (entry.kind !== 'file') continue
    const bytes = await data.readFile(new FileRef(entry.path.replace(/^.*\//, ''), entry.digest, entry.size))
    yield [entry.path, decode(new TextDecoder().decode(bytes))]
  }
}

/** One entry of a map's output that is a value. */
export const valueFile = (path: string, value: Value, data: DataPlane): Promise<FileRef> =>
  data.writeFile(path.replace(/^.*\//, ''), new TextEncoder().encode(encode(value)))

function settledOf(of: Value, { outcomes, request }: ViewSources): Value {
  if (of instanceof FutureRef) {
    if (request(of.call).kind === 'map') {
      const [value, error] = [outcomes.value(of.call), outcomes.error(of.call)]
      if (error === undefined) return { done: value, failed: {} }
      // a map that failed has left what succeeded; one that never began has nothing to tell of entries
      if (value === undefined) throw errorOf(error)
      return value
    }
    return settledItem(of, outcomes)
  }
  return (of as readonly Value[]).map((item) =>
    item instanceof FutureRef ? settledItem(item, outcomes) : { ok: true, value: item },
  )
}

function settledItem(ref: FutureRef, outcomes: Outcomes): Value {
  const error = outcomes.error(ref.call)
  if (error === undefined) return { ok: true, value: outcomes.field(ref, '') }
  return { ok: false, error: { code: error.code, message: error.message } }
}

async function filtered(view: CallInfo, of: Value, by: Value, sources: ViewSources): Promise<Value> {
  if (Array.isArray(of)) {
    const answers = await Promise.all(of.map((item: Value, index) => sources.evaluate(view, [item, index])))
    return of.filter((_, index) => Boolean(answers[index]))
  }
  if (!(of instanceof DirRef)) {
    throw new AlmanacError('ALM_VALUE_REFUSED', { path: 'filter', why: 'it filters a directory or a list' })
  }
  const { data } = sources
  const dropped = new Map<string, undefined>()
  if (by === null || by === undefined) {
    for await (const [{ path }, keep] of judged(data.entries(of), ({ path }) =>
      sources.evaluate(view, [path]),
    ))
      if (!keep) dropped.set(path, undefined)
    return data.edit(of, dropped)
  }
  if (!(by instanceof DirRef)) {
    throw new AlmanacError('ALM_VALUE_REFUSED', {
      path: 'filter',
      why: 'a directory is filtered by the output of a map over it',
    })
  }
  const kept = new Set<string>()
  const values = judged(valuesOf(by, data), ([path, value]) => sources.evaluate(view, [value, path]))
  for await (const [[path], keep] of values) if (keep) kept.add(path)
  for await (const { path } of data.entries(of)) if (!kept.has(path)) dropped.set(path, undefined)
  return data.edit(of, dropped)
}

/** What a predicate says of each: several at a time, as it may live in another process. */
async function* judged<T>(
  items: AsyncIterable<T>,
  ask: (item: T) => unknown,
): AsyncIterable<readonly [T, boolean]> {
  const said = (some: readonly T[]) =>
    Promise.all(some.map(async (item) => [item, Boolean(await ask(item))] as const))
  let some: T[] = []
  for await (const item of items) {
    some.push(item)
    if (some.length < 256) continue
    yield* await said(some)
    some = []
  }
  yield* await said(some)
}

async function assembled(entries: Value, { data }: ViewSources): Promise<Value> {
  const refs: [string, FileRef | DirRef][] = []
  for (const [path, value] of Object.entries(entries as Record<string, Value>)) {
    if (value instanceof FileRef) refs.push([path.endsWith('/') ? path + value.name : path, value])
    else if (value instanceof DirRef) refs.push([path, value])
    else refs.push([path, await valueFile(path, value, data)])
  }
  return data.assemble(refs)
}
