import { AlmanacError } from '../../model/errors.ts'
import type { RunId, SentMessage } from '../../model/records.ts'
import type { NewMessage, Owner } from '../../ports/journal.ts'
import { activeRun } from '../refusals.ts'
import { Appender } from './append.ts'
import { listAttempts } from './calls/attempts.ts'
import { listCalls } from './calls/call-lists.ts'
import { loadPage } from './calls/calls.ts'
import { blocksOf, freezeBlock, frozenPage, thawedRun } from './calls/frozen-calls.ts'
import { linkTasks, listTasks } from './calls/tasks.ts'
import { Claims } from './database/claims.ts'
import type { Database } from './database/database.ts'
import { openDatabase, problems } from './database/database.ts'
import { isConstraint, journalFailure } from './database/failures.ts'
import { Holder } from './database/holder.ts'
import { openReadOnly } from './database/read-only.ts'
import { rowRange } from './database/rows.ts'
import type { Batch, WriterMethods } from './messages.ts'
import {
  answerAsk,
  findCallback,
  giveBackAnswers,
  listAsks,
  openAnswers,
  takeAnswers,
} from './tables/asks.ts'
import { dropEntries, findBase, findEntry, forgetEntries, nearestEntry } from './tables/cache.ts'
import { chooseEntries, clearBases, listEntries, listSavings, listVariations } from './tables/cache-lists.ts'
import {
  addVersion,
  checkName,
  listDatasets,
  listVersions,
  readSource,
  readVersion,
  removeVersions,
  setSource,
} from './tables/datasets.ts'
import { documentVersions, listDocuments, readDocument, writeDocument } from './tables/documents.ts'
import { addMessage, incomingMessages, listMessages } from './tables/kept-messages.ts'
import { LimitTables } from './tables/limits.ts'
import { listNotes, readParts } from './tables/notes.ts'
import { sweep } from './tables/removal.ts'
import { addRequest, giveBackRequests, openRequests, takeRequests } from './tables/requests.ts'
import { rootsPage } from './tables/roots.ts'
import { createRun, findRun, listRuns, ownRun, readRun, removeRun, runNumber } from './tables/runs.ts'
import { Work } from './tables/work.ts'

/** Calls a page: large enough to cost little, small enough that batches get their turn. */
const callsPerPage = 5000

/** Blocks that calls are put into before other work gets its turn: some ten milliseconds. */
const blocksAtOnce = 4

/**
 * One open journal: the database, the locks of the runs that it claimed, and what it remembers of them.
 *
 * S1 after a batch failed, later ones of its runs fail alike until the run is claimed anew: commits are a prefix.
 * S2 a record that contradicts the journal fails its own run only, not those that share the transaction.
 */
export class Session {
  readonly #db: Database
  readonly #claims: Claims
  readonly #appender: Appender
  readonly #work: Work
  readonly #limits: LimitTables
  readonly #broken = new Map<RunId, AlmanacError>()
  /** of `take`: what the database's version was when a run was last found to have nothing */
  readonly #seen = new Map<RunId, number>()
  /** own writes that others may wait for, which do not change the database's version for this connection */
  #knocks = 0

  constructor(home: string, { readOnly, ...options }: Parameters<WriterMethods['open']>[1] = {}) {
    this.#db = readOnly === true ? openReadOnly(home) : openDatabase(home, options)
    this.#claims = new Claims(home)
    this.#appender = new Appender(this.#db)
    const holder = new Holder(this.#db, this.#claims, home)
    this.#work = new Work(this.#db, holder)
    this.#limits = new LimitTables(this.#db, holder)
    if (!this.#db.isReadOnly) holder.sweep()
  }

  /** Commits batches as one; if that fails, run by run. Gives the runs of each batch that were not kept, and why. */
  append(batches: readonly Batch[]): Map<RunId, AlmanacError>[] {
    const broken = new Map(this.#broken)
    const error = this.#commit(() => {
      for (const { packed } of batches) this.#appender.write(packed, (run) => !broken.has(run))
    })
    if (error === undefined) return batches.map(({ runs }) => this.#failuresOf(runs))
    // the fault of one run's records, or of all
    const own = error.code === 'ALM_BUG' || error.code === 'ALM_RUN_UNKNOWN'
    return batches.map(({ packed, runs }) => {
      for (const run of runs) {
        if (this.#broken.has(run)) continue
        const failed = own ? this.#commit(() => this.#appender.write(packed, (one) => one === run)) : error
        if (failed !== undefined) this.#broken.set(run, failed)
      }
      return this.#failuresOf(runs)
    })
  }

  #failuresOf(runs: readonly RunId[]): Map<RunId, AlmanacError> {
    const failures = new Map<RunId, AlmanacError>()
    for (const run of runs) {
      const failure = this.#broken.get(run)
      if (failure !== undefined) failures.set(run, failure)
    }
    return failures
  }

  #commit(write: () => void): AlmanacError | undefined {
    try {
      this.#db.transaction(() => {
        write()
        this.#appender.finish()
      })
      return undefined
    } catch (error) {
      this.#appender.rolledBack()
      if (isConstraint(error)) {
        return new AlmanacError(
          'ALM_BUG',
          { why: 'a record was refused: its call is there already' },
          { cause: error },
        )
      }
      return journalFailure(error, this.#db.path)
    }
  }

  readonly methods: Omit<WriterMethods, 'open'> = {
    create: (run) => {
      this.#db.transaction(() => createRun(this.#db, run))
      this.#broken.delete(run.id)
    },
    claim: (run, owner) => this.#claim(run, owner),
    release: (run) => this.#release([run]),
    load: (run, from) => {
      const n = runNumber(this.#db, run)
      const blocks = from === 0 ? blocksOf(this.#db, ...rowRange(n)) : []
      const found = loadPage(this.#db, this.#appender.names, this.#appender.index(n), n, from, callsPerPage)
      return { ...found, blocks }
    },
    answer: (run, answer) => {
      this.#db.transaction(() => answerAsk(this.#db, run, answer))
      this.#knocks++
    },
    request: (run, request) => {
      this.#db.transaction(() => addRequest(this.#db, runNumber(this.#db, run), request))
      this.#knocks++
    },
    send: (run, message) => this.#send(run, message),
    incoming: (run, wanted) => incomingMessages(this.#db, run, wanted),
    take: (run) => this.#take(run),
    runs: (query) => listRuns(this.#db, query),
    run: (run) => readRun(this.#db, run),
    claimed: (runs) => this.#claimed(runs),
    calls: (run, query) => listCalls(this.#db, this.#appender.names, run, query),
    frozen: (run, after) => frozenPage(this.#db, runNumber(this.#db, run), after),
    freeze: (endedBefore, after) => this.#freeze(endedBefore, after),
    vacuum: () => this.#vacuum(),
    tasks: (run) => listTasks(this.#db, this.#appender.names, run),
    attempts: (run, call) => listAttempts(this.#db, run, call),
    notes: (run, query) => listNotes(this.#db, run, query),
    asks: (run, query) => listAsks(this.#db, run, query),
    callback: (token) => findCallback(this.#db, token),
    messages: (run, query) => listMessages(this.#db, run, query),
    parts: (run, call) => readParts(this.#db, run, call),
    remove: (run) => this.#remove(run),
    sweep: () => this.#db.transaction(() => sweep(this.#db)),
    find: (fingerprint, notBefore) => findEntry(this.#db, fingerprint, notBefore),
    findBase: (base, environment) => findBase(this.#db, base, environment),
    nearest: (name) => nearestEntry(this.#db, name),
    roots: (place) => rootsPage(this.#db, place),
    forget: (digests) => this.#db.transaction(() => forgetEntries(this.#db, digests)),
    entries: (query) => listEntries(this.#db, query),
    savings: () => listSavings(this.#db),
    variations: (query) => listVariations(this.#db, query),
    chooseEntries: (choice) => chooseEntries(this.#db, choice),
    dropEntries: (seqs) => this.#db.transaction(() => dropEntries(this.#db, seqs)),
    clearBases: (choice) => this.#db.transaction(() => clearBases(this.#db, choice)),
    takeWork: (wanted) => this.#work.take(wanted),
    releaseWork: (fingerprints) => this.#work.release(fingerprints),
    othersWork: () => this.#work.others(),
    askLimits: (asks) => this.#limits.ask(asks),
    leaveLimits: (run) => this.#limits.leave(run),
    limits: () => this.#limits.list(),
    addVersion: (version) => this.#db.transaction(() => addVersion(this.#db, version)),
    version: (key, version) => readVersion(this.#db, key, version),
    versions: (key, query) => listVersions(this.#db, key, query),
    datasets: (environment, query) => listDatasets(this.#db, environment, query),
    setSource: (key, source, at) => this.#db.transaction(() => setSource(this.#db, key, source, at)),
    checkName: (key) => checkName(this.#db, key),
    source: (key) => readSource(this.#db, key),
    removeVersions: (key, versions, at) =>
      this.#db.transaction(() => removeVersions(this.#db, key, versions, at)),
    writeDocument: (write) => this.#db.transaction(() => writeDocument(this.#db, write)),
    document: (key, version) => readDocument(this.#db, key, version),
    documentVersions: (key, query) => documentVersions(this.#db, key, query),
    documents: (environment, query) => listDocuments(this.#db, environment, query),
    check: () => problems(this.#db),
    close: () => {
      this.#release(this.#claims.held)
      this.#db.close()
    },
  }

  /** A poll that finds nothing new costs one question after the database's version. */
  #take(run: RunId): ReturnType<WriterMethods['take']> {
    const { data_version: others } = this.#db.get<{ data_version: number }>('PRAGMA data_version') ?? {
      data_version: 0,
    }
    const version = others + this.#knocks
    if (this.#seen.get(run) === version) return { requests: [], answers: [] }
    const n = runNumber(this.#db, run)
    const open = () => ({ requests: openRequests(this.#db, n), answers: openAnswers(this.#db, n) })
    let found = open()
    if (found.requests.length + found.answers.length > 0) {
      found = this.#db.transaction(() => {
        // more may have come before others let this one write
        const taken = open()
        takeRequests(this.#db, n)
        takeAnswers(this.#db, n, taken.answers)
        return taken
      })
    }
    this.#seen.set(run, version)
    return found
  }

  #send(run: RunId, message: NewMessage): SentMessage {
    const sent = this.#db.transaction(() => addMessage(this.#db, run, message))
    this.#knocks++
    return sent
  }

  #claim(run: RunId, owner: Owner): boolean {
    let taken = false
    try {
      return this.#db.transaction(() => {
        const n = runNumber(this.#db, run)
        taken = this.#claims.take(run)
        if (!taken) return false
        ownRun(this.#db, n, owner)
        giveBackAnswers(this.#db, n)
        giveBackRequests(this.#db, n)
        this.#broken.delete(run)
        this.#forget(run, n)
        return true
      })
    } catch (error) {
      if (taken) this.#claims.drop(run)
      throw error
    }
  }

  #claimed(runs: readonly RunId[]): RunId[] {
    const look = (): RunId[] => runs.filter((run) => this.#claims.isTaken(run))
    // where nothing can be written, nobody who could takes a lock beside us
    return this.#db.isReadOnly ? look() : this.#db.transaction(look)
  }

  #release(runs: readonly RunId[]): void {
    if (runs.length === 0) return
    try {
      this.#db.transaction(() => {
        for (const run of runs) this.#claims.release(run)
      })
    } finally {
      // where the journal is broken the locks are given back all the same
      for (const run of runs) {
        this.#claims.drop(run)
        const n = findRun(this.#db, run)
        if (n !== undefined) this.#forget(run, n)
      }
    }
  }

  #freeze(endedBefore: number, after: number): ReturnType<WriterMethods['freeze']> {
    const run = thawedRun(this.#db, endedBefore, after)
    if (run === undefined) return undefined
    const { n, id } = run
    linkTasks(this.#db, this.#appender.names, id)
    return this.#db.transaction(() => {
      // whoever has it goes on with it
      if (!this.#claims.take(id)) return { calls: 0, after: n }
      try {
        const isOpen = thawedRun(this.#db, endedBefore, n - 1)?.n === n
        for (let i = 0; isOpen && i < blocksAtOnce; i++)
          if (!freezeBlock(this.#db, this.#appender.names, n)) return { calls: i, after: n }
        this.#appender.dropIndex(n)
        return { calls: isOpen ? blocksAtOnce : 0, after: isOpen ? n - 1 : n }
      } finally {
        this.#claims.release(id)
      }
    })
  }

  /** Nobody writes meanwhile: where a process has a run, it is left to a later time. */
  #vacuum(): void {
    if (this.#db.isReadOnly || this.#db.transaction(() => this.#claims.someTaken()) !== undefined) return
    this.#db.vacuum()
  }

  #remove(run: RunId): void {
    this.#db.transaction(() => {
      runNumber(this.#db, run)
      if (!this.#claims.take(run)) throw activeRun(run)
      try {
        removeRun(this.#db, run)
      } finally {
        this.#claims.release(run)
      }
    })
  }

  #forget(run: RunId, n: number): void {
    this.#appender.dropIndex(n)
    this.#seen.delete(run)
  }
}
