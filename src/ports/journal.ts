import type {
  AskRecord,
  AttemptRecord,
  BaseRecord,
  CacheRecord,
  CallKind,
  CallMade,
  JournalRecord,
  Message,
  Note,
  Outcome,
  PartsRecord,
  RememberedCall,
  RunId,
  RunRecord,
  SentMessage,
  Time,
} from '../model/records.ts'
import type { Digest } from '../model/refs.ts'
import type { CallState, RunState } from '../model/states.ts'

/**
 * The durable record of runs, as the engine writes it.
 *
 * J1 `append` resolves when its records are durable, in the order of the calls; commits are a prefix.
 * J2 records of one `append` become visible together or not at all.
 * J3 a run is claimed by at most one living process; the claim ends with the process, however that ends.
 * J4 `load` gives what was durable, never what was only appended.
 */
export interface Journal {
  /** Adds a run, durable on return. @throws ALM_RUN_EXISTS */
  create(run: RunRecord): Promise<void>
  /**
   * Takes a run; undefined where a living process has it (which one: `Records.run`). Answers and requests that an
   * earlier owner took without recording what came of them are given again.
   */
  claim(run: RunId, owner: Owner): Promise<RunClaim | undefined>
  /** What a replay needs. @throws ALM_RUN_UNKNOWN */
  load(run: RunId): Promise<readonly RememberedCall[]>
  /**
   * Holds its caller back for a moment where far more waits than the disk takes: of what never rests nothing else can.
   * `isPatient`: nobody waits for it before `hurry` is called, so that it may gather with others for some ms.
   * @throws ALM_JOURNAL_FULL, ALM_JOURNAL_READ_ONLY, ALM_JOURNAL_DAMAGED: nothing of this batch is kept, later ones of the run fail alike until it is claimed anew
   */
  append(run: RunId, records: readonly JournalRecord[], isPatient?: boolean): Promise<void>
  /** Somebody waits for what was appended. */
  hurry?(): void
  /** An answer to an open question, by whoever gives it, from any process. @throws ALM_ASK_CLOSED, ALM_RUN_UNKNOWN */
  answer(run: RunId, call: number, answerWire: string, by: string, at: number): Promise<void>
  /** A person's wish to the owner of a run (cancel, pause, …): kept until the owner records a change of the run after it took it, or the run's end. @throws ALM_RUN_ENDED where it has ended */
  request(run: RunId, request: RunRequest): Promise<void>
  /** Requests and answers not taken yet; the owner polls this. */
  take(run: RunId): Promise<{ readonly requests: readonly RunRequest[]; readonly answers: readonly Answer[] }>
  /**
   * A message to a run, by whoever sends it, from any process: durable on return. One with an `id` that was sent before
   * is not sent again. @throws ALM_RUN_UNKNOWN, ALM_RUN_OVER
   */
  send(run: RunId, message: NewMessage): Promise<SentMessage>
  /** Messages to a run that no call of it has received, and that were not set aside: oldest first, a few. */
  incoming(run: RunId, wanted: { readonly name: string; readonly after: number }): Promise<readonly Message[]>
  close(): Promise<void>
}

export interface NewMessage {
  readonly name: string
  readonly valueWire: string
  readonly by: string
  readonly id?: string
  readonly at: Time
}

export interface Owner {
  readonly host: string
  readonly pid: number
  readonly bootId: string
}

export interface RunClaim {
  release(): Promise<void>
}

export type RunRequest = {
  readonly kind: 'cancel' | 'pause' | 'unpause'
  readonly by: string
  readonly at: number
}

export interface AskQuery {
  readonly open: boolean
  /** those of people, or calls that wait for messages or callbacks; all if absent */
  readonly of?: 'person' | NonNullable<AskRecord['of']>
  /** of this call alone */
  readonly call?: number
}

export interface Answer {
  readonly call: number
  readonly answerWire: string
  readonly by: string
  readonly at: number
}

/** The journal as it is read by people: lists, one run, one call. Bounded pages, newest first unless told. */
export interface Records {
  runs(query: RunQuery): Promise<readonly RunRecord[]>
  run(id: RunId): Promise<RunRecord | undefined>
  /** Those of the runs that a living process has, which may be this one. */
  claimed(runs: readonly RunId[]): Promise<readonly RunId[]>
  /** Calls by state, name or id; in order of id. What has no outcome is `waiting`: only its owner knows what runs. */
  calls(run: RunId, query: CallQuery): Promise<readonly CallRow[]>
  /** What a run did by task, in order of their first calls; kept with the calls, never counted by scanning. */
  tasks(run: RunId): Promise<readonly TaskSummary[]>
  attempts(run: RunId, call: number): Promise<readonly AttemptRecord[]>
  /** Oldest first; `after` is the `seq` of the last one seen. */
  notes(run: RunId, query: NoteQuery): Promise<readonly ListedNote[]>
  /** Open: neither answered nor ended; otherwise the closed ones. At most 1000, in order of run and call. */
  asks(run: RunId | undefined, query: AskQuery): Promise<readonly (AskRecord & { readonly run: RunId })[]>
  /** The open callback with the token whose SHA-256 this is; one that has ended or was called is given as closed. */
  callback(token: Digest): Promise<Callback | undefined>
  /** Oldest first; `after` is the `seq` of the last one seen. */
  messages(run: RunId, query: MessageQuery): Promise<readonly Message[]>
  parts(run: RunId, call: number): Promise<PartsRecord | undefined>
  /**
   * Makes what is kept of runs that ended by then smaller, without a change of what anybody reads of them, for so long.
   * Nothing is lost whenever the process dies. Is it all?
   */
  compact(options: { readonly endedBefore: Time; readonly budgetMs?: number }): Promise<boolean>
  /** Removes a run that has ended and all that is only its own. @throws ALM_RUN_ACTIVE */
  remove(run: RunId): Promise<void>
}

export interface RunQuery {
  readonly workflow?: string
  readonly environment?: string
  readonly file?: string
  readonly states?: readonly RunState[]
  /** of each workflow only the newest of these */
  readonly newestOfEach?: true
  /** those that this run has started */
  readonly triggeredBy?: RunId
  readonly limit: number
  readonly before?: RunId
}

export interface CallQuery {
  readonly states?: readonly CallState[]
  readonly name?: string
  readonly call?: number
  readonly after?: number
  readonly limit: number
}

export interface NoteQuery {
  readonly call?: number
  /** false: only what is said of the run itself */
  readonly ofCalls?: boolean
  readonly type?: Note['type']
  readonly after?: number
  /** of each name only the newest of these, with how many they are */
  readonly newestOfEach?: true
  readonly limit: number
}

export type ListedNote = Note & { readonly seq: number; readonly count?: number }

export interface MessageQuery {
  readonly direction?: Message['direction']
  readonly name?: string
  readonly after?: number
  /** of the newest ones only those that were set aside; of these the newest where there are more than `limit` */
  readonly aside?: boolean
  readonly limit: number
}

export type Callback = AskRecord & { readonly run: RunId; readonly isOpen: boolean }

/** A call and its newest outcome. */
export interface CallRow extends Omit<CallMade, 'kind'> {
  readonly outcome?: Omit<Outcome, 'kind' | 'call'>
}

/** Calls of one task in a run. A map counts by its entries, those carried over included. */
export interface TaskSummary {
  readonly name: string
  /** of its first call */
  readonly kind: CallKind
  readonly calls: number
  readonly counts: Readonly<Partial<Record<CallState, number>>>
  readonly executed: number
  readonly reused: number
  /** ms of the attempts */
  readonly costMs: number
  /** other tasks whose results its calls take, in order of their first calls; those of what is derived are its inputs' */
  readonly inputs: readonly string[]
}

/** The run cache as it is looked up; it is written by `cache` and `base` records, in the transaction of their call. */
export interface RunCache {
  /** The first entry of a fingerprint that is not older than `notBefore`. */
  find(
    fingerprint: Digest,
    notBefore: number,
  ): Promise<(Omit<CacheRecord, 'kind'> & { readonly run: RunId }) | undefined>
  findBase(
    base: Digest,
    environment: string,
  ): Promise<(Omit<BaseRecord, 'kind'> & { readonly run: RunId }) | undefined>
  /** Newest entry of a task of that name, for `why`: what differs from it. */
  nearest(name: string): Promise<(Omit<CacheRecord, 'kind'> & { readonly run: RunId }) | undefined>
  /**
   * Blobs that entries, bases and kept runs need: the roots of a collection. What is recorded while it is read may be
   * missing, so a collection spares young blobs. A digest may come more than once.
   */
  roots(): AsyncIterable<Digest>
  /** Entries and bases by their digests. */
  forget(fingerprints: readonly Digest[]): Promise<void>
}

/** An entry as people see it. */
export interface CacheEntry
  extends Omit<CacheRecord, 'kind' | 'replaces' | 'varies' | 'bytes' | 'shownWire'> {
  readonly run: RunId
  readonly bytes: number
  /** its place among all, in order of time */
  readonly seq: number
  readonly hits: number
  /** when it was last used */
  readonly usedAt?: number
}

export interface CacheQuery {
  readonly name?: string
  /** the first characters of the fingerprint */
  readonly prefix?: string
  /** entries before this `seq` */
  readonly before?: number
  readonly limit: number
}

/** Which entries: all that fit all that is said. */
export interface CacheChoice {
  readonly name?: string
  readonly prefix?: string
  /** neither made nor used since then */
  readonly notSince?: number
  /** the least recently used ones, so that no more bytes, or no more entries, stay */
  readonly maxBytes?: number
  readonly maxEntries?: number
}

/** What is kept of a task's results, and what they have saved. */
export interface CacheSavings {
  readonly name: string
  readonly entries: number
  readonly bytes: number
  readonly hits: number
  /** work and outputs that were not made again */
  readonly savedMs: number
  readonly savedBytes: number
  /** fingerprints for which two executions gave different results */
  readonly varied: number
}

/** Two executions of one fingerprint gave different results. */
export interface Variation {
  readonly fingerprint: Digest
  readonly name: string
  /** of the first result, and of the other one with the call that gave it */
  readonly digest: Digest
  readonly other: Digest
  readonly run: RunId
  readonly call: number
  readonly at: number
}

/** The run cache as it is read and cleared by people. */
export interface CacheRecords {
  /** Newest first. */
  list(query: CacheQuery): Promise<readonly CacheEntry[]>
  /** By name. */
  savings(): Promise<readonly CacheSavings[]>
  /** Newest first. */
  variations(query: {
    readonly name?: string
    readonly run?: RunId
    readonly fingerprint?: Digest
    readonly limit: number
  }): Promise<readonly Variation[]>
  /** How many entries, and bytes, these are; they are gone then, unless `dryRun`. */
  clear(
    choice: CacheChoice & { readonly dryRun?: boolean },
  ): Promise<{ readonly entries: number; readonly bytes: number }>
}

/** What somebody executes at the moment. */
export interface WorkUnderWay {
  readonly fingerprint: Digest
  readonly run: RunId
  readonly call: number
}

/**
 * Who executes what, so that of identical calls one is executed.
 *
 * W1 a fingerprint has at most one holder; its claim ends by `release`, when an entry of the run cache is recorded for
 *    it, and with the holder's process, however that ends.
 * W2 nothing here is a promise about the past: claims need not survive a loss of power.
 */
export interface WorkClaims {
  /** Takes what nobody has; gives what others have. */
  take(wanted: readonly WorkUnderWay[]): Promise<readonly WorkUnderWay[]>
  release(fingerprints: readonly Digest[]): Promise<void>
  /** What other processes hold: few, as each has a slot. */
  others(): Promise<readonly WorkUnderWay[]>
}
