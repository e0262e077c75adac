import { decode } from '../../model/codec.ts'
import { DirRef, FileRef, SpilledRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { eachRef } from '../../model/value-refs.ts'
import type { DataPlane } from '../../ports/data.ts'
import type { RunCache } from '../../ports/journal.ts'
import type { CallInfo } from '../calls/call-info.ts'
import { unspilled } from '../calls/spilled-values.ts'
import type { EnginePorts } from '../settings.ts'

type Entry = NonNullable<Awaited<ReturnType<RunCache['find']>>>

/** What the run cache has for a call. */
export interface FoundEntry {
  readonly entry: Entry
  readonly value: Value
  /** where it is kept, if it is large */
  readonly spilled?: SpilledRef
  /** its files are not there any more */
  readonly isGone: boolean
}

/** The entry that a call may take, if it is young enough for it. */
export async function findEntry(
  { cache, clock, data }: Pick<EnginePorts, 'cache' | 'clock' | 'data'>,
  info: CallInfo,
): Promise<FoundEntry | undefined> {
  const policy = info.request.task?.policy.cache
  const notBefore = typeof policy === 'object' ? clock.now() - policy.forMs : 0
  const entry = await cache.find(info.fingerprint as string, notBefore)
  if (entry === undefined) return undefined
  const kept = decode(entry.valueWire)
  if (kept instanceof SpilledRef) {
    const value = await unspilled(kept, data)
    return { entry, value, spilled: kept, isGone: value === undefined }
  }
  return { entry, value: kept, isGone: (await filesGone(kept, data)) === true }
}

/** Is there an entry that is only too old for the call? */
export async function isOld({ cache }: Pick<EnginePorts, 'cache'>, info: CallInfo): Promise<boolean> {
  if (typeof info.request.task?.policy.cache !== 'object') return false
  return (await cache.find(info.fingerprint as string, 0)) !== undefined
}

/** Are files of a value gone from the store? Undefined where it has none. */
export function filesGone(value: Value, data: DataPlane): Promise<boolean> | undefined {
  const refs: (FileRef | DirRef)[] = []
  eachRef(value, (ref) => {
    if (ref instanceof FileRef || ref instanceof DirRef) refs.push(ref)
  })
  if (refs.length === 0) return undefined
  return Promise.all(refs.map((ref) => data.available(ref))).then((there) => there.includes(false))
}
