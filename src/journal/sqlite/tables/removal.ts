import type { Database } from '../database/database.ts'
import { rowRange } from '../database/rows.ts'

/** Rows removed before other work gets its turn: some ten milliseconds. */
const rowsAtOnce = 5000

/** Tables of rows by call, with the column that has its row id; and tables of rows by run. */
const byCall = [
  ['calls', 'id'],
  ['outcomes', 'id'],
  ['parts', 'id'],
  ['asks', 'id'],
  ['keyed', 'id'],
  ['attempts', 'call'],
  ['frozen', 'id'],
] as const
const byRun = ['notes', 'requests', 'messages', 'tasks'] as const

/** Removes some rows of runs that are gone, within a transaction. Is there more? */
export function sweep(db: Database): boolean {
  const n = db.get<{ run: number }>('SELECT run FROM removed LIMIT 1')?.run
  if (n === undefined) return false
  for (const [table, column] of byCall) {
    const sql = `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE ${column} BETWEEN ? AND ? LIMIT ${rowsAtOnce})`
    if (db.run(sql, ...rowRange(n)) > 0) return true
  }
  for (const table of byRun) {
    const sql = `DELETE FROM ${table} WHERE seq IN (SELECT seq FROM ${table} WHERE run = ? LIMIT ${rowsAtOnce})`
    if (db.run(sql, n) > 0) return true
  }
  // as few as there are tasks
  db.run('DELETE FROM task_inputs WHERE run = ?', n)
  db.run('DELETE FROM removed WHERE run = ?', n)
  return true
}
