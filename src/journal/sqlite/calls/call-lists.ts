import type { RunId } from '../../../model/records.ts'
import type { CallState } from '../../../model/states.ts'
import type { CallQuery, CallRow } from '../../../ports/journal.ts'
import type { Database } from '../database/database.ts'
import { callOf, digestText, present, rowId, rowRange } from '../database/rows.ts'
import { readMore } from '../packs/packed-records.ts'
import { findRun } from '../tables/runs.ts'
import { outcomeColumns } from './calls.ts'
import type { FrozenCall } from './frozen-calls.ts'
import { frozenCalls } from './frozen-calls.ts'
import type { Names } from './names.ts'

/**
 * Calls of a run by name and state, in order of id, however many there are: what few calls have in common (a failure,
 * a rare name) is found by an index, what many have is found at once by looking at one after the other.
 *
 * L1 a call is in it once, whoever puts calls into blocks meanwhile.
 */
export const listCalls = (db: Database, names: Names, run: RunId, query: CallQuery): CallRow[] =>
  db.reading(() => list(db, names, run, query))

function list(db: Database, names: Names, run: RunId, query: CallQuery): CallRow[] {
  const n = findRun(db, run)
  if (n === undefined) return []
  const { states, limit } = query
  const [from, to] = range(n, query)
  if (limit === 0 || from > to) return []
  return numbersOf(db, query.name)
    .flatMap((name) => [
      ...sourcesOf(states)
        .flatMap((source) => page(db, source, name, from, to, limit))
        .map((row) => callRow(row, names)),
      ...(states?.includes('succeeded') === false ? [] : frozenPage(db, n, name, from, to, limit)),
    ])
    .sort((a, b) => a.call - b.call)
    .slice(0, limit)
}

/** Calls in blocks, which have all succeeded. */
function frozenPage(
  db: Database,
  n: number,
  name: number | undefined,
  from: number,
  to: number,
  limit: number,
): CallRow[] {
  const found: FrozenCall[] = []
  for (const { first, calls } of frozenCalls(db, from, to, name)) {
    // blocks may overlap: one that begins behind all that is wanted ends the search
    if (found.length >= limit && first > rowId(n, found.sort(byCall)[limit - 1]?.call ?? 0)) break
    for (const call of calls) {
      const id = rowId(n, call.call)
      if (id >= from && id <= to && (name === undefined || call.number === name)) found.push(call)
    }
  }
  return found
    .sort(byCall)
    .slice(0, limit)
    .map(({ attempts: _, number: __, ...call }) => call)
}

const byCall = (a: FrozenCall, b: FrozenCall): number => a.call - b.call

function range(n: number, { call, after }: CallQuery): readonly [from: number, to: number] {
  const [first, last] = rowRange(n)
  const from = after === undefined ? first : rowId(n, after) + 1
  return call === undefined ? [from, last] : [Math.max(from, rowId(n, call)), rowId(n, call)]
}

/** A name may be one of several kinds of call. */
const numbersOf = (db: Database, name: string | undefined): (number | undefined)[] =>
  name === undefined
    ? [undefined]
    : db.all<{ n: number }>('SELECT n FROM names WHERE name = ?', name).map(({ n }) => n)

/** Where to look: in the index of one seldom state, or at all calls, keeping those of some states. */
type Source = { readonly seldom: CallState } | { readonly states: readonly CallState[] | undefined }

const sourcesOf = (states: readonly CallState[] | undefined): readonly Source[] =>
  states === undefined || states.includes('waiting') || states.includes('succeeded')
    ? [{ states }]
    : [...new Set(states)].map((seldom) => ({ seldom }))

function page(
  db: Database,
  source: Source,
  name: number | undefined,
  from: number,
  to: number,
  limit: number,
): ListRow[] {
  const named = name === undefined ? '' : 'AND calls.name = ?'
  const number = name === undefined ? [] : [name]
  if ('seldom' in source) {
    const sql = `SELECT ${columns} FROM outcomes INDEXED BY outcomes_by_state CROSS JOIN calls ON calls.id = outcomes.id
      WHERE state = ? AND state <> 'succeeded' AND outcomes.id BETWEEN ? AND ? ${named} ORDER BY outcomes.id LIMIT ?`
    return db.all<ListRow>(sql, source.seldom, from, to, ...number, limit)
  }
  const { states } = source
  const inState =
    states === undefined ? '' : `AND ifnull(state, 'waiting') IN (${states.map(() => '?').join(', ')})`
  const sql = `SELECT ${columns} FROM calls ${name === undefined ? 'NOT INDEXED' : 'INDEXED BY calls_by_name'}
    LEFT JOIN outcomes ON outcomes.id = calls.id
    WHERE calls.id BETWEEN ? AND ? ${named} ${inState} ORDER BY calls.id LIMIT ?`
  return db.all<ListRow>(sql, from, to, ...number, ...(states ?? []), limit)
}

const columns = `calls.id AS id, name, ${digestText('key')} AS key, caller, args, at, ${outcomeColumns}`

interface ListRow {
  readonly id: number
  readonly name: number
  readonly key: string
  readonly caller: string
  readonly args: string
  readonly at: number
  readonly order: number | null
  readonly state: NonNullable<CallRow['outcome']>['state']
  readonly reason: string
  readonly fingerprint: string | null
  readonly value: string | null
  readonly digest: string | null
  readonly attempt: number
  readonly started_at: number
  readonly ended_at: number
  readonly cost: number
  readonly more: string | null
}

function callRow(row: ListRow, names: Names): CallRow {
  const { name, kind } = names.at(row.name)
  const { key, caller, args, at, order, state, reason, attempt } = row
  const made = { call: callOf(row.id), key, caller, name, call_kind: kind, argsWire: args, at }
  if (order === null) return made
  const outcome = {
    order,
    state,
    reason,
    attempt,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    costMs: row.cost,
    ...present({ fingerprint: row.fingerprint, valueWire: row.value, digest: row.digest }),
    ...readMore(row.more),
  }
  return { ...made, outcome }
}
