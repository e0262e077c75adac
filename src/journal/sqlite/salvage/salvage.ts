import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { SQLInputValue } from 'node:sqlite'
import { DatabaseSync } from 'node:sqlite'
import { isCounted, isShown } from '../../../model/call-kinds.ts'
import { AlmanacError } from '../../../model/errors.ts'
import type { CallKind, Outcome } from '../../../model/records.ts'
import { callReasons } from '../../../model/states.ts'
import type { TaskCounters } from '../../counters.ts'
import { countersOf, taskCountersOf } from '../../counters.ts'
import { thawAll } from '../calls/frozen-calls.ts'
import type { TaskChange } from '../calls/tasks.ts'
import { addToTask, changeTaskSql } from '../calls/tasks.ts'
import { Claims } from '../database/claims.ts'
import { problems } from '../database/database.ts'
import { journalFailure } from '../database/failures.ts'
import { applicationId, callsPerRun, migrate, migrations } from '../database/migrations.ts'
import { readMore } from '../packs/packed-records.ts'
import { nameDatasets } from './salvage-datasets.ts'
import { salvageTable } from './salvage-rows.ts'

/** What can be read of a damaged journal. */
export interface Salvage {
  /** rows by table; `damaged`: some could not be read */
  readonly tables: readonly { readonly name: string; readonly rows: number; readonly damaged: boolean }[]
  readonly runs: readonly SalvagedRun[]
  /** entries of the run cache */
  readonly cached: number
  /** the folder that the damaged files were moved to; absent where nothing was changed */
  readonly kept?: string
}

export interface SalvagedRun {
  readonly id: string
  readonly workflow: string
  readonly state: string
  readonly calls: number
  /** calls that the run had made, and of which nothing is left */
  readonly lost: number
  /** calls whose end is not known: of what had ended it is not known any more */
  readonly open: number
}

/**
 * Copies what can be read of a journal into a new one, and with `apply` puts that in its place.
 *
 * Q1 the damaged files are only read, and are kept: a copy of them is looked at.
 * Q2 the new journal has no outcome without its call, no call without its run, and counts that agree with both. What
 *    is missing in it is executed again, as after a crash: no result is taken for another.
 * Q3 the new file takes the old one's place in one step, and not while a process has a run, or has written meanwhile.
 *
 * @throws ALM_JOURNAL_DAMAGED where nothing can be read, ALM_JOURNAL_FAILED while a process has a run or writes
 */
export function salvageJournal(home: string, { apply }: { readonly apply: boolean }): Salvage {
  const path = join(home, 'journal.db')
  if (apply) refuseInUse(home, path)
  const folder = mkdtempSync(join(home, 'repair-'))
  try {
    const made = join(folder, 'new.db')
    const before = lastWritten(path)
    const found = copyInto(path, made, folder)
    return apply ? { ...found, kept: takePlace(home, path, made, before) } : found
  } catch (error) {
    throw journalFailure(error, path)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function refuseInUse(home: string, path: string): void {
  const run = new Claims(home).someTaken()
  if (run !== undefined)
    throw new AlmanacError('ALM_JOURNAL_FAILED', { path, why: `a process has run ${run}: end it first` })
}

function copyInto(path: string, made: string, folder: string): Salvage {
  const copy = join(folder, 'old.db')
  for (const end of ['', '-wal']) if (existsSync(path + end)) copyFileSync(path + end, copy + end)
  fillUp(copy)
  const from = new DatabaseSync(copy)
  const to = new DatabaseSync(made)
  try {
    const { user_version: version } = from.prepare('PRAGMA user_version').get() as { user_version: number }
    if (version < 1 || version > migrations.length)
      throw new AlmanacError('ALM_JOURNAL_DAMAGED', { path, why: 'its head is not readable' })
    to.exec('PRAGMA synchronous = FULL; BEGIN')
    for (const step of migrations.slice(0, version)) to.exec(step)
    to.exec(`PRAGMA user_version = ${version}; PRAGMA application_id = ${applicationId}`)
    const names = to
      .prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
      )
      .all() as { name: string }[]
    const tables = names.map(({ name }) => ({ name, ...salvageTable(from, to, name) }))
    migrate(to)
    thawAll(statementsOf(to))
    const before = new Map(runRows(to).map((row) => [row.n, row.made]))
    agree(to, dirname(path))
    to.exec('COMMIT')
    const [fault] = problems(to)
    if (fault !== undefined)
      throw new AlmanacError('ALM_BUG', { why: `the new journal is not sound: ${fault}` })
    const { cached } = to.prepare('SELECT count(*) AS cached FROM cache').get() as { cached: number }
    return { tables, runs: runRows(to).map((row) => salvaged(row, before.get(row.n) ?? 0)), cached }
  } finally {
    from.close()
    to.close()
  }
}

/**
 * SQLite reads nothing of a file that is shorter than its head says: what was cut off becomes empty pages. So does the
 * page in which it was cut: its rows lie at its end, and half of one would read as zeros.
 */
function fillUp(copy: string): void {
  const handle = openSync(copy, 'r+')
  try {
    const head = Buffer.alloc(100)
    if (readSync(handle, head, 0, head.length, 0) < head.length) return
    const pageSize = head.readUInt16BE(16) === 1 ? 65536 : head.readUInt16BE(16)
    const whole = pageSize * head.readUInt32BE(28)
    // a head that promises more than a journal can be was overwritten itself
    const { size } = fstatSync(handle)
    if (size >= whole || whole >= 2 ** 40) return
    // a page of which a part is left would have rows in it that end in zeros
    ftruncateSync(handle, size - (size % pageSize))
    ftruncateSync(handle, whole)
  } finally {
    closeSync(handle)
  }
}

/** What is read and written in a new database, as of an open journal. */
const statementsOf = (db: DatabaseSync): Parameters<typeof thawAll>[0] => ({
  prepare: (sql) => db.prepare(sql),
  all: <Row>(sql: string, ...values: SQLInputValue[]) => db.prepare(sql).all(...values) as unknown as Row[],
  run: (sql, ...values) => Number(db.prepare(sql).run(...values).changes),
})

interface RunRow {
  readonly n: number
  readonly id: string
  readonly workflow: string
  readonly state: string
  /** calls that must have been made: numbers of calls are dense; and those that are there */
  readonly made: number
  readonly found: number
  readonly open: number
}

const runRows = (db: DatabaseSync): RunRow[] =>
  db
    .prepare(
      `SELECT n, runs.id AS id, workflow, state, ifnull(max(calls.id) - n * ${callsPerRun} + 1, 0) AS made,
      count(calls.id) AS found, count(calls.id) - (SELECT count(*) FROM outcomes
        WHERE outcomes.id BETWEEN n * ${callsPerRun} AND (n + 1) * ${callsPerRun} - 1) AS open
      FROM runs LEFT JOIN calls ON calls.id BETWEEN n * ${callsPerRun} AND (n + 1) * ${callsPerRun} - 1
      GROUP BY n ORDER BY runs.id DESC`,
    )
    .all() as unknown as RunRow[]

/** `made`: as many calls as it had before those were taken out that hang in the air */
const salvaged = ({ id, workflow, state, found, open }: RunRow, made: number): SalvagedRun => ({
  id,
  workflow,
  state,
  calls: found,
  lost: made - found,
  open,
})

/** Takes out what hangs in the air, as the numbers of lost rows are given anew, and counts again (Q2). */
function agree(db: DatabaseSync, home: string): void {
  db.exec(`
    DELETE FROM runs WHERE NOT json_valid(input) OR NOT json_valid(uncaught) OR NOT json_valid(tags)
      OR (output IS NOT NULL AND NOT json_valid(output)) OR (error IS NOT NULL AND NOT json_valid(error));
    DELETE FROM calls WHERE NOT json_valid(args) OR name NOT IN (SELECT n FROM names)
      OR id / ${callsPerRun} NOT IN (SELECT n FROM runs);
    DELETE FROM outcomes WHERE id NOT IN (SELECT id FROM calls)
      OR (value IS NOT NULL AND NOT json_valid(value)) OR (more IS NOT NULL AND NOT json_valid(more));
    DELETE FROM attempts WHERE call NOT IN (SELECT id FROM calls) OR NOT json_valid(record);
    DELETE FROM parts WHERE id NOT IN (SELECT id FROM calls) OR NOT json_valid(parts);
    DELETE FROM asks WHERE id NOT IN (SELECT id FROM calls) OR NOT json_valid(record);
    DELETE FROM notes WHERE run NOT IN (SELECT n FROM runs) OR NOT json_valid(body);
    DELETE FROM messages WHERE run NOT IN (SELECT n FROM runs) OR NOT json_valid(value)
      OR (error IS NOT NULL AND NOT json_valid(error));
    DELETE FROM requests WHERE run NOT IN (SELECT n FROM runs) OR NOT json_valid(request);
    UPDATE cache SET shown = NULL WHERE NOT json_valid(shown);
    UPDATE bases SET shown = NULL WHERE NOT json_valid(shown);
    DELETE FROM cache WHERE NOT json_valid(value) OR NOT json_valid(blobs) OR NOT json_valid(parts);
    DELETE FROM bases WHERE NOT json_valid(value);
    DELETE FROM tallies WHERE run NOT IN (SELECT n FROM runs);
    DELETE FROM tasks;
    DELETE FROM task_inputs;
    DELETE FROM removed;
    DELETE FROM uses WHERE entry NOT IN (SELECT seq FROM cache);
    UPDATE runs SET linked = 0, keys_told = 0;
    DELETE FROM keyed WHERE id NOT IN (SELECT id FROM calls);
    INSERT OR IGNORE INTO tallies (run) SELECT n FROM runs;
  `)
  nameDatasets(db, home)
  count(db)
}

interface CountedRow {
  readonly run: number
  readonly name: number
  readonly kind: CallKind
  readonly state: Outcome['state'] | null
  readonly reason: string
  readonly more: string | null
  readonly cost: number
  readonly calls: number
}

function count(db: DatabaseSync): void {
  const columns = [...Object.keys(callReasons), 'executed', 'reused']
  db.exec(`UPDATE tallies SET ${columns.map((name) => `${name} = 0`).join(', ')}`)
  const rows = db
    .prepare(
      `SELECT calls.id / ${callsPerRun} AS run, names.n AS name, names.kind AS kind, state, reason,
      CASE kind WHEN 'map' THEN more END AS more, sum(cost) AS cost, count(*) AS calls
      FROM calls JOIN names ON names.n = calls.name LEFT JOIN outcomes ON outcomes.id = calls.id
      GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY min(calls.id)`,
    )
    .all() as unknown as CountedRow[]
  const add = (run: number, column: string, by: number): void => {
    if (by !== 0) db.prepare(`UPDATE tallies SET ${column} = ${column} + ? WHERE run = ?`).run(by, run)
  }
  for (const { run, name, kind, state, reason, more, cost, calls } of rows) {
    const outcome = state === null ? undefined : { state, reason, costMs: cost / calls, ...readMore(more) }
    if (isShown(kind)) addTasks(db, run, name, taskCountersOf(kind, outcome), calls)
    if (isCounted(kind)) add(run, state ?? 'waiting', calls)
    if (outcome === undefined) continue
    const { executed, reused } = countersOf(kind, outcome)
    add(run, 'executed', executed * calls)
    add(run, 'reused', reused * calls)
  }
}

function addTasks(db: DatabaseSync, run: number, name: number, counters: TaskCounters, times: number): void {
  const tasks = new Map<number, TaskChange>()
  addToTask(tasks, name, counters, times)
  for (const change of tasks.values()) db.prepare(changeTaskSql).run(run, name, ...change)
}

/** Of the file and its log: changes with whatever is written. */
const lastWritten = (path: string): string =>
  [path, `${path}-wal`]
    .map((file) => statSync(file, { bigint: true, throwIfNoEntry: false }))
    .map((stat) => `${stat?.size} ${stat?.mtimeNs}`)
    .join()

/** The damaged files go aside; gives where (Q3). `before`: when they were last written before they were read. */
function takePlace(home: string, path: string, made: string, before: string): string {
  const kept = join(home, `journal-damaged-${new Date().toISOString().replaceAll(':', '').slice(0, 17)}`)
  mkdirSync(kept)
  for (const end of ['', '-wal', '-shm']) {
    if (!existsSync(path + end)) continue
    copyFileSync(path + end, join(kept, `journal.db${end}`))
    sync(join(kept, `journal.db${end}`))
  }
  for (const folder of [kept, home]) sync(folder)
  if (lastWritten(path) !== before) {
    rmSync(kept, { recursive: true })
    const why = 'a process has written to it meanwhile: end all that use it, and repair it then'
    throw new AlmanacError('ALM_JOURNAL_FAILED', { path, why })
  }
  // a log of the old file must not be read into the new one
  for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true })
  renameSync(made, path)
  sync(home)
  return kept
}

function sync(path: string): void {
  const handle = openSync(path, 'r')
  fsyncSync(handle)
  closeSync(handle)
}
