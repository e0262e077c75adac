import type { Database } from '../database/database.ts'
import { callOf, digestText, rowId, rowRange } from '../database/rows.ts'
import type { OutcomeRow } from '../packs/packed-records.ts'
import { askedCalls } from '../tables/asks.ts'
import type { CallIndex, KnownCall } from './call-index.ts'
import { type CallPage, type PageBound, readPage } from './call-pages.ts'
import type { Names } from './names.ts'

export const insertCalls = { sql: 'INSERT INTO calls (id, name, key, caller, args, at)', width: 6 }

/** A later outcome of a call takes the place of the earlier one. */
export const insertOutcomes = {
  sql: 'INSERT OR REPLACE INTO outcomes (id, "order", state, reason, fingerprint, value, digest, attempt, started_at, ended_at, cost, more)',
  width: 12,
}

export const outcomeColumns = `"order", state, reason, ${digestText('fingerprint')} AS fingerprint, value,
  ${digestText('digest')} AS digest, attempt, started_at, ended_at, cost, more`

/** What the database knows of a call that the index lacks. */
export function findCall(db: Database, n: number, call: number): KnownCall | undefined {
  const id = rowId(n, call)
  const row = db.get<{ name: number; ended: number; asked: number }>(
    `SELECT name, EXISTS (SELECT 1 FROM outcomes WHERE id = calls.id) AS ended,
    EXISTS (SELECT 1 FROM asks WHERE id = calls.id) AS asked FROM calls WHERE id = ?`,
    id,
  )
  return row && { name: row.name, ended: row.ended === 1, asked: row.asked === 1 }
}

/** What is counted of an outcome that is there. */
export type CountedOutcome = Pick<OutcomeRow, 'state' | 'reason' | 'costMs'> & {
  readonly more: string | null | undefined
}

export function findOutcome(db: Database, n: number, call: number): CountedOutcome {
  const sql = 'SELECT state, reason, cost AS costMs, more FROM outcomes WHERE id = ?'
  return db.get<CountedOutcome>(sql, rowId(n, call)) as CountedOutcome
}

export function deleteOutcome(db: Database, n: number, call: number): void {
  db.run('DELETE FROM outcomes WHERE id = ?', rowId(n, call))
}

/**
 * A page of what a replay needs; tells the index of calls that have no outcome, as theirs are still to come. `next` is
 * the call to go on from, if there is more.
 */
export function loadPage(
  db: Database,
  names: Names,
  index: CallIndex,
  n: number,
  from: number,
  limit: number,
  bound: PageBound = {},
): { readonly page: CallPage | undefined; readonly next: number | undefined } {
  const first = rowId(n, from)
  const found = readPage(db, names, first, rowRange(n)[1], limit, bound)
  if (found === undefined) return { page: undefined, next: undefined }
  const { page, last, open, more } = found
  if (open) expectOutcomes(db, index, first, last)
  return { page, next: more ? callOf(last) + 1 : undefined }
}

function expectOutcomes(db: Database, index: CallIndex, first: number, last: number): void {
  const asked = askedCalls(db, first, last)
  const sql = `SELECT id, name FROM calls WHERE id BETWEEN ? AND ?
    AND NOT EXISTS (SELECT 1 FROM outcomes WHERE outcomes.id = calls.id)`
  for (const { id, name } of db.all<{ id: number; name: number }>(sql, first, last))
    index.set(callOf(id), { name, ended: false, asked: asked.has(id) })
}
