import type { DatasetKey, DatasetSource, DatasetVersion } from '../../model/dataset.ts'
import type { DocumentKey, DocumentVersion } from '../../model/document.ts'
import type { ErrorCode } from '../../model/errors.ts'
import type {
  AskRecord,
  AttemptRecord,
  Message,
  Note,
  PartsRecord,
  RunId,
  RunRecord,
  SentMessage,
} from '../../model/records.ts'
import type { Digest } from '../../model/refs.ts'
import type { DatasetRow, NewVersion } from '../../ports/datasets.ts'
import type { Documents, DocumentWrite } from '../../ports/documents.ts'
import type {
  Answer,
  AskQuery,
  CacheChoice,
  CacheEntry,
  CacheQuery,
  CacheRecords,
  CacheSavings,
  Callback,
  CallQuery,
  CallRow,
  MessageQuery,
  NewMessage,
  NoteQuery,
  Owner,
  RunCache,
  RunQuery,
  RunRequest,
  TaskSummary,
  Variation,
  WorkUnderWay,
} from '../../ports/journal.ts'
import type { LimitAsk, LimitState } from '../../ports/limits.ts'
import type { CallPage } from './calls/call-pages.ts'
import type { DatabaseOptions } from './database/database.ts'
import type { Packed } from './packs/packing.ts'
import type { ChosenEntries } from './tables/cache-lists.ts'
import type { LimitAnswers } from './tables/limits.ts'
import type { RootsPage, RootsPlace } from './tables/roots.ts'

/** What the journal and the thread that holds its database say to each other. */

export interface ToWriter {
  /** to be durable, in this order */
  readonly batch?: Batch
  readonly requests?: readonly WriterRequest[]
}

export interface Batch {
  readonly id: number
  readonly packed: Packed
  /** that have records in it */
  readonly runs: readonly RunId[]
}

export interface WriterRequest {
  readonly id: number
  readonly method: keyof WriterMethods
  readonly args: readonly unknown[]
}

export interface FromWriter {
  /** batches that have ended, in the order they came */
  readonly batches?: readonly BatchEnd[]
  readonly replies?: readonly Reply[]
}

export interface BatchEnd {
  readonly id: number
  /** runs of which nothing in the batch was kept */
  readonly failures: readonly (readonly [run: RunId, failure: Failure])[]
}

export interface Reply {
  readonly id: number
  readonly value?: unknown
  readonly failure?: Failure
}

/** An error of the catalogue on its way between threads, where classes are lost. */
export interface Failure {
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>>
  readonly stack: string | undefined
}

type Cached = Awaited<ReturnType<RunCache['find']>>
type Based = Awaited<ReturnType<RunCache['findBase']>>

/** What is asked of the thread, besides batches. */
export interface WriterMethods {
  open(home: string, options?: DatabaseOptions & { readonly readOnly?: boolean }): void
  create(run: RunRecord): void
  claim(run: RunId, owner: Owner): boolean
  release(run: RunId): void
  /** A page of calls in rows; with the first of them, the blocks that are there before. */
  load(
    run: RunId,
    from: number,
  ): {
    readonly page: CallPage | undefined
    readonly next: number | undefined
    readonly blocks: readonly number[]
  }
  answer(run: RunId, answer: Answer): void
  request(run: RunId, request: RunRequest): void
  send(run: RunId, message: NewMessage): SentMessage
  incoming(run: RunId, wanted: { readonly name: string; readonly after: number }): Message[]
  take(run: RunId): { readonly requests: readonly RunRequest[]; readonly answers: readonly Answer[] }
  runs(query: RunQuery): RunRecord[]
  run(run: RunId): RunRecord | undefined
  claimed(runs: readonly RunId[]): RunId[]
  calls(run: RunId, query: CallQuery): CallRow[]
  /** The block of a run behind a row id. */
  frozen(run: RunId, after: number): { readonly page: CallPage; readonly next: number } | undefined
  /** Puts some calls of the next run into blocks; `after`: its number, undefined where there is none. */
  freeze(endedBefore: number, after: number): { readonly calls: number; readonly after: number } | undefined
  /** Gives the file's free pages back, where they are many, and nobody has a run. */
  vacuum(): void
  tasks(run: RunId): TaskSummary[]
  attempts(run: RunId, call: number): AttemptRecord[]
  notes(run: RunId, query: NoteQuery): (Note & { readonly seq: number })[]
  asks(run: RunId | undefined, query: AskQuery): (AskRecord & { readonly run: RunId })[]
  callback(token: Digest): Callback | undefined
  messages(run: RunId, query: MessageQuery): Message[]
  parts(run: RunId, call: number): PartsRecord | undefined
  remove(run: RunId): void
  /** Is there more to sweep? */
  sweep(): boolean
  find(fingerprint: Digest, notBefore: number): Cached
  findBase(base: Digest, environment: string): Based
  nearest(name: string): Cached
  roots(place: RootsPlace): RootsPage
  forget(digests: readonly Digest[]): void
  entries(query: CacheQuery): CacheEntry[]
  savings(): CacheSavings[]
  variations(query: Parameters<CacheRecords['variations']>[0]): Variation[]
  chooseEntries(choice: CacheChoice): ChosenEntries
  dropEntries(seqs: readonly number[]): void
  clearBases(choice: CacheChoice): number
  takeWork(wanted: readonly WorkUnderWay[]): WorkUnderWay[]
  releaseWork(fingerprints: readonly Digest[]): void
  othersWork(): WorkUnderWay[]
  askLimits(asks: readonly LimitAsk[]): LimitAnswers
  leaveLimits(run: RunId): boolean
  limits(): LimitState[]
  addVersion(version: NewVersion): DatasetVersion
  version(key: DatasetKey, version: number | undefined): DatasetVersion | undefined
  versions(
    key: DatasetKey,
    query: { readonly limit: number; readonly before?: number },
  ): readonly DatasetVersion[]
  datasets(
    environment: string,
    query: { readonly limit: number; readonly after?: string },
  ): readonly DatasetRow[]
  setSource(key: Omit<DatasetKey, 'partition'>, source: DatasetSource | undefined, at: number): void
  checkName(key: Omit<DatasetKey, 'partition'>): void
  source(key: Omit<DatasetKey, 'partition'>): DatasetSource | undefined
  removeVersions(key: DatasetKey, versions: readonly number[] | undefined, at: number): number
  writeDocument(write: DocumentWrite): DocumentVersion
  document(key: DocumentKey, version: number | undefined): DocumentVersion | undefined
  documentVersions(key: DocumentKey, query: Parameters<Documents['versions']>[1]): readonly DocumentVersion[]
  documents(environment: string, query: Parameters<Documents['list']>[1]): readonly DocumentVersion[]
  check(): string[]
  close(): void
}
