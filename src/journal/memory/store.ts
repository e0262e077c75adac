import type { DatasetSource, DatasetVersion } from '../../model/dataset.ts'
import type { DocumentVersion } from '../../model/document.ts'
import type {
  AskRecord,
  AttemptRecord,
  BaseRecord,
  CacheRecord,
  CallMade,
  Message,
  Note,
  Outcome,
  PartsRecord,
  RunId,
  RunRecord,
} from '../../model/records.ts'
import type { Digest } from '../../model/refs.ts'
import type { CallState } from '../../model/states.ts'
import type { Answer, RunRequest, Variation, WorkUnderWay } from '../../ports/journal.ts'
import { unknownRun } from '../refusals.ts'
import { type LimitMemory, limitMemory } from './limits.ts'

/**
 * What a database holds, for as long as this object is alive. Several journals may share one, as several processes
 * share a file.
 *
 * S1 records in it are copies: a caller that goes on with its own changes nothing here.
 * S2 `counts`, `executed` and `reused` of a run change with the calls, in the same step.
 */
export interface MemoryStore {
  readonly runs: Map<RunId, RunMemory>
  readonly cache: CacheEntry[]
  /** what people are told of entries besides */
  readonly uses: Map<
    CacheEntry,
    { readonly seq: number; readonly bytes: number; hits: number; usedAt?: number }
  >
  /** saved by entries that are gone, and by maps */
  readonly savings: Map<string, { hits: number; ms: number; bytes: number }>
  /** by fingerprint, oldest first */
  readonly byFingerprint: Map<Digest, CacheEntry[]>
  readonly bases: Map<string, Omit<BaseRecord, 'kind'> & { readonly run: RunId }>
  /** the journal that holds each claimed run */
  readonly claims: Map<RunId, object>
  /** oldest first */
  readonly variations: Variation[]
  /** what is executed, and the journal whose process does it */
  readonly work: Map<Digest, WorkUnderWay & { readonly holder: object }>
  readonly limits: LimitMemory
  readonly datasets: Map<string, DatasetMemory>
  readonly documents: Map<string, readonly DocumentMemory[]>
  /** of the newest version of a dataset */
  versionSeq: number
  /** of the newest message */
  messageSeq: number
  /** of the newest note */
  seq: number
}

export type CacheEntry = Omit<CacheRecord, 'kind' | 'replaces' | 'varies' | 'bytes'> & { readonly run: RunId }

export interface RunMemory {
  /** without what is counted */
  record: RunRecord
  readonly counts: Map<CallState, number>
  executed: number
  reused: number
  savedMs: number
  readonly calls: Map<number, CallMade>
  /** ids of calls, ascending */
  readonly ids: number[]
  readonly outcomes: Map<number, Outcome>
  readonly attempts: Map<number, AttemptMemory[]>
  readonly notes: (Note & { readonly seq: number })[]
  readonly asks: Map<number, AskMemory>
  /** by `seq`, in its order */
  readonly messages: Map<number, Message>
  /** `seq` of those that have an id, by direction and id */
  readonly messageIds: Map<string, number>
  readonly parts: Map<number, PartsRecord>
  requests: { readonly request: RunRequest; taken: boolean }[]
  /** why the run takes no more records until it is claimed anew */
  broken: Error | undefined
}

/** A dataset of an environment. */
export interface DatasetMemory {
  readonly environment: string
  readonly dataset: string
  source: DatasetSource | undefined
  /** in order of `seq` */
  versions: DatasetVersion[]
  /** by partition */
  readonly lastNumber: Map<string, number>
}

/** A version of a document, and the fingerprint of the call that wrote it. */
export interface DocumentMemory {
  readonly version: DocumentVersion
  readonly fingerprint: Digest | undefined
}

export interface AttemptMemory {
  readonly record: AttemptRecord
  forgotten: boolean
}

export interface AskMemory {
  readonly record: AskRecord
  answer: Answer | undefined
  taken: boolean
  /** its call has an outcome */
  ended: boolean
}

export const memoryStore = (): MemoryStore => ({
  runs: new Map(),
  cache: [],
  uses: new Map(),
  savings: new Map(),
  byFingerprint: new Map(),
  bases: new Map(),
  claims: new Map(),
  datasets: new Map(),
  documents: new Map(),
  versionSeq: 0,
  messageSeq: 0,
  variations: [],
  work: new Map(),
  limits: limitMemory(),
  seq: 0,
})

/** @throws ALM_RUN_UNKNOWN */
export function knownRun(store: MemoryStore, run: RunId): RunMemory {
  const memory = store.runs.get(run)
  if (memory === undefined) throw unknownRun(run)
  return memory
}

/** A copy whose owner may change it. Records hold plain objects and arrays, one level deep. */
export function copyOf<T extends object>(record: T): T {
  const copy: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(record)) {
    copy[name] = Array.isArray(field)
      ? [...field]
      : typeof field === 'object' && field !== null
        ? { ...field }
        : field
  }
  return copy as T
}
