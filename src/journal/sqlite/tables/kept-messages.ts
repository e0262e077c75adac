import type {
  AsideRecord,
  ErrorRecord,
  Message,
  RunId,
  SentMessage,
  SentRecord,
} from '../../../model/records.ts'
import type { MessageQuery, NewMessage } from '../../../ports/journal.ts'
import {
  asideAmong,
  incomingAtOnce,
  receivedId,
  refuseOver,
  type SentBefore,
  sentId,
} from '../../message-rules.ts'
import type { Database } from '../database/database.ts'
import { present } from '../database/rows.ts'
import { findRun, readRun, runNumber } from './runs.ts'

/** Messages to runs and from them, as tables have them. `messages.ts` is about what threads say to each other. */

/** A message to a run. @throws ALM_RUN_UNKNOWN, ALM_RUN_OVER */
export function addMessage(db: Database, run: RunId, message: NewMessage): SentMessage {
  const n = runNumber(db, run)
  refuseOver(readRun(db, run) ?? { id: run, state: 'running' })
  return add(db, n, { direction: 'in', ...message })
}

/** A message that the run sent; one to a run that is gone is only kept as sent. */
export function addSent(
  db: Database,
  from: { readonly n: number; readonly id: RunId },
  record: SentRecord,
): void {
  const { kind: _, to, ...sent } = record
  const id = sentId(record, (of) => sentBefore(db, from.n, of))
  if (id === undefined) return
  add(db, from.n, { direction: 'out', ...sent, id, ...(to !== undefined && { run: to }) })
  const other = to === undefined ? undefined : findRun(db, to)
  if (other === undefined) return
  const { name, valueWire, at } = sent
  add(db, other, { direction: 'in', name, valueWire, at, run: from.id, id: receivedId(id, from.id) })
}

function sentBefore(db: Database, n: number, id: string): SentBefore | undefined {
  const sql = 'SELECT value, peer FROM messages WHERE run = ? AND sent = 1 AND id = ?'
  const row = db.get<{ value: string; peer: string | null }>(sql, n, id)
  return row && { valueWire: row.value, ...(row.peer !== null && { run: row.peer }) }
}

function add(db: Database, n: number, message: Omit<Message, 'seq'>): SentMessage {
  const { direction, name, valueWire, at, by = null, id = null, call = null, run = null } = message
  const sent = direction === 'out' ? 1 : 0
  const before =
    id === null
      ? undefined
      : db.get<{ seq: number }>('SELECT seq FROM messages WHERE run = ? AND sent = ? AND id = ?', n, sent, id)
  if (before !== undefined) return { seq: before.seq, isNew: false }
  const sql = `INSERT INTO messages (run, sent, name, value, at, by, id, call, peer)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq`
  const row = db.get<{ seq: number }>(sql, n, sent, name, valueWire, at, by, id, call, run)
  return { seq: row?.seq ?? 0, isNew: true }
}

interface MessageRow {
  readonly seq: number
  readonly sent: number
  readonly name: string
  readonly value: string
  readonly at: number
  readonly by: string | null
  readonly id: string | null
  readonly call: number | null
  readonly peer: string | null
  readonly error: string | null
}

const columns = 'seq, sent, name, value, at, by, id, call, peer, error'

const messageOf = ({ seq, sent, name, value, at, by, id, call, peer, error }: MessageRow): Message => ({
  seq,
  direction: sent === 1 ? 'out' : 'in',
  name,
  valueWire: value,
  at,
  ...present({ by, id, call, run: peer }),
  ...(error !== null && { error: JSON.parse(error) as ErrorRecord }),
})

export function incomingMessages(
  db: Database,
  run: RunId,
  { name, after }: { readonly name: string; readonly after: number },
): Message[] {
  const sql = `SELECT ${columns} FROM messages INDEXED BY messages_open
    WHERE run = ? AND name = ? AND seq > ? AND sent = 0 AND call IS NULL AND error IS NULL
    ORDER BY seq LIMIT ${incomingAtOnce}`
  return db.all<MessageRow>(sql, runNumber(db, run), name, after).map(messageOf)
}

export function listMessages(db: Database, run: RunId, query: MessageQuery): Message[] {
  const n = findRun(db, run)
  if (n === undefined) return []
  const { direction, name, after = 0, aside, limit } = query
  const all = 'messages INDEXED BY messages_by_run'
  const newest = `(SELECT * FROM ${all} WHERE run = ?1 ORDER BY seq DESC LIMIT ${asideAmong})`
  const sql = `SELECT ${columns} FROM ${aside === true ? newest : all} WHERE run = ?1 AND seq > ?2
    AND (?3 IS NULL OR sent = ?3) AND (?4 IS NULL OR name = ?4)
    ${aside === true ? 'AND error IS NOT NULL ORDER BY seq DESC' : 'ORDER BY seq'} LIMIT ?5`
  const sent = direction === undefined ? null : direction === 'out' ? 1 : 0
  const rows = db.all<MessageRow>(sql, n, after, sent, name ?? null, limit).map(messageOf)
  return aside === true ? rows.toReversed() : rows
}

export function receiveMessage(db: Database, n: number, seq: number, call: number): void {
  db.run('UPDATE messages SET call = ?, error = NULL WHERE seq = ? AND run = ? AND sent = 0', call, seq, n)
}

/** The outcome by which a call had received one holds no more. */
export function giveBackMessage(db: Database, n: number, seq: number): void {
  db.run('UPDATE messages SET call = NULL WHERE seq = ? AND run = ? AND sent = 0', seq, n)
}

export function setAside(db: Database, n: number, { message, error }: AsideRecord): void {
  const sql = 'UPDATE messages SET error = ? WHERE seq = ? AND run = ? AND sent = 0'
  db.run(sql, JSON.stringify(error), message, n)
}
