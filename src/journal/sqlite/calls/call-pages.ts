import type { CallKind } from '../../../model/records.ts'
import type { Database } from '../database/database.ts'
import { callOf, digestBytes, digestText, runOf } from '../database/rows.ts'
import { unspentAttempts } from './attempts.ts'
import type { Names } from './names.ts'

/**
 * A page of what a replay needs, column by column: the database itself makes the texts, so that a run of a million
 * calls is read without a step of ours for each value until somebody asks for it (`page-calls.ts`).
 *
 * R1 calls come in order of their numbers.
 */
export interface CallPage {
  readonly calls: number
  /** for each of `columns` a JSON array */
  readonly texts: readonly string[]
  /** key, fingerprint and digest of the value of each call */
  readonly digests: readonly [keys: Digests, fingerprints: Digests, digests: Digests] | undefined
  /** else, where one of them is no digest, each of them as JSON */
  readonly odd?: readonly [keys: string, fingerprints: string, digests: string]
  /** arguments: one after the other, with the length of each as JSON; or, where they are no ASCII, a JSON array */
  readonly args?: { readonly text: string; readonly lengths: string } | { readonly json: string }
  /** numbers of calls that the author gave keys; undefined where that is not known */
  readonly keyed: readonly number[] | undefined
  /** that occur, by number */
  readonly names: readonly (readonly [n: number, name: string, kind: CallKind])[]
  /** spent ones, as JSON, by number of the call */
  readonly attempts: readonly (readonly [call: number, attempts: string])[]
}

/** A digest of each call. */
export interface Digests {
  /** 32 of each, one after the other */
  readonly bytes: Uint8Array
  /** row ids of calls that have none, as JSON, where others do */
  readonly blanks: string
}

const each = (value: string): string => `json_group_array(${value})`
/** No number is null, which keeps arrays of numbers small. Blocks have them in this order. */
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

/** Only these are kept as blobs. */
const digests = ['key', 'fingerprint', 'digest'] as const
/** Taken as texts, of which nothing looks at a character: the texts of digests would take as long as all other columns. */
const bytesOf = (column: string): string => `CAST(group_concat(${column}, '') AS BLOB)`
/** Any text comes before all blobs. */
const kindOf = (column: string): string => `typeof(min(${column}))`

/**
 * Calls of a range of row ids. There is no LIMIT: with one, each value would be copied from this query into the one around it.
 * They come in the order of the range, which is walked along the table's own key.
 */
const rowsSql = (
  only: string,
): string => `SELECT id, name, key, caller, args, at, ifnull("order", -1) AS "order", state, reason, fingerprint, value,
    digest, ifnull(attempt, 0) AS attempt, ifnull(started_at, 0) AS started_at, ifnull(ended_at, 0) AS ended_at,
    ifnull(cost, 0) AS cost, more
  FROM calls LEFT JOIN outcomes USING (id) WHERE id BETWEEN ? AND ? ${only}`

/** What may go into a block: it has succeeded, and no person was asked. */
const canFreeze = `AND outcomes.state = 'succeeded' AND NOT EXISTS (SELECT 1 FROM asks WHERE asks.id = calls.id)`

const pageSql = (only: string): string => `SELECT count(*) AS calls, sum("order" = -1) AS open,
    ${columns.map((column, i) => `${column} AS c${i}`).join(', ')},
    ${digests.map((column, i) => `${bytesOf(column)} AS d${i}, ${kindOf(column)} AS k${i}`).join(', ')},
    group_concat(args, '') AS args, json_group_array(octet_length(args)) AS lengths,
    octet_length(group_concat(args, '')) AS octets
  FROM (${rowsSql(only)})`

const oddSql = (
  only: string,
): string => `SELECT ${digests.map((name) => `${each(digestText(name))} AS ${name}`).join(', ')}
  FROM (${rowsSql(only)})`

const blanksSql = (
  only: string,
): string => `SELECT ${digests.map((name) => `${each('id')} FILTER (WHERE ${name} IS NULL) AS ${name}`).join(', ')}
  FROM (${rowsSql(only)})`

const argsSql = (only: string): string => `SELECT json_group_array(args) AS args FROM (${rowsSql(only)})`

const firstOf = (what: string, only: string): string =>
  `SELECT ${what} FROM calls LEFT JOIN outcomes USING (id) WHERE id BETWEEN ? AND ? ${only} ORDER BY id LIMIT ?`

/** How long the texts of each call are that may be long: none of them is read for it. */
const lengthSql = (only: string): string =>
  firstOf(
    'octet_length(args) + ifnull(octet_length(value), 0) + ifnull(octet_length(more), 0) AS length',
    only,
  )

const journalSql = 'SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size'

const sqlOf = (only: string) => ({
  last: `SELECT max(id) AS last FROM (${firstOf('id', only)})`,
  length: `SELECT sum(length) AS length FROM (${lengthSql(only)})`,
  lengths: lengthSql(only),
  page: pageSql(only),
  odd: oddSql(only),
  blanks: blanksSql(only),
  args: argsSql(only),
})
const pages = { all: sqlOf(''), frozen: sqlOf(canFreeze) } as const

type PageRow = {
  readonly calls: number
  readonly open: number
  readonly args: string
  readonly lengths: string
  readonly octets: number
} & Readonly<Record<`c${number}`, string>> &
  Readonly<Record<`d${number}`, Uint8Array | null>> &
  Readonly<Record<`k${number}`, 'blob' | 'text' | 'null'>>

type DigestTexts = Readonly<Record<(typeof digests)[number], string>>

/** A page makes one text of a column, and half a GiB is the most that a text may have here. */
const mostBytes = 32 * 2 ** 20

export interface PageBound {
  /** of texts that may be long, all together */
  readonly bytes?: number
}

export interface ReadPage {
  readonly page: CallPage
  /** row id of the last call */
  readonly last: number
  /** some of them have no outcome */
  readonly open: boolean
  /** there may be more calls behind it */
  readonly more: boolean
}

const none = new Uint8Array()

/** The first calls of a range of row ids, at most so many. `freezing`: those that a block may have. */
export function readPage(
  db: Database,
  names: Names,
  first: number,
  end: number,
  most: number,
  { bytes = mostBytes, freezing = false }: PageBound & { readonly freezing?: boolean } = {},
): ReadPage | undefined {
  const sql = freezing ? pages.frozen : pages.all
  const limit = fitting(db, sql, { first, last: end, most, bytes })
  const last = db.get<{ last: number | null }>(sql.last, first, end, limit)?.last ?? undefined
  if (last === undefined) return undefined
  const row = db.get<PageRow>(sql.page, first, last) as PageRow
  const odd = digests.some((_, i) => row[`k${i}`] === 'text')
    ? db.get<DigestTexts>(sql.odd, first, last)
    : undefined
  const isBlankSomewhere = ({ length }: Uint8Array): boolean => length > 0 && length < row.calls * digestBytes
  const blanks =
    odd === undefined && digests.some((_, i) => isBlankSomewhere(row[`d${i}`] ?? none))
      ? db.get<DigestTexts>(sql.blanks, first, last)
      : undefined
  const digestsAt = (i: 0 | 1 | 2): Digests => ({
    bytes: row[`d${i}`] ?? none,
    blanks: blanks?.[digests[i]] ?? '[]',
  })
  const numbers = new Set(JSON.parse(row['c1'] ?? '[]') as number[])
  const page: CallPage = {
    calls: row.calls,
    texts: columns.map((_, i) => row[`c${i}`] ?? '[]'),
    digests: odd === undefined ? [digestsAt(0), digestsAt(1), digestsAt(2)] : undefined,
    ...(odd && { odd: [odd.key, odd.fingerprint, odd.digest] as const }),
    args:
      row.args.length === row.octets
        ? { text: row.args, lengths: row.lengths }
        : { json: db.get<{ args: string }>(sql.args, first, last)?.args ?? '[]' },
    keyed: keyedCalls(db, first, last),
    names: [...numbers].map((n) => [n, names.at(n).name, names.at(n).kind] as const),
    attempts: [...unspentAttempts(db, first, last)].map(([id, text]) => [callOf(id), text] as const),
  }
  return { page, last, open: row.open > 0, more: row.calls === limit }
}

/** How many calls a page may have: at most so many, with at most so many bytes of texts, but one in any case. */
function fitting(
  db: Database,
  sql: (typeof pages)[keyof typeof pages],
  { first, last, most, bytes }: { first: number; last: number; most: number; bytes: number },
): number {
  // to look at each call takes a tenth of the time that a page takes, and most journals are small
  if ((db.get<{ bytes: number }>(journalSql)?.bytes ?? 0) <= 4 * bytes) return most
  if ((db.get<{ length: number }>(sql.length, first, last, most)?.length ?? 0) <= bytes) return most
  let all = 0
  let calls = 0
  for (const { length } of db.all<{ length: number }>(sql.lengths, first, last, most)) {
    all += length
    if (all > bytes) break
    calls++
  }
  return Math.max(1, calls)
}

/** Numbers of the calls, in a range of row ids, that the author gave keys; undefined where that was not written down. */
export function keyedCalls(db: Database, first: number, last: number): readonly number[] | undefined {
  const told = db.get<{ told: number }>('SELECT keys_told AS told FROM runs WHERE n = ?', runOf(first))
  if (told?.told !== 1) return undefined
  return db
    .all<{ id: number }>('SELECT id FROM keyed WHERE id BETWEEN ? AND ?', first, last)
    .map(({ id }) => callOf(id))
}
