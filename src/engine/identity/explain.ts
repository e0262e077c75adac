import { isAlmanacError } from '../../model/errors.ts'
import type { PartsRecord, RunRecord } from '../../model/records.ts'
import { DirRef } from '../../model/refs.ts'
import type { DataPlane } from '../../ports/data.ts'
import type {
  CacheEntry,
  CacheRecords,
  CallRow,
  Records,
  Variation,
  WorkClaims,
  WorkUnderWay,
} from '../../ports/journal.ts'

/** So many of the newest results of a task are compared, and so many changed files are named. */
const compared = 500
const named = 10
/** Changed files are counted up to here. */
const counted = 10_000

type Parts = Readonly<Record<string, string>>

/** A part of two fingerprints that is not the same. */
export interface Difference {
  readonly part: string
  /** of this call, and of the other; absent where it has no such part */
  readonly here?: string
  readonly there?: string
  /** of a directory: files that differ, the first of them, and how many there are */
  readonly files?: readonly { readonly path: string; readonly change: 'added' | 'changed' | 'removed' }[]
  readonly changed?: number
}

/** Why a call was executed, reused, or waits. */
export interface Explanation {
  /** of the run cache, in one word: see `PartsRecord`; absent where nothing was recorded */
  readonly verdict?: string
  readonly fingerprint?: string
  readonly parts?: Parts
  /** what it was compared with: the kept result that has most in common with it, or itself before an edit */
  readonly nearest?: { readonly run: string; readonly call: number; readonly isBefore: boolean }
  readonly differences: readonly Difference[]
  /** who executes the same */
  readonly waitsFor?: WorkUnderWay
  /** executions of this fingerprint that gave different results */
  readonly variations: readonly Variation[]
}

export interface ExplainPorts {
  readonly records: Pick<Records, 'parts'>
  readonly entries: CacheRecords
  readonly work: WorkClaims
  readonly data: Pick<DataPlane, 'diff'>
}

export async function explain(ports: ExplainPorts, run: RunRecord, call: CallRow): Promise<Explanation> {
  const recorded = await ports.records.parts(run.id, call.call)
  if (recorded === undefined) return { differences: [], variations: [] }
  const { fingerprint, verdict, partsWire } = recorded
  const parts = JSON.parse(partsWire) as Parts
  const other = await nearest(ports.entries, run.id, call, recorded, parts)
  const waits = call.outcome === undefined && verdict === 'waits'
  const waitsFor = waits
    ? (await ports.work.others()).find((one) => one.fingerprint === fingerprint)
    : undefined
  return {
    verdict,
    fingerprint,
    parts,
    differences: other === undefined ? [] : await differences(parts, other.parts, ports.data),
    variations: await ports.entries.variations({ fingerprint, limit: named }),
    ...(other !== undefined && { nearest: { run: other.run, call: other.call, isBefore: other.isBefore } }),
    ...(waitsFor !== undefined && { waitsFor }),
  }
}

interface Other {
  readonly run: string
  readonly call: number
  readonly isBefore: boolean
  readonly parts: Parts
}

/** What the call might have been: it was edited, or another result of its task has most parts in common with it. */
async function nearest(
  entries: CacheRecords,
  run: string,
  { call, name }: CallRow,
  { fingerprint, beforeWire }: PartsRecord,
  parts: Parts,
): Promise<Other | undefined> {
  if (beforeWire !== undefined) return { run, call, isBefore: true, parts: JSON.parse(beforeWire) as Parts }
  let best: { readonly entry: CacheEntry; readonly parts: Parts; readonly cost: number } | undefined
  for (const entry of await entries.list({ name, limit: compared })) {
    if (entry.fingerprint === fingerprint) continue
    const theirs = JSON.parse(entry.partsWire) as Parts
    const cost = unlikeness(parts, theirs)
    if (best === undefined || cost < best.cost) best = { entry, parts: theirs, cost }
  }
  return best && { run: best.entry.run, call: best.entry.call, isBefore: false, parts: best.parts }
}

/** Parts that differ; a file of the same name, or another directory, counts half: that is what changes from run to run. */
function unlikeness(here: Parts, there: Parts): number {
  let cost = 0
  for (const part of namesOf(here, there)) {
    const [a, b] = [here[part], there[part]]
    if (a !== b) cost += a !== undefined && b !== undefined && kindOf(a) === kindOf(b) ? 0.5 : 1
  }
  return cost
}

/** What stands before the digest of a file (with its name) or of a directory. */
const kindOf = (text: string): string => /^(?:f"(?:[^"\\]|\\.)*"|d)(?=[0-9a-f]{64})/.exec(text)?.[0] ?? text

async function differences(here: Parts, there: Parts, data: ExplainPorts['data']): Promise<Difference[]> {
  const found: Difference[] = []
  for (const part of namesOf(here, there)) {
    const [a, b] = [here[part], there[part]]
    if (a === b) continue
    const [mine, theirs] = [directory(a), directory(b)]
    found.push({
      part,
      ...(a !== undefined && { here: a }),
      ...(b !== undefined && { there: b }),
      ...(mine !== undefined && theirs !== undefined && (await files(theirs, mine, data))),
    })
  }
  return found
}

/** Results of before inputs were told one by one have them all as one part. */
function namesOf(here: Parts, there: Parts): string[] {
  const isOld = (parts: Parts): boolean =>
    'inputs' in parts && !Object.keys(parts).some((part) => part.startsWith('input '))
  const names = [...new Set([...Object.keys(here), ...Object.keys(there)])]
  return isOld(here) === isOld(there) ? names : names.filter((part) => !/^inputs?\b/.test(part))
}

const directory = (text: string | undefined): DirRef | undefined =>
  text !== undefined && /^d[0-9a-f]{64}$/.test(text) ? new DirRef(text.slice(1), 0, 0) : undefined

/** Which files differ; nothing where a listing is not there any more. */
async function files(
  before: DirRef,
  after: DirRef,
  data: ExplainPorts['data'],
): Promise<Pick<Difference, 'files' | 'changed'>> {
  const found: { path: string; change: 'added' | 'changed' | 'removed' }[] = []
  let changed = 0
  try {
    for await (const one of data.diff(before, after)) {
      const change = one.before === undefined ? 'added' : one.after === undefined ? 'removed' : 'changed'
      if (found.length < named) found.push({ path: one.path, change })
      if (++changed >= counted) break
    }
  } catch (error) {
    if (isAlmanacError(error) && error.code === 'ALM_BLOB_MISSING') return {}
    throw error
  }
  return { files: found, changed }
}
