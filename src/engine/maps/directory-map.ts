import { nameOfKind } from '../../flow/callable.ts'
import { decode, encode } from '../../model/codec.ts'
import type { Hash } from '../../model/digest.ts'
import { AlmanacError, isAlmanacError } from '../../model/errors.ts'
import type { BaseRecord, ErrorRecord, Shown } from '../../model/records.ts'
import { type Digest, DirRef, type FileRef } from '../../model/refs.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { Value } from '../../model/value.ts'
import type { DataPlane } from '../../ports/data.ts'
import type { RunCache } from '../../ports/journal.ts'
import type { CallInfo } from '../calls/call-info.ts'
import { valueFile } from '../calls/views.ts'
import { shownIn } from '../notes/result-notes.ts'
import { changedItems, itemsOf } from './map-items.ts'

/** One entry that a map must run. */
export interface MapEntry {
  /** path in the directory, or place in the list */
  readonly path: string
  readonly item: Value
}

/** How an entry ended. */
export type EntryOutcome = { readonly path: string } & (
  | { readonly value: Value }
  | { readonly error: ErrorRecord }
)

/** What a map is about to do: everything that its end needs. */
export interface MapPlan {
  readonly over: DirRef | readonly Value[]
  readonly entries: readonly MapEntry[]
  /** arguments are put together when an entry is made: most are not for a long time */
  readonly argsOf: (item: Value) => Value
  readonly removed: readonly string[]
  readonly carried: number
  /** what the carried entries showed */
  readonly shown: readonly Shown[]
  /** ms that the carried entries once took, by what the base says of all of its own */
  readonly savedMs: number
  /** the earlier result that the new one starts from */
  readonly base: Value
  /** under which later maps find its result, if they may */
  readonly baseKey: Digest | undefined
}

/**
 * A map over a directory as one call: only entries that were added or changed since the newest result of the same
 * code and other inputs at the same place are run; deleted ones leave, all others are carried over unseen. The cost follows the change.
 */
export async function planMap(
  info: CallInfo,
  args: MapArgs,
  ports: {
    readonly data: DataPlane
    readonly cache: RunCache
    readonly hash: Hash
    readonly environment: string
    readonly useBase: boolean
    /** arrays in workers count by the calls that made them: who wants to know what is in them looks at those */
    readonly takesHeld: boolean
  },
): Promise<MapPlan> {
  const { over } = args
  const argsOf = (item: Value): Value => entryArgs(args, item)
  if (Array.isArray(over)) {
    const entries = over.map((item: Value, index) => ({ path: String(index), item }))
    return { ...nothingCarried, over, entries, argsOf, baseKey: undefined }
  }
  if (!(over instanceof DirRef)) {
    throw new AlmanacError('ALM_MAP_OVER', { task: info.request.name, what: nameOfKind(over) })
  }
  // by its place too: maps of one task are often over different directories
  const { identity, path } = info
  const text = [identity?.basis, args.withText, args.as ?? '', args.each, path].join('\n')
  const baseKey = ports.takesHeld ? undefined : ports.hash(text)
  const base = ports.useBase && baseKey !== undefined ? await usableBase(baseKey, ports) : undefined
  if (base !== undefined) {
    const plan = await differences(over, base, args, ports.data)
    if (plan !== undefined) return { over, argsOf, ...plan, base: decode(base.valueWire), baseKey }
  }
  const entries: MapEntry[] = []
  for await (const { path, item } of itemsOf(over, args, ports.data)) {
    if (item !== undefined) entries.push({ path, item })
  }
  return { ...nothingCarried, over, entries, argsOf, baseKey }
}

const nothingCarried = { removed: [], carried: 0, shown: [], savedMs: 0, base: undefined } as const

/** Arguments of a map, resolved. */
export interface MapArgs {
  readonly over: Value
  readonly with: Readonly<Record<string, Value>>
  readonly withText: string
  /** documents that a function declares */
  readonly context: Value
  readonly as: string | null
  /** what an entry is: a file, or a directory at the top (then `groups` says how many there are) */
  readonly each: 'file' | 'dir'
  readonly groups?: Value
}

async function usableBase(
  baseKey: Digest,
  {
    cache,
    data,
    environment,
  }: { readonly cache: RunCache; readonly data: DataPlane; readonly environment: string },
): Promise<Omit<BaseRecord, 'kind'> | undefined> {
  const base = await cache.findBase(baseKey, environment)
  if (base === undefined) return undefined
  const value = decode(base.valueWire)
  const dirs = value instanceof DirRef ? [value] : Object.values(value as Record<string, Value>)
  for (const dir of dirs) if (!(dir instanceof DirRef) || !(await data.available(dir))) return undefined
  return base
}

async function differences(
  over: DirRef,
  base: Omit<BaseRecord, 'kind'>,
  args: MapArgs,
  data: DataPlane,
): Promise<Pick<MapPlan, 'entries' | 'removed' | 'carried' | 'shown' | 'savedMs'> | undefined> {
  const entries: MapEntry[] = []
  const removed: string[] = []
  let changed = 0
  try {
    for await (const { path, item, isNew } of changedItems(new DirRef(base.input, 0, 0), over, args, data)) {
      if (item === undefined) removed.push(path)
      else {
        entries.push({ path, item })
        if (!isNew) changed++
      }
    }
  } catch (error) {
    // the listing of the base was collected: everything is new
    if (isAlmanacError(error) && error.code === 'ALM_BLOB_MISSING') return undefined
    throw error
  }
  const all = args.each === 'dir' && typeof args.groups === 'number' ? args.groups : over.entries
  const carried = all - entries.length
  const share = carried / Math.max(1, carried + changed + removed.length)
  const gone = new Set([...removed, ...entries.map(({ path }) => path)])
  const shown = shownIn(base.shownWire).filter(({ entry }) => entry !== undefined && !gone.has(entry))
  return { entries, removed, carried, shown, savedMs: Math.round((base.costMs ?? 0) * share) }
}

/** A function gets the item first; a task with named inputs gets it as one of them, or an object as all of them. */
function entryArgs(args: MapArgs, item: Value): Value {
  const plain = typeof item === 'object' && item !== null && Object.getPrototypeOf(item) === Object.prototype
  if (args.as === null) {
    const positions = [item, ...Object.values(args.with)]
    return args.context === undefined ? { args: positions } : { args: positions, context: args.context }
  }
  if (plain && !Object.hasOwn(args.with, args.as)) return { ...(item as Record<string, Value>), ...args.with }
  return { ...args.with, [args.as]: item }
}

/** The value of a map, and how it went. */
export interface MapResult {
  readonly value: Value
  readonly failed: Readonly<Record<string, ErrorRecord>>
}

/** Puts entries together: for each output a directory of one entry each, or for a list the list of results. */
export async function gatherMap(
  plan: MapPlan,
  outcomes: readonly EntryOutcome[],
  task: TaskSpec,
  data: DataPlane,
): Promise<MapResult> {
  const failed: Record<string, ErrorRecord> = {}
  const done: { readonly path: string; readonly value: Value }[] = []
  for (const outcome of outcomes) {
    if ('error' in outcome) failed[outcome.path] = outcome.error
    else done.push(outcome)
  }
  if (!(plan.over instanceof DirRef)) return { value: done.map(({ value }) => value), failed }
  const gone = [...plan.removed, ...Object.keys(failed)]
  if (task.outputs === undefined) {
    const value = await column(plan.base as DirRef | undefined, gone, done, 'value', data)
    return { value, failed }
  }
  const value: Record<string, Value> = {}
  for (const [name, kind] of Object.entries(task.outputs)) {
    const base = (plan.base as Record<string, Value> | undefined)?.[name] as DirRef | undefined
    const cells = done.map((entry) => ({
      path: entry.path,
      value: (entry.value as Record<string, Value>)[name],
    }))
    value[name] = await column(base, gone, cells, kind, data)
  }
  return { value, failed }
}

/** One output over all entries. */
async function column(
  base: DirRef | undefined,
  gone: readonly string[],
  cells: readonly { readonly path: string; readonly value: Value }[],
  kind: 'value' | 'file' | 'dir',
  data: DataPlane,
): Promise<DirRef> {
  const changes = new Map<string, FileRef | DirRef | undefined>(gone.map((path) => [path, undefined]))
  for (const { path, value } of cells) {
    changes.set(path, kind === 'value' ? await valueFile(path, value, data) : (value as FileRef | DirRef))
  }
  return data.edit(base ?? (await data.assemble([])), changes)
}

/** What a result stands for: the directory that was mapped, without the entries that failed. */
export async function mappedInput(
  { over, entries, carried }: MapPlan,
  failed: MapResult['failed'],
  data: DataPlane,
): Promise<DirRef | undefined> {
  if (!(over instanceof DirRef)) return undefined
  const gone = Object.keys(failed)
  if (gone.length === 0) return over
  // nothing that a later map could start from
  if (gone.length === entries.length && carried === 0) return undefined
  return data.edit(over, new Map(gone.map((path) => [path, undefined])))
}

/** The record by which a later map finds this one. */
export const baseRecord = (
  base: Digest,
  input: DirRef,
  info: CallInfo,
  value: Value,
  environment: string,
  at: number,
  shownWire: string | undefined,
): BaseRecord => ({
  kind: 'base',
  base,
  name: info.request.name,
  environment,
  call: info.id,
  input: input.digest,
  valueWire: encode(value),
  at,
  costMs: info.costMs,
  ...(shownWire !== undefined && { shownWire }),
})
