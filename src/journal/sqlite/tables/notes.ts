import type { Note, PartsRecord, RunId } from '../../../model/records.ts'
import type { ListedNote, NoteQuery } from '../../../ports/journal.ts'
import type { Database } from '../database/database.ts'
import { digestText, present, rowId } from '../database/rows.ts'
import { findRun } from './runs.ts'

export const insertNotes = { sql: 'INSERT INTO notes (run, call, attempt, type, name, body, at)', width: 7 }

/** Those that it had before an edit stay, for `why`. */
export const insertParts = {
  sql: 'INSERT INTO parts (id, fingerprint, parts, verdict)',
  width: 4,
  tail: ` ON CONFLICT (id) DO UPDATE SET before = CASE WHEN fingerprint = excluded.fingerprint THEN before ELSE parts END,
    fingerprint = excluded.fingerprint, parts = excluded.parts, verdict = excluded.verdict`,
}

interface NoteRow {
  readonly seq: number
  readonly call: number | null
  readonly attempt: number | null
  readonly type: Note['type']
  readonly name: string
  readonly body: string
  readonly at: number
  readonly count: number | null
}

export function listNotes(db: Database, run: RunId, query: NoteQuery): ListedNote[] {
  const n = findRun(db, run)
  if (n === undefined) return []
  const { call, ofCalls, type, after, newestOfEach, limit } = query
  const conditions = [
    'run = ?',
    ...(call === undefined ? [] : ['call = ?']),
    ...(ofCalls === false ? ['call IS NULL'] : []),
    ...(type === undefined ? [] : ['type = ?']),
    ...(after === undefined ? [] : ['seq > ?']),
  ]
  const values = [call, type, after].filter((value) => value !== undefined)
  // beside the only max() of a group, other columns are those of its row
  const [seq, count, group] =
    newestOfEach === true ? ['max(seq)', 'count(*)', 'GROUP BY name'] : ['seq', 'NULL', '']
  const sql = `SELECT ${seq} AS seq, call, attempt, type, name, body, at, ${count} AS count FROM notes
    WHERE ${conditions.join(' AND ')} ${group} ORDER BY seq LIMIT ?`
  return db.all<NoteRow>(sql, n, ...values, limit).map(({ call, attempt, body, count, ...row }) => ({
    kind: 'note',
    ...row,
    ...present({ call, attempt, count }),
    bodyWire: body,
  }))
}

export function readParts(db: Database, run: RunId, call: number): PartsRecord | undefined {
  const n = findRun(db, run)
  if (n === undefined) return undefined
  const sql = `SELECT ${digestText('fingerprint')} AS fingerprint, parts AS partsWire, verdict, before AS beforeWire FROM parts WHERE id = ?`
  const row = db.get<Omit<PartsRecord, 'kind' | 'call'>>(sql, rowId(n, call))
  if (row === undefined) return undefined
  const { beforeWire, ...rest } = row
  return { kind: 'parts', call, ...rest, ...present({ beforeWire }) }
}
