import { relative } from 'node:path'
import { decode } from '../../model/codec.ts'
import { isAlmanacError } from '../../model/errors.ts'
import type { RunRecord } from '../../model/records.ts'
import { DirRef, FileRef, FutureRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import type { Workbench } from '../../workbench.ts'
import type { CallRow } from '../runs/calls.ts'
import { fullText } from './values.ts'

/** Entries that are named; of the others it is said how many they are. */
const namedEntries = 20
/** Earlier runs that are looked through for the same map. */
const earlierRuns = 50

export interface EntryReason {
  readonly path: string
  readonly did: 'executed' | 'removed'
  readonly reason: string
}

/** Why a map did what it did. */
export interface MapReasons {
  /** entries by what was done for them */
  readonly executed: number
  readonly cached: number
  readonly carried: number
  readonly removed: number
  readonly failed: number
  /** the run with the result that it is compared with; absent where there is none */
  readonly compared?: string
  /** what of the code or its surroundings differs from that run */
  readonly differences: readonly string[]
  /** the first of those executed and removed */
  readonly entries: readonly EntryReason[]
  readonly more: number
}

/** What is known of a map of an earlier run. */
interface Earlier {
  readonly run: RunRecord
  readonly over: Value
  readonly parts: Readonly<Record<string, string>> | undefined
}

/** Entries of a map that were run, carried and removed, each with its reason. */
export async function mapReasons(almanac: Workbench, run: RunRecord, map: CallRow): Promise<MapReasons> {
  const number = await numberOf(almanac, run, map)
  const tally = await entriesOf(almanac, run, map, number)
  const over = await overOf(almanac, run, map)
  const earlier = await earlierOf(almanac, run, map, number)
  const changes = await changesOf(almanac, earlier?.over, over)
  const differences = differing(tally.parts, earlier?.parts)
  const executed = tally.first.map((file): EntryReason => {
    const path = pathOf(file, over)
    return { path, did: 'executed', reason: reasonOf(path, changes?.changed, differences, earlier) }
  })
  const removed = (changes?.removed ?? []).map(
    (path): EntryReason => ({ path, did: 'removed', reason: 'it is not in the directory any more' }),
  )
  const entries = [...executed, ...removed].slice(0, namedEntries)
  const carried = map.outcome?.map?.carried ?? 0
  // what it began from may have been the result of another map of its name
  const gone = Math.min(map.outcome?.map?.removed ?? 0, changes?.removals ?? Number.POSITIVE_INFINITY)
  return {
    executed: tally.executed,
    cached: tally.cached,
    carried,
    removed: gone,
    failed: tally.failed,
    ...(earlier !== undefined && { compared: earlier.run.id }),
    differences,
    entries,
    more: Math.max(0, tally.executed + tally.failed + gone - entries.length),
  }
}

function reasonOf(
  path: string,
  changed: ReadonlyMap<string, string> | undefined,
  differences: readonly string[],
  earlier: Earlier | undefined,
): string {
  if (earlier === undefined) return 'no earlier run has a result of it'
  if (differences.length > 0) return `changed: ${differences.join(', ')}`
  return changed?.get(path) ?? 'no result of it was kept'
}

interface Tally {
  executed: number
  cached: number
  failed: number
  /** what the first that ran were given */
  readonly first: (FileRef | DirRef | string)[]
  parts: Readonly<Record<string, string>> | undefined
}

async function entriesOf(almanac: Workbench, run: RunRecord, map: CallRow, number: number): Promise<Tally> {
  const tally: Tally = { executed: 0, cached: 0, failed: 0, first: [], parts: undefined }
  for await (const call of entryCalls(almanac, run, map, number)) {
    const { state, reason } = call.outcome ?? {}
    const ran = state === 'failed' || reason === 'executed'
    if (reason === 'executed') tally.executed++
    else if (state === 'failed') tally.failed++
    else if (state === 'succeeded') tally.cached++
    if (!ran) continue
    if (tally.first.length < namedEntries) tally.first.push(itemOf(call, map))
    tally.parts ??= await partsOf(almanac, run.id, call.call)
  }
  return tally
}

/** Entries bear the path of their map: its caller, its name, and its number among the maps of that name there. */
async function* entryCalls(
  almanac: Workbench,
  run: RunRecord,
  map: CallRow,
  number: number,
): AsyncIterable<CallRow> {
  const path = `${map.caller}/${map.name}#${number}`
  for await (const call of callsOf(almanac, run, map.name, map.call))
    if (call.call_kind === 'entry' && call.caller === path) yield call
}

/** Maps of a name that one caller makes, in order of their calls. */
async function* mapsBeside(almanac: Workbench, run: RunRecord, map: CallRow): AsyncIterable<CallRow> {
  for await (const call of callsOf(almanac, run, map.name))
    if (call.call_kind === 'map' && call.caller === map.caller) yield call
}

async function numberOf(almanac: Workbench, run: RunRecord, map: CallRow): Promise<number> {
  let number = 0
  for await (const { call } of mapsBeside(almanac, run, map)) {
    if (call === map.call) break
    number++
  }
  return number
}

/** The map that stands in another run where this one does. */
async function sameMap(
  almanac: Workbench,
  run: RunRecord,
  map: CallRow,
  number: number,
): Promise<CallRow | undefined> {
  let passed = 0
  for await (const call of mapsBeside(almanac, run, map)) if (passed++ === number) return call
  return undefined
}

async function* callsOf(
  almanac: Workbench,
  run: RunRecord,
  name: string,
  from?: number,
): AsyncIterable<CallRow> {
  for (let after = from; ; ) {
    const page: readonly CallRow[] = await almanac.records.calls(run.id, {
      name,
      limit: 1000,
      ...(after !== undefined && { after }),
    })
    yield* page
    after = page.at(-1)?.call
    if (page.length < 1000) return
  }
}

async function partsOf(
  almanac: Workbench,
  run: string,
  call: number,
): Promise<Readonly<Record<string, string>> | undefined> {
  const recorded = await almanac.records.parts(run, call)
  return recorded === undefined
    ? undefined
    : (JSON.parse(recorded.partsWire) as Readonly<Record<string, string>>)
}

/** Parts without the inputs: those are what an entry is. */
function differing(here: Tally['parts'], there: Tally['parts']): string[] {
  if (here === undefined || there === undefined) return []
  const names = new Set([...Object.keys(here), ...Object.keys(there)])
  return [...names].filter((name) => !/^inputs?\b/.test(name) && here[name] !== there[name])
}

/** The newest earlier run with a result of the same map, and with parts of one that has entries that ran. */
async function earlierOf(
  almanac: Workbench,
  run: RunRecord,
  map: CallRow,
  number: number,
): Promise<Earlier | undefined> {
  const { workflow, environment, id: before } = run
  let found: Earlier | undefined
  const query = { workflow, environment, before, limit: earlierRuns }
  for (const earlier of await almanac.records.runs(query)) {
    const same = await sameMap(almanac, earlier, map, number)
    if (same?.outcome?.state !== 'succeeded') continue
    const parts = await partsOfEntry(almanac, earlier, same, number)
    found ??= { run: earlier, over: await overOf(almanac, earlier, same), parts: undefined }
    if (parts !== undefined) return { ...found, parts }
  }
  return found
}

/** Parts of its first entry that succeeded. */
async function partsOfEntry(
  almanac: Workbench,
  run: RunRecord,
  map: CallRow,
  number: number,
): Promise<Tally['parts']> {
  for await (const { call, outcome } of entryCalls(almanac, run, map, number))
    if (outcome?.state === 'succeeded') return partsOf(almanac, run.id, call)
  return undefined
}

/** What a map goes over, where that is on record. */
async function overOf(almanac: Workbench, run: RunRecord, map: CallRow): Promise<Value> {
  const over = (decode(map.argsWire) as { readonly over?: Value }).over
  if (!(over instanceof FutureRef)) return over
  const [made] = await almanac.records.calls(run.id, { call: over.call, limit: 1 })
  if (made?.outcome?.valueWire === undefined) return undefined
  let value: Value = decode(made.outcome.valueWire)
  for (const step of over.path) {
    if (value === null || typeof value !== 'object') return undefined
    value = (value as Record<string | number, Value>)[step]
  }
  return value
}

interface Changes {
  readonly changed: ReadonlyMap<string, string>
  readonly removals: number
  /** the first of them */
  readonly removed: readonly string[]
}

async function changesOf(almanac: Workbench, before: Value, after: Value): Promise<Changes | undefined> {
  if (!(before instanceof DirRef) || !(after instanceof DirRef)) return undefined
  const changed = new Map<string, string>()
  const removed: string[] = []
  let removals = 0
  try {
    for await (const change of almanac.data.diff(before, after)) {
      if (change.after?.kind === 'file')
        changed.set(change.path, change.before?.kind === 'file' ? 'its content changed' : 'it was added')
      else if (change.before?.kind === 'file' && removals++ < namedEntries) removed.push(change.path)
    }
  } catch (error) {
    // its listing was collected: what changed is not known any more
    if (isAlmanacError(error) && error.code === 'ALM_BLOB_MISSING') return undefined
    throw error
  }
  return { changed, removals, removed }
}

/** What an entry works on: the file, the files of a group, or the item of a list as text. */
function itemOf({ argsWire }: CallRow, map: CallRow): FileRef | DirRef | string {
  const args = decode(argsWire)
  const { as } = decode(map.argsWire) as { readonly as?: Value }
  const fields = args as Record<string, Value>
  const item = typeof as === 'string' ? fields[as] : (fields['args'] as readonly Value[] | undefined)?.[0]
  return item instanceof FileRef || item instanceof DirRef ? item : JSON.stringify(item ?? args).slice(0, 80)
}

function pathOf(item: FileRef | DirRef | string, over: Value): string {
  if (typeof item === 'string') return item
  if (item instanceof DirRef) return fullText(item, 100)
  const { at, name } = item
  return over instanceof DirRef && over.at !== undefined && at !== undefined ? relative(over.at, at) : name
}

/** The reasons for people. */
export function mapReasonLines(reasons: MapReasons): string[] {
  const { executed, cached, carried, removed, failed, compared, entries, more } = reasons
  const done = [
    `${executed} executed`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(cached === 0 ? [] : [`${cached} reused from the run cache`]),
    `${carried} carried over${carried === 0 ? '' : ' unseen: neither they nor the code changed'}`,
    `${removed} removed`,
  ]
  const lines = [`  its entries: ${done.join(', ')}`]
  const differs = entries.length === 0 ? ' nothing differs' : ''
  if (compared !== undefined) lines.push(`  compared with run ${compared}:${differs}`)
  const width = Math.max(0, ...entries.map(({ path }) => path.length))
  for (const { path, did, reason } of entries)
    lines.push(`    ${did.padEnd(8)}  ${path.padEnd(width)}  ${reason}`)
  if (more > 0) lines.push(`    and ${more} more`)
  return lines
}
