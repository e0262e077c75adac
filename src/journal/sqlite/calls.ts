import { askedCalls } from './asks.ts'
import { unspentAttempts } from './attempts.ts'
import type { CallIndex, KnownCall } from './call-index.ts'
import type { Database } from './database.ts'
import type { Names } from './names.ts'
import type { CallColumns } from './packed-calls.ts'
import { packRemembered } from './packed-calls.ts'
import type { OutcomeRow } from './packed-records.ts'
import type { Packed } from './packing.ts'
import { PackWriter } from './packing.ts'
import { callOf, digestText, rowId, rowRange } from './rows.ts'

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

const pageSql = `SELECT id, name, ${digestText('key')}, caller, at, ${outcomeColumns}
  FROM calls LEFT JOIN outcomes USING (id) WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?`

/** A page of what a replay needs; fills the index as it goes. `next` is the call to go on from, if there is more. */
export function loadPage(
  db: Database,
  names: Names,
  index: CallIndex,
  n: number,
  from: number,
  limit: number,
): { readonly page: Packed; readonly next: number | undefined } {
  const [, last] = rowRange(n)
  const statement = db.prepare(pageSql)
  statement.setReturnArrays(true)
  const rows = statement.all(rowId(n, from), last, limit) as unknown as CallColumns[]
  const pack = new PackWriter()
  const end = rows.at(-1)?.[0]
  const attempts = end === undefined ? new Map<number, string>() : unspentAttempts(db, rowId(n, from), end)
  const asked = end === undefined ? new Set<number>() : askedCalls(db, rowId(n, from), end)
  for (const row of rows) {
    const [id, number] = row
    const call = callOf(id)
    index.set(call, { name: number, ended: row[5] !== null, asked: asked.has(id) })
    const { name, kind } = names.at(number)
    packRemembered(pack, { call, name, kind, attempts: attempts.get(id) }, row)
  }
  return { page: pack.take(), next: end === undefined || rows.length < limit ? undefined : callOf(end) + 1 }
}
