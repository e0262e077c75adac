import type { RunChange, RunId, RunRecord } from '../../../model/records.ts'
import type { CallState } from '../../../model/states.ts'
import { callReasons, isRunEnd } from '../../../model/states.ts'
import type { Owner, RunQuery } from '../../../ports/journal.ts'
import { activeRun, checkRunId, runExists, unknownRun } from '../../refusals.ts'
import { changedRun } from '../../run-change.ts'
import type { Database } from '../database/database.ts'
import { digestColumn, digestText, optionalJson, present } from '../database/rows.ts'
import { removeDocuments } from './documents.ts'

interface RunRow {
  readonly id: RunId
  readonly workflow: string
  readonly file: string | null
  readonly environment: string
  readonly state: RunRecord['state']
  readonly input: string
  readonly options: string
  readonly code: string | null
  readonly git_commit: string | null
  readonly name: string | null
  readonly tags: string
  readonly created_at: number
  readonly started_at: number | null
  readonly ended_at: number | null
  readonly output: string | null
  readonly error: string | null
  readonly uncaught: string
  readonly host: string | null
  readonly pid: number | null
  readonly boot_id: string | null
  readonly trigger_run: RunId | null
  readonly trigger_call: number | null
  readonly trigger_depth: number | null
}

const callStates = Object.keys(callReasons) as CallState[]

type CounterRow = Readonly<Record<CallState | 'executed' | 'reused' | 'saved', number>>

const columns = `id, workflow, file, environment, state, input, options, ${digestText('code')} AS code, git_commit, name, tags,
  created_at, started_at, ended_at, output, error, uncaught, host, pid, boot_id, trigger_run, trigger_call, trigger_depth,
  ${callStates.join(', ')}, executed, reused, saved`

/** Number of a run inside the database. @throws ALM_RUN_UNKNOWN */
export function runNumber(db: Database, run: RunId): number {
  const number = findRun(db, run)
  if (number === undefined) throw unknownRun(run)
  return number
}

export const findRun = (db: Database, run: RunId): number | undefined =>
  db.get<{ n: number }>('SELECT n FROM runs WHERE id = ?', run)?.n

/** @throws ALM_RUN_EXISTS, ALM_NAME_REFUSED */
export function createRun(db: Database, run: RunRecord): void {
  checkRunId(run.id)
  if (findRun(db, run.id) !== undefined) throw runExists(run.id)
  const { lastInsertRowid } = db
    .prepare(
      `INSERT INTO runs (id, workflow, file, environment, input, options, git_commit, name, tags, created_at, state,
      code, started_at, ended_at, output, error, uncaught, host, pid, boot_id, trigger_run, trigger_call, trigger_depth,
      linked, keys_told)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 1)`,
    )
    .run(
      run.id,
      run.workflow,
      run.file ?? null,
      run.environment,
      run.inputWire,
      run.optionsWire,
      run.gitCommit ?? null,
      run.name ?? null,
      JSON.stringify(run.tags),
      run.createdAt,
      ...mutable(run),
      run.host ?? null,
      run.pid ?? null,
      run.bootId ?? null,
      run.triggeredBy?.run ?? null,
      run.triggeredBy?.call ?? null,
      run.triggeredBy?.depth ?? null,
    )
  db.run(
    `INSERT INTO tallies (run, ${callStates.join(', ')}, executed, reused)
    VALUES (?, ${callStates.map(() => '?').join(', ')}, ?, ?)`,
    Number(lastInsertRowid),
    ...callStates.map((state) => run.counts[state] ?? 0),
    run.executed,
    run.reused,
  )
}

/** Columns that a change of the run may change, in the order of the statements here. */
const mutable = (run: RunRecord) => [
  run.state,
  run.codeDigest === undefined ? null : digestColumn(run.codeDigest),
  run.startedAt ?? null,
  run.endedAt ?? null,
  run.outputWire ?? null,
  optionalJson(run.error),
  JSON.stringify(run.uncaught),
]

/** A request that was taken is done when a change of the run tells of it; an end does away with all. */
export function changeRun(db: Database, n: number, change: RunChange): void {
  const run = changedRun(
    runRecord(db.get<RunRow & CounterRow>(selectBy('n = ?'), n) as RunRow & CounterRow),
    change,
  )
  db.run(
    `UPDATE runs SET state = ?, code = ?, started_at = ?, ended_at = ?, output = ?, error = ?, uncaught = ?, input = ?
      WHERE n = ?`,
    ...mutable(run),
    run.inputWire,
    n,
  )
  db.run(`DELETE FROM requests WHERE run = ?${isRunEnd(run.state) ? '' : ' AND taken = 1'}`, n)
}

export function ownRun(db: Database, n: number, { host, pid, bootId }: Owner): void {
  db.run('UPDATE runs SET host = ?, pid = ?, boot_id = ?, frozen = 0 WHERE n = ?', host, pid, bootId, n)
}

/** What a transaction adds to a run's counts. */
export type CounterChange = Partial<Record<CallState | 'executed' | 'reused' | 'saved', number>>

const tallied = [...callStates, 'executed', 'reused', 'saved'] as const

export function changeCounters(db: Database, n: number, change: CounterChange): void {
  const sets = tallied.map((column) => `${column} = ${column} + ?`).join(', ')
  db.run(`UPDATE tallies SET ${sets} WHERE run = ?`, ...tallied.map((column) => change[column] ?? 0), n)
}

const selectBy = (condition: string): string =>
  `SELECT ${columns} FROM runs JOIN tallies ON tallies.run = runs.n WHERE ${condition}`

export function readRun(db: Database, run: RunId): RunRecord | undefined {
  const row = db.get<RunRow & CounterRow>(selectBy('id = ?'), run)
  return row && runRecord(row)
}

export function listRuns(
  db: Database,
  { workflow, environment, file, states, newestOfEach, triggeredBy, before, limit }: RunQuery,
): RunRecord[] {
  const conditions = [
    ...(workflow === undefined ? [] : ['workflow = ?']),
    ...(environment === undefined ? [] : ['environment = ?']),
    ...(file === undefined ? [] : ['file = ?']),
    ...(states === undefined ? [] : [`state IN (${states.map(() => '?').join(', ')})`]),
    ...(triggeredBy === undefined ? [] : ['trigger_run = ?']),
    'true',
  ].join(' AND ')
  const chosen =
    newestOfEach === true
      ? `id IN (SELECT max(id) FROM runs WHERE ${conditions} GROUP BY workflow)`
      : conditions
  const values = [workflow, environment, file, ...(states ?? []), triggeredBy, before].filter(
    (value) => value !== undefined,
  )
  const sql = `${selectBy(before === undefined ? chosen : `${chosen} AND id < ?`)} ORDER BY id DESC LIMIT ?`
  return db.all<RunRow & CounterRow>(sql, ...values, limit).map(runRecord)
}

function runRecord(row: RunRow & CounterRow): RunRecord {
  return {
    id: row.id,
    workflow: row.workflow,
    environment: row.environment,
    state: row.state,
    inputWire: row.input,
    optionsWire: row.options,
    tags: JSON.parse(row.tags) as string[],
    createdAt: row.created_at,
    uncaught: JSON.parse(row.uncaught) as number[],
    counts: Object.fromEntries(
      callStates.filter((state) => row[state] !== 0).map((state) => [state, row[state]]),
    ),
    executed: row.executed,
    reused: row.reused,
    ...(row.saved > 0 && { savedMs: row.saved }),
    ...present({
      file: row.file,
      codeDigest: row.code,
      gitCommit: row.git_commit,
      name: row.name,
      startedAt: row.started_at,
      endedAt: row.ended_at,
      outputWire: row.output,
      error: row.error === null ? null : (JSON.parse(row.error) as RunRecord['error']),
      host: row.host,
      pid: row.pid,
      bootId: row.boot_id,
    }),
    ...(row.trigger_run !== null && {
      triggeredBy: { run: row.trigger_run, call: row.trigger_call ?? 0, depth: row.trigger_depth ?? 0 },
    }),
  }
}

/**
 * Takes a run out of the lists at once; its rows elsewhere go by `sweep`. The caller holds its claim.
 * @throws ALM_RUN_UNKNOWN, ALM_RUN_ACTIVE
 */
export function removeRun(db: Database, run: RunId): void {
  const row = db.get<{ n: number; state: RunRecord['state'] }>('SELECT n, state FROM runs WHERE id = ?', run)
  if (row === undefined) throw unknownRun(run)
  if (!isRunEnd(row.state)) throw activeRun(run)
  db.run('INSERT INTO removed (run) VALUES (?)', row.n)
  db.run('DELETE FROM runs WHERE n = ?', row.n)
  db.run('DELETE FROM tallies WHERE run = ?', row.n)
  removeDocuments(db, run)
}
