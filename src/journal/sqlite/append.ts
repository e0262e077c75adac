import { isCounted, isShown } from '../../model/call-kinds.ts'
import type { AskRecord, CallKind, Forgotten, RunId } from '../../model/records.ts'
import { countersOf, taskCountersOf } from '../counters.ts'
import { forgedRecord } from '../refusals.ts'
import { TaskSources } from '../task-sources.ts'
import { addAttempt, forgetAttempts } from './calls/attempts.ts'
import type { KnownCall } from './calls/call-index.ts'
import { CallIndex } from './calls/call-index.ts'
import type { CountedOutcome } from './calls/calls.ts'
import { deleteOutcome, findCall, findOutcome, insertCalls, insertOutcomes } from './calls/calls.ts'
import { blocksOf, lastFrozen, referredCalls, thaw } from './calls/frozen-calls.ts'
import { Names } from './calls/names.ts'
import { OpenBlocks } from './calls/open-blocks.ts'
import type { TaskChange } from './calls/tasks.ts'
import { addTaskInput, addToTask, argsOf, changeTasks } from './calls/tasks.ts'
import { Bulk } from './database/bulk.ts'
import type { Database } from './database/database.ts'
import { callsPerRun } from './database/migrations.ts'
import { rowId } from './database/rows.ts'
import type { OutcomeRow, PackedCall, PackedRecord, RareRecord } from './packs/packed-records.ts'
import { readMore, readRecord } from './packs/packed-records.ts'
import type { Packed } from './packs/packing.ts'
import { PackReader } from './packs/packing.ts'
import { endAsk, putAsk } from './tables/asks.ts'
import { addCarried, addEntry, addUse, addVariation, setBase } from './tables/cache.ts'
import { addSent, giveBackMessage, receiveMessage, setAside } from './tables/kept-messages.ts'
import { insertNotes, insertParts } from './tables/notes.ts'
import type { CounterChange } from './tables/runs.ts'
import { changeCounters, changeRun, createRun, runNumber } from './tables/runs.ts'

/** Runs whose calls are remembered here; more are looked up again. */
const maxIndexes = 64

/** More than a journal has. */
const maxNames = 2 ** 26

/** A run within the transaction. */
interface OpenRun {
  readonly id: RunId
  readonly n: number
  readonly index: CallIndex
  readonly counters: CounterChange
  /** last row id that is in a block */
  readonly frozenTo: number
  /** by number of the name */
  readonly tasks: Map<number, TaskChange>
}

/**
 * Writes records into the database, within a transaction that the caller begins and ends.
 *
 * A1 records take effect in the order they came: rows that wait in a `Bulk` are written before anything reads them.
 * A2 a run's counts change in the transaction that changes its calls.
 * A3 after a rollback the caller calls `rolledBack`: nothing is remembered that the database did not keep.
 */
export class Appender {
  readonly names: Names
  readonly #db: Database
  readonly #calls: Bulk
  readonly #outcomes: Bulk
  readonly #parts: Bulk
  readonly #notes: Bulk
  readonly #indexes = new Map<number, CallIndex>()
  readonly #open = new Map<RunId, OpenRun>()

  constructor(db: Database) {
    this.#db = db
    this.names = new Names(db)
    this.#calls = new Bulk(db, insertCalls.sql, insertCalls.width)
    this.#outcomes = new Bulk(db, insertOutcomes.sql, insertOutcomes.width)
    this.#parts = new Bulk(db, insertParts.sql, insertParts.width, insertParts.tail)
    this.#notes = new Bulk(db, insertNotes.sql, insertNotes.width)
  }

  /** Records of the runs that are wanted. @throws ALM_RUN_UNKNOWN, ALM_BUG */
  write(packed: Packed, isWanted: (run: RunId) => boolean): void {
    const reader = new PackReader(packed)
    let run: OpenRun | undefined
    while (!reader.isDone) {
      const record = readRecord(reader)
      if (record.kind === 'of') run = isWanted(record.run) ? this.#openRun(record.run) : undefined
      else if (run !== undefined) this.#write(run, record)
    }
  }

  /** The last thing before the commit. */
  finish(): void {
    for (const bulk of [this.#calls, this.#outcomes, this.#parts, this.#notes]) bulk.flush()
    for (const { n, counters, tasks } of this.#open.values()) {
      if (Object.keys(counters).length > 0) changeCounters(this.#db, n, counters)
      changeTasks(this.#db, n, tasks)
    }
    this.#open.clear()
  }

  rolledBack(): void {
    for (const bulk of [this.#calls, this.#outcomes, this.#parts, this.#notes]) bulk.clear()
    this.#open.clear()
    this.#indexes.clear()
    this.names.clear()
  }

  /** What is known of a run's calls, to be filled by who loads them. */
  index(n: number): CallIndex {
    let index = this.#indexes.get(n)
    if (index === undefined) {
      const [oldest] = this.#indexes.keys()
      if (this.#indexes.size >= maxIndexes && oldest !== undefined) this.#indexes.delete(oldest)
      index = new CallIndex()
      this.#indexes.set(n, index)
    }
    return index
  }

  /** Its owner changes: another one may write its calls from now on. */
  dropIndex(n: number): void {
    this.#indexes.delete(n)
  }

  #openRun(id: RunId): OpenRun {
    let run = this.#open.get(id)
    if (run === undefined) {
      const n = runNumber(this.#db, id)
      run = { id, n, index: this.index(n), counters: {}, tasks: new Map(), frozenTo: lastFrozen(this.#db, n) }
      this.#open.set(id, run)
    }
    return run
  }

  #write(run: OpenRun, record: PackedRecord): void {
    switch (record.kind) {
      case 'call':
        return this.#call(run, record)
      case 'outcome':
        return this.#outcome(run, record)
      case 'parts': {
        const { call, fingerprint, partsWire, verdict } = record
        return this.#parts.add(rowId(run.n, call), fingerprint, partsWire, verdict)
      }
      case 'note': {
        const { call, attempt, type, name, bodyWire, at } = record
        return this.#notes.add(run.n, call ?? null, attempt ?? null, type, name, bodyWire, at)
      }
      default:
        return this.#rare(run, record)
    }
  }

  #rare(run: OpenRun, record: RareRecord): void {
    switch (record.kind) {
      case 'attempt':
        this.#known(run, record.call)
        return addAttempt(this.#db, run.n, record)
      case 'ask':
        return this.#ask(run, record)
      case 'sent':
        this.#known(run, record.call)
        return addSent(this.#db, run, record)
      case 'aside':
        return setAside(this.#db, run.n, record)
      case 'cache':
        return addEntry(this.#db, run.id, record)
      case 'variation':
        return addVariation(this.#db, run.id, record)
      case 'base':
        return setBase(this.#db, run.id, record)
      case 'run':
        return changeRun(this.#db, run.n, record)
      case 'forgotten':
        return this.#forget(run, record)
      case 'triggered':
        this.#known(run, record.call)
        return createRun(this.#db, record.run)
    }
  }

  #ask(run: OpenRun, record: AskRecord): void {
    const known = this.#known(run, record.call)
    run.index.set(record.call, { ...known, asked: true })
    putAsk(this.#db, run.n, record)
  }

  #call(run: OpenRun, record: PackedCall): void {
    const { call } = record
    if (!Number.isInteger(call) || call < 0 || call >= callsPerRun) {
      throw forgedRecord(run.id, `${call} is no number of a call`)
    }
    if (run.index.get(call) !== undefined) throw forgedRecord(run.id, `call ${call} is there already`)
    // what is in a block has no row that would refuse it
    if (rowId(run.n, call) <= run.frozenTo && this.#find(run, call) !== undefined)
      throw forgedRecord(run.id, `call ${call} is there already`)
    const { n } = this.names.of(record.name, record.call_kind)
    run.index.set(call, { name: n, ended: false, asked: false })
    this.#calls.add(rowId(run.n, call), n, record.key, record.caller, record.argsWire, record.at)
    if (record.keyed === true)
      this.#db.run('INSERT OR REPLACE INTO keyed (id) VALUES (?)', rowId(run.n, call))
    if (isCounted(record.call_kind)) count(run, 'waiting', 1)
    this.#tellTask(run, n, record)
  }

  #tellTask(run: OpenRun, name: number, { call, call_kind: kind, argsWire }: PackedCall): void {
    if (isShown(kind)) addToTask(run.tasks, name, taskCountersOf(kind, undefined), 1)
    for (const input of this.#sourcesOf(run, call, kind, argsWire)) {
      const edge = name * maxNames + input
      if (!isShown(kind) || run.index.edges.has(edge)) continue
      run.index.edges.add(edge)
      addTaskInput(this.#db, run.n, name, input)
    }
  }

  #sourcesOf(run: OpenRun, call: number, kind: CallKind, argsWire: string): readonly number[] {
    run.index.sources ??= new TaskSources(
      (input) => {
        const name = this.#nameOf(run, input)
        return name === undefined ? undefined : { name, kind: this.names.at(name).kind }
      },
      (input) => {
        this.#calls.flush()
        return argsOf(this.#db, rowId(run.n, input)) ?? this.#blocks(run).find(input)?.argsWire ?? ''
      },
    )
    try {
      return run.index.sources.add(call, kind, argsWire)
    } catch (error) {
      throw forgedRecord(run.id, `the arguments of call ${call} cannot be read: ${(error as Error).message}`)
    }
  }

  #outcome(run: OpenRun, row: OutcomeRow): void {
    const known = this.#known(run, row.call)
    const { kind } = this.names.at(known.name)
    const { message } = kind === 'receive' ? readMore(row.more) : noMessage
    if (known.ended) this.#takeBack(run, row.call, known.name)
    else run.index.set(row.call, { name: known.name, ended: true, asked: known.asked })
    this.#outcomes.add(
      rowId(run.n, row.call),
      row.order,
      row.state,
      row.reason,
      row.fingerprint ?? null,
      row.valueWire ?? null,
      row.digest ?? null,
      row.attempt,
      row.startedAt,
      row.endedAt,
      row.costMs,
      row.more ?? null,
    )
    countOutcome(run, { name: known.name, kind }, row, 1)
    if (row.reason === 'cached' && row.fingerprint !== undefined)
      addUse(this.#db, row.fingerprint, row.endedAt)
    else if (kind === 'map' && row.more !== undefined)
      addCarried(this.#db, this.names.at(known.name).name, readMore(row.more))
    if (message !== undefined) receiveMessage(this.#db, run.n, message, row.call)
    if (known.asked) endAsk(this.#db, run.n, row.call)
  }

  #forget(run: OpenRun, { calls }: Forgotten): void {
    for (const call of calls) {
      const known = this.#known(run, call)
      if (known.ended) {
        this.#takeBack(run, call, known.name)
        deleteOutcome(this.#db, run.n, call)
        run.index.set(call, { ...known, ended: false })
      }
      forgetAttempts(this.#db, run.n, call)
    }
  }

  #takeBack(run: OpenRun, call: number, name: number): void {
    this.#outcomes.flush()
    const { kind } = this.names.at(name)
    const outcome = findOutcome(this.#db, run.n, call)
    const { message } = kind === 'receive' ? readMore(outcome.more) : noMessage
    if (message !== undefined) giveBackMessage(this.#db, run.n, message)
    countOutcome(run, { name, kind }, outcome, -1)
  }

  #known(run: OpenRun, call: number): KnownCall {
    const known = this.#find(run, call)
    if (known === undefined) throw forgedRecord(run.id, `call ${call} was never made`)
    return known
  }

  /** Of a call that is only referred to: it may stay in its block. */
  #nameOf(run: OpenRun, call: number): number | undefined {
    const known = run.index.get(call) ?? findCall(this.#db, run.n, call)
    return known?.name ?? this.#blocks(run).find(call)?.name
  }

  #blocks({ index, n }: OpenRun): OpenBlocks {
    index.blocks ??= new OpenBlocks(
      (call) => blocksOf(this.#db, rowId(n, call), rowId(n, call)),
      (block) => referredCalls(this.#db, block),
    )
    return index.blocks
  }

  #findRow(run: OpenRun, call: number): KnownCall | undefined {
    const known = findCall(this.#db, run.n, call)
    if (known !== undefined || !thaw(this.#db, run.n, call)) return known
    return findCall(this.#db, run.n, call)
  }

  #find(run: OpenRun, call: number): KnownCall | undefined {
    const indexed = run.index.get(call)
    if (indexed !== undefined) return indexed
    const known = this.#findRow(run, call)
    if (known !== undefined) run.index.set(call, known)
    return known
  }
}

const noMessage: { readonly message?: number } = {}

function count(run: OpenRun, column: keyof CounterChange, by: number): void {
  run.counters[column] = (run.counters[column] ?? 0) + by
}

function countOutcome(
  run: OpenRun,
  { name, kind }: { readonly name: number; readonly kind: CallKind },
  row: CountedOutcome,
  by: number,
): void {
  if (isCounted(kind)) {
    count(run, 'waiting', -by)
    count(run, row.state, by)
  }
  // most have no more to tell
  const counted = row.more == null ? row : { ...row, ...readMore(row.more) }
  const { executed, reused, savedMs } = countersOf(kind, counted)
  if (executed !== 0) count(run, 'executed', executed * by)
  if (reused !== 0) count(run, 'reused', reused * by)
  if (savedMs !== 0) count(run, 'saved', savedMs * by)
  if (!isShown(kind)) return
  addToTask(run.tasks, name, taskCountersOf(kind, undefined), -by)
  addToTask(run.tasks, name, taskCountersOf(kind, counted), by)
}
