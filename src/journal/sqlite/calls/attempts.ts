import type { AttemptRecord, RunId } from '../../../model/records.ts'
import type { Database } from '../database/database.ts'
import { rowId } from '../database/rows.ts'
import { findRun } from '../tables/runs.ts'

export function addAttempt(db: Database, n: number, record: AttemptRecord): void {
  db.run('INSERT INTO attempts (call, record) VALUES (?, ?)', rowId(n, record.call), JSON.stringify(record))
}

export function forgetAttempts(db: Database, n: number, call: number): void {
  db.run('UPDATE attempts SET forgotten = 1 WHERE call = ? AND forgotten = 0', rowId(n, call))
}

/** Those that a replay counts, of the calls in a range of row ids: by row id, as JSON. */
export function unspentAttempts(db: Database, first: number, last: number): Map<number, string> {
  const sql = `SELECT call, json_group_array(json_remove(record, '$.kind', '$.call') ORDER BY seq) AS attempts
    FROM attempts WHERE call BETWEEN ? AND ? AND forgotten = 0 GROUP BY call`
  const rows = db.all<{ call: number; attempts: string }>(sql, first, last)
  return new Map(rows.map(({ call, attempts }) => [call, attempts]))
}

export function listAttempts(db: Database, run: RunId, call: number): AttemptRecord[] {
  const n = findRun(db, run)
  if (n === undefined) return []
  return db
    .all<{ record: string }>('SELECT record FROM attempts WHERE call = ? ORDER BY seq', rowId(n, call))
    .map(({ record }) => JSON.parse(record) as AttemptRecord)
}
