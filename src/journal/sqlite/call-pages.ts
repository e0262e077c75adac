import type { CallKind, RememberedCall } from '../../model/records.ts'
import type { EndState } from '../../model/states.ts'
import { unspentAttempts } from './attempts.ts'
import type { Database } from './database.ts'
import type { Names } from './names.ts'
import { readMore } from './packed-records.ts'
import { callOf, digestLength, digestText } from './rows.ts'

/**
 * A page of what a replay needs, column by column: the database itself makes the texts, so that a run of a million
 * calls is read without a step of ours for each value until the records themselves are made.
 *
 * R1 calls come in order of their numbers.
 */
export interface CallPage {
  readonly calls: number
  /** for each of `columns` a JSON array */
  readonly texts: readonly string[]
  /** key, fingerprint and digest of the value of each call, 64 letters each, where all have them */
  readonly digests: string | undefined
  /** else each of them as JSON */
  readonly odd?: readonly [keys: string, fingerprints: string, digests: string]
  /** that occur, by number */
  readonly names: readonly (readonly [n: number, name: string, kind: CallKind])[]
  /** spent ones, as JSON, by number of the call */
  readonly attempts: readonly (readonly [call: number, attempts: string])[]
}

const each = (value: string): string => `json_group_array(${value})`
/** In the order of `Columns`. No number is null, which keeps arrays of numbers small. */
const columns = [
  each('id'),
  each('name'),
  each('caller'),
  each('at'),
  each('"order"'),
  each('state'),
  each('reason'),
  each('value'),
  each('attempt'),
  each('started_at'),
  each('ended_at'),
  each('cost'),
  each('more'),
]

type Columns = readonly [
  ids: readonly number[],
  names: readonly number[],
  callers: readonly string[],
  ats: readonly number[],
  orders: readonly number[],
  states: readonly (EndState | null)[],
  reasons: readonly (string | null)[],
  values: readonly (string | null)[],
  attempts: readonly number[],
  startedAts: readonly number[],
  endedAts: readonly number[],
  costs: readonly number[],
  mores: readonly (string | null)[],
]

/** Only these are kept as blobs. */
const areDigests = ['key', 'fingerprint', 'digest']
  .map((column) => `typeof(${column}) = 'blob'`)
  .join(' AND ')

const rowsSql = (
  only: string,
): string => `SELECT id, name, key, caller, at, ifnull("order", -1) AS "order", state, reason, fingerprint, value,
    digest, ifnull(attempt, 0) AS attempt, ifnull(started_at, 0) AS started_at, ifnull(ended_at, 0) AS ended_at,
    ifnull(cost, 0) AS cost, more
  FROM calls LEFT JOIN outcomes USING (id) WHERE id BETWEEN ? AND ? ${only} ORDER BY id LIMIT ?`

/** What may go into a block: it has succeeded, and no person was asked. */
const canFreeze = `AND outcomes.state = 'succeeded' AND NOT EXISTS (SELECT 1 FROM asks WHERE asks.id = calls.id)`

const pageSql = (
  only: string,
): string => `SELECT count(*) AS calls, max(id) AS last, sum("order" = -1) AS open,
    ${columns.map((column, i) => `${column} AS c${i}`).join(', ')},
    lower(group_concat(hex(key || fingerprint || digest), '')) AS digests, sum(NOT (${areDigests})) AS odd
  FROM (${rowsSql(only)})`

const oddSql = (
  only: string,
): string => `SELECT ${['key', 'fingerprint', 'digest'].map((name) => `${each(digestText(name))} AS ${name}`).join(', ')}
  FROM (${rowsSql(only)})`

const pages = { all: [pageSql(''), oddSql('')], frozen: [pageSql(canFreeze), oddSql(canFreeze)] } as const

/** Arguments of the calls of a page that may go into a block. */
export const frozenArgsSql = `SELECT json_group_array(args) AS args FROM (SELECT args FROM calls
  JOIN outcomes USING (id) WHERE id BETWEEN ? AND ? ${canFreeze} ORDER BY id LIMIT ?)`

type Digests = Readonly<Record<'key' | 'fingerprint' | 'digest', string>>
type PageRow = {
  readonly digests: string | null
  readonly calls: number
  readonly last: number
  readonly open: number
  readonly odd: number
} & Readonly<Record<`c${number}`, string>>

/** The first calls of a range of row ids; `open`: some of them have no outcome. `freezing`: those that a block may have. */
export function readPage(
  db: Database,
  names: Names,
  first: number,
  last: number,
  limit: number,
  freezing = false,
): { readonly page: CallPage; readonly last: number; readonly open: boolean } | undefined {
  const [sql, oddSql] = freezing ? pages.frozen : pages.all
  const row = db.get<PageRow>(sql, first, last, limit) as PageRow
  if (row.calls === 0) return undefined
  const odd = row.odd === 0 ? undefined : db.get<Digests>(oddSql, first, last, limit)
  const numbers = new Set(JSON.parse(row['c1'] ?? '[]') as number[])
  const page: CallPage = {
    calls: row.calls,
    texts: columns.map((_, i) => row[`c${i}`] ?? '[]'),
    digests: odd === undefined ? (row.digests ?? '') : undefined,
    ...(odd && { odd: [odd.key, odd.fingerprint, odd.digest] as const }),
    names: [...numbers].map((n) => [n, names.at(n).name, names.at(n).kind] as const),
    attempts: [...unspentAttempts(db, first, row.last)].map(([id, text]) => [callOf(id), text] as const),
  }
  return { page, last: row.last, open: row.open > 0 }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }
type Kept = Writable<NonNullable<RememberedCall['outcome']>>

/** Adds the calls of a page to those before it. */
export function unpackPage(page: CallPage, calls: RememberedCall[]): void {
  const all = page.texts.map((text) => JSON.parse(text) as unknown[]) as unknown as Columns
  const [ids, numbers, callers, ats, orders] = all
  let caller = ''
  const names = new Map(page.names.map(([n, name, kind]) => [n, { name, kind }]))
  const attempts = new Map(page.attempts)
  const [key, ...digests] = digestColumns(page)
  for (let i = 0; i < page.calls; i++) {
    const id = callOf(ids[i] as number)
    const { name, kind } = names.get(numbers[i] as number) as {
      readonly name: string
      readonly kind: CallKind
    }
    // a million calls have a few callers
    if (callers[i] !== caller) caller = callers[i] as string
    const call: Writable<RememberedCall> = {
      call: id,
      key: key?.(i) ?? '',
      caller,
      name,
      call_kind: kind,
      at: ats[i] as number,
      attempts: none,
    }
    if (orders[i] !== -1) call.outcome = outcomeOf(all, i, digests)
    const spent = attempts.size === 0 ? undefined : attempts.get(id)
    if (spent !== undefined) call.attempts = JSON.parse(spent) as RememberedCall['attempts']
    calls.push(call)
  }
}

const none: RememberedCall['attempts'] = Object.freeze([])

type DigestColumn = (i: number) => string | undefined

function outcomeOf(
  [, , , , orders, states, reasons, values, attempts, startedAts, endedAts, costs, mores]: Columns,
  i: number,
  [fingerprint, digest]: readonly DigestColumn[],
): Kept {
  const outcome: Kept = {
    order: orders[i] as number,
    state: states[i] as EndState,
    reason: reasons[i] as string,
    attempt: attempts[i] as number,
    startedAt: startedAts[i] as number,
    endedAt: endedAts[i] as number,
    costMs: costs[i] as number,
  }
  const known = fingerprint?.(i)
  if (known !== undefined) outcome.fingerprint = known
  const value = values[i]
  if (value != null) outcome.valueWire = value
  const hash = digest?.(i)
  if (hash !== undefined) outcome.digest = hash
  const more = mores[i]
  return more == null ? outcome : { ...outcome, ...readMore(more) }
}

const digestColumns = ({ digests, odd = ['[]', '[]', '[]'] }: CallPage): DigestColumn[] =>
  digests === undefined ? odd.map(textsAt) : [0, 1, 2].map((column) => lettersAt(digests, column))

const lettersAt =
  (letters: string, column: number): DigestColumn =>
  (i) => {
    const from = (3 * i + column) * digestLength
    return letters.slice(from, from + digestLength)
  }

function textsAt(json: string): DigestColumn {
  const texts = JSON.parse(json) as (string | null)[]
  return (i) => texts[i] ?? undefined
}
