import type { AskRecord, RunId } from '../../../model/records.ts'
import type { Digest } from '../../../model/refs.ts'
import type { Answer, AskQuery, Callback } from '../../../ports/journal.ts'
import { closedAsk } from '../../refusals.ts'
import type { Database } from '../database/database.ts'
import { callsPerRun } from '../database/migrations.ts'
import { callOf, digestColumn, rowId, rowRange } from '../database/rows.ts'
import { findRun, runNumber } from './runs.ts'

/** An answer of which nothing is recorded yet stays, unless the question is to be answered again. What ended before does not count. */
export function putAsk(db: Database, n: number, record: AskRecord): void {
  const id = rowId(n, record.call)
  if (record.again === true) db.run('DELETE FROM asks WHERE id = ?', id)
  else db.run('DELETE FROM asks WHERE id = ? AND ended = 1', id)
  const sql = `INSERT INTO asks (id, record, token) VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET record = excluded.record, token = excluded.token`
  const token = record.token === undefined ? null : digestColumn(record.token)
  db.run(sql, id, JSON.stringify(record), token)
}

/** Row ids of the calls in a range that a question was put for. */
export const askedCalls = (db: Database, first: number, last: number): Set<number> =>
  new Set(
    db.all<{ id: number }>('SELECT id FROM asks WHERE id BETWEEN ? AND ?', first, last).map(({ id }) => id),
  )

export function endAsk(db: Database, n: number, call: number): void {
  db.run('UPDATE asks SET ended = 1 WHERE id = ?', rowId(n, call))
}

/** @throws ALM_RUN_UNKNOWN, ALM_ASK_CLOSED */
export function answerAsk(db: Database, run: RunId, { call, answerWire, by, at }: Answer): void {
  const sql = `UPDATE asks SET answer = ?, answered_by = ?, answered_at = ?
    WHERE id = ? AND ended = 0 AND answer IS NULL`
  if (db.run(sql, answerWire, by, at, rowId(runNumber(db, run), call)) === 0) throw closedAsk(run, call)
}

interface AnswerRow {
  readonly id: number
  readonly answer: string
  readonly answered_by: string
  readonly answered_at: number
}

/** Answers that their owner has not got yet, in order of call. */
export function openAnswers(db: Database, n: number): Answer[] {
  const sql = `SELECT id, answer, answered_by, answered_at FROM asks INDEXED BY asks_open
    WHERE id BETWEEN ? AND ? AND ended = 0 AND answer IS NOT NULL AND taken = 0 ORDER BY id`
  return db.all<AnswerRow>(sql, ...rowRange(n)).map((row) => ({
    call: callOf(row.id),
    answerWire: row.answer,
    by: row.answered_by,
    at: row.answered_at,
  }))
}

export function takeAnswers(db: Database, n: number, answers: readonly Answer[]): void {
  for (const { call } of answers) db.run('UPDATE asks SET taken = 1 WHERE id = ?', rowId(n, call))
}

/** What an owner took and did not record died with it: the next one gets it again. */
export function giveBackAnswers(db: Database, n: number): void {
  db.run('UPDATE asks SET taken = 0 WHERE id BETWEEN ? AND ? AND ended = 0 AND taken = 1', ...rowRange(n))
}

interface AskRow {
  readonly run: RunId
  readonly record: string
}

export function listAsks(
  db: Database,
  run: RunId | undefined,
  { open, of, call }: AskQuery,
): (AskRecord & { readonly run: RunId })[] {
  const n = run === undefined ? undefined : findRun(db, run)
  if (run !== undefined && n === undefined) return []
  const source = open ? 'asks INDEXED BY asks_open' : 'asks'
  const state = open ? 'ended = 0 AND answer IS NULL' : '(ended = 1 OR answer IS NOT NULL)'
  const conditions = [
    state,
    ...(n === undefined ? [] : ['asks.id BETWEEN ? AND ?']),
    ...(of === undefined ? [] : [`ifnull(record ->> 'of', 'person') = ?`]),
    ...(call === undefined ? [] : [`asks.id % ${callsPerRun} = ?`]),
  ]
  const values = [...(n === undefined ? [] : rowRange(n)), of, call].filter((value) => value !== undefined)
  const sql = `SELECT runs.id AS run, record FROM ${source} JOIN runs ON runs.n = asks.id / ${callsPerRun}
    WHERE ${conditions.join(' AND ')} ORDER BY asks.id LIMIT 1000`
  return db
    .all<AskRow>(sql, ...values)
    .map((row) => ({ ...(JSON.parse(row.record) as AskRecord), run: row.run }))
}

export function findCallback(db: Database, token: Digest): Callback | undefined {
  const sql = `SELECT runs.id AS run, record, ended = 0 AND answer IS NULL AS open
    FROM asks INDEXED BY asks_by_token JOIN runs ON runs.n = asks.id / ${callsPerRun} WHERE token = ?`
  const row = db.get<AskRow & { readonly open: number }>(sql, digestColumn(token))
  return row && { ...(JSON.parse(row.record) as AskRecord), run: row.run, isOpen: row.open === 1 }
}
