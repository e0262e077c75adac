import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { isShown } from '../../../model/call-kinds.ts'
import type { RememberedCall } from '../../../model/records.ts'
import { plainCall } from '../../../model/remembered.ts'
import { isRunEnd, runStates } from '../../../model/states.ts'
import { blobDigests } from '../../blob-digests.ts'
import type { Database } from '../database/database.ts'
import { callOf, digestBytes, digestColumn, rowId, rowRange, runOf } from '../database/rows.ts'
import {
  type CallPage,
  type Digests,
  keyedCalls,
  type PageBound,
  type ReadPage,
  readPage,
} from './call-pages.ts'
import { insertCalls, insertOutcomes } from './calls.ts'
import type { Names } from './names.ts'
import type { ReferredCall } from './open-blocks.ts'
import { allArgs, nameNumbers, unpackPage } from './page-calls.ts'

/**
 * Calls of runs that have ended, a thousand to a row: their columns side by side, compressed, and their digests, which
 * nothing compresses, as they are. They take half the place, and are read faster than one by one.
 *
 * Z1 a call is either in rows of its own or in one block, never in both: it changes place within one transaction.
 * Z2 only calls that succeeded are in blocks, so that what few calls have in common is still found by an index.
 * Z3 what is written of a call thaws its block first: rows in blocks never change.
 */
const callsPerBlock = 1000
/** Fewer are not worth a block. */
const leastCalls = 20

interface BlockRow {
  readonly id: number
  readonly digests: Uint8Array | null
  readonly body: Uint8Array
}

interface Body {
  readonly page: Pick<CallPage, 'calls' | 'texts' | 'names' | 'odd'>
  /** one for each call, as JSON */
  readonly args: string
}

export interface FrozenCall extends ReturnType<typeof plainCall> {
  readonly argsWire: string
  /** of its name */
  readonly number: number
}

/** The next run that has ended and is not frozen as far as it can be. */
export function thawedRun(
  db: Database,
  endedBefore: number,
  after: number,
): { readonly n: number; readonly id: string } | undefined {
  const ends = runStates.filter(isRunEnd).map((state) => `'${state}'`)
  const sql = `SELECT n, id FROM runs WHERE frozen = 0 AND n > ? AND state IN (${ends.join(', ')})
    AND ifnull(ended_at, created_at) <= ? ORDER BY n LIMIT 1`
  return db.get(sql, after, endedBefore)
}

/**
 * Puts the next calls of a run into a block, within a transaction; the caller holds the run's claim. False if there
 * are too few, so that the run is frozen as far as it can be.
 */
export function freezeBlock(db: Database, names: Names, n: number, bound: PageBound = {}): boolean {
  const [first, last] = rowRange(n)
  const from = (lastBlock(db, first, last)?.last ?? first - 1) + 1
  const read = (id: number) => readPage(db, names, id, last, callsPerBlock, { freezing: true, ...bound })
  let found = read(from)
  // what failed stays in rows, and is not gone through for each block; what was thawed may lie before the last one
  if (from > first && (found === undefined || isTooFew(found))) found = read(first)
  if (found === undefined || isTooFew(found)) {
    db.run('UPDATE runs SET frozen = 1 WHERE n = ?', n)
    return false
  }
  const { calls: count, texts, names: named } = found.page
  const [ids = '[]'] = texts
  const calls: RememberedCall[] = []
  unpackPage(found.page, calls)
  const args = allArgs(found.page)
  const blobs = blobDigests([...args, ...calls.map(({ outcome }) => outcome?.valueWire)])
  const digests = digestsOf(found.page)
  const odd = found.page.odd ?? (digests === undefined ? oddDigests(calls) : undefined)
  const body: Body = {
    page: { calls: count, texts, names: named, ...(odd && { odd }) },
    args: JSON.stringify(args),
  }
  db.run(
    'INSERT INTO frozen (id, last, names, blobs, digests, body) VALUES (?, ?, ?, ?, ?, ?)',
    (JSON.parse(ids) as number[])[0] as number,
    found.last,
    JSON.stringify(named.map(([number]) => number)),
    JSON.stringify([...blobs]),
    digests ?? null,
    deflateRawSync(JSON.stringify(body)),
  )
  for (const table of ['outcomes', 'calls'])
    db.run(`DELETE FROM ${table} WHERE id IN (SELECT value FROM json_each(?))`, ids)
  return true
}

/** A page ends sooner where its calls are large: few of them are worth a block then, but not one that may be of any size. */
const isTooFew = ({ page: { calls }, more }: ReadPage): boolean =>
  calls < leastCalls && (calls === 1 || !more)

const lastBlock = (db: Database, first: number, last: number): { readonly last: number } | undefined =>
  db.get('SELECT last FROM frozen WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1', first, last)

/** A page of what a replay needs: the first block behind a row id, and that of its first call. */
export function frozenPage(
  db: Database,
  n: number,
  after: number,
): { readonly page: CallPage; readonly next: number } | undefined {
  const [first, last] = rowRange(n)
  const sql = 'SELECT id, digests, body FROM frozen WHERE id > ? AND id BETWEEN ? AND ? ORDER BY id LIMIT 1'
  const row = db.get<BlockRow>(sql, after, first, last)
  if (row === undefined) return undefined
  const { page } = opened(row)
  const lastId = lastOf(page)
  // no outcome of theirs is open, but attempts before it are shown with it
  const calls = new Set(idsOf(page).map(callOf))
  const attempts = db.all<{ call: number; attempts: string }>(attemptsSql, row.id, lastId)
  const own = attempts.map(({ call, attempts: text }) => [callOf(call), text] as const)
  const keyed = keyedCalls(db, row.id, lastId)
  return { page: { ...page, keyed, attempts: own.filter(([call]) => calls.has(call)) }, next: row.id }
}

const attemptsSql = `SELECT call, json_group_array(json_remove(record, '$.kind', '$.call') ORDER BY seq) AS attempts
  FROM attempts WHERE call BETWEEN ? AND ? AND forgotten = 0 GROUP BY call`

/** Digests of a page, three a call; undefined where some call lacks one. */
function digestsOf({ digests, calls }: CallPage): Uint8Array | undefined {
  if (digests === undefined || digests.some(({ bytes }) => bytes.length !== calls * digestBytes))
    return undefined
  const all = new Uint8Array(calls * 3 * digestBytes)
  for (const [place, { bytes }] of digests.entries())
    for (let i = 0; i < calls; i++)
      all.set(bytes.subarray(i * digestBytes, (i + 1) * digestBytes), (i * 3 + place) * digestBytes)
  return all
}

const oddDigests = (calls: readonly RememberedCall[]): NonNullable<CallPage['odd']> => [
  JSON.stringify(calls.map(({ key }) => key)),
  JSON.stringify(calls.map(({ outcome }) => outcome?.fingerprint ?? null)),
  JSON.stringify(calls.map(({ outcome }) => outcome?.digest ?? null)),
]

const lastOf = (page: CallPage): number => idsOf(page).at(-1) ?? 0

/** The first row ids of blocks that may have calls in a range of row ids, and have some of a name. */
export function blocksOf(db: Database, first: number, last: number, name?: number): readonly number[] {
  const run = rowRange(runOf(first))
  const named = name === undefined ? '' : 'AND EXISTS (SELECT 1 FROM json_each(names) WHERE value = ?)'
  const sql = `SELECT id FROM frozen WHERE id BETWEEN ? AND ? AND last >= ? ${named} ORDER BY id`
  const values = name === undefined ? [] : [name]
  return db.all<{ id: number }>(sql, run[0], last, first, ...values).map(({ id }) => id)
}

/** Blocks with calls in a range of row ids, and of a name, in order of their first calls. */
export function* frozenCalls(
  db: Database,
  first: number,
  last: number,
  name?: number,
): Iterable<{ readonly first: number; readonly calls: readonly FrozenCall[] }> {
  for (const id of blocksOf(db, first, last, name)) {
    const row = readBlock(db, id)
    if (row !== undefined) yield { first: id, calls: callsOf(row) }
  }
}

/** What others that take results of a block's calls ask for. */
export function referredCalls(db: Database, block: number): ReadonlyMap<number, ReferredCall> {
  const row = readBlock(db, block)
  if (row === undefined) return new Map()
  const { page, args } = opened(row)
  const derived = new Set(page.names.filter(([, , kind]) => !isShown(kind)).map(([number]) => number))
  const wires = JSON.parse(args) as string[]
  const numbers = nameNumbers(page)
  return new Map(
    idsOf(page).map((id, i) => {
      const name = numbers[i] as number
      return [callOf(id), { name, argsWire: derived.has(name) ? wires[i] : undefined }]
    }),
  )
}

const readBlock = (db: Pick<Database, 'all'>, id: number): BlockRow | undefined =>
  db.all<BlockRow>('SELECT id, digests, body FROM frozen WHERE id = ?', id)[0]

const idsOf = (page: Pick<CallPage, 'texts'>): readonly number[] =>
  JSON.parse(page.texts[0] ?? '[]') as number[]

/** The last row id of a run that is in a block, or -1. */
export const lastFrozen = (db: Database, n: number): number =>
  db.get<{ last: number }>(
    'SELECT ifnull(max(last), -1) AS last FROM frozen WHERE id BETWEEN ? AND ?',
    ...rowRange(n),
  )?.last ?? -1

/** Gives the calls of the block with a call their own rows again, within a transaction. False if none has it. */
export function thaw(db: Database, n: number, call: number): boolean {
  for (const { first, calls } of frozenCalls(db, rowId(n, call), rowId(n, call))) {
    if (!calls.some((one) => one.call === call)) continue
    thawBlock(db, first, calls)
    db.run('UPDATE runs SET frozen = 0 WHERE n = ?', n)
    return true
  }
  return false
}

/**
 * All of them, in a journal that was damaged; what cannot be read is dropped, and executed again by whoever goes on
 * with the run. A call that is in a row as well stays as it is there.
 */
export function thawAll(db: Pick<Database, 'prepare' | 'all' | 'run'>): void {
  for (const { id } of db.all<{ id: number }>('SELECT id FROM frozen ORDER BY id')) {
    const row = readBlock(db, id)
    let calls: readonly FrozenCall[] = []
    try {
      if (row !== undefined) calls = callsOf(row).filter(({ call }) => !isThere(db, rowId(runOf(id), call)))
    } catch {
      // its bytes are damaged
    }
    thawBlock(db, id, calls)
  }
  db.run('UPDATE runs SET frozen = 0')
}

const isThere = (db: Pick<Database, 'all'>, id: number): boolean =>
  db.all('SELECT 1 FROM calls WHERE id = ?', id).length > 0

function thawBlock(db: Pick<Database, 'run'>, first: number, calls: readonly FrozenCall[]): void {
  const n = runOf(first)
  for (const { call, number, key, caller, argsWire, at, outcome } of calls) {
    const id = rowId(n, call)
    db.run(
      `${insertCalls.sql} VALUES (?, ?, ?, ?, ?, ?)`,
      id,
      number,
      digestColumn(key),
      caller,
      argsWire,
      at,
    )
    if (outcome === undefined) continue
    const { error, origin, map, message } = outcome
    const more = error ?? origin ?? map ?? message
    db.run(
      `${insertOutcomes.sql} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      outcome.order,
      outcome.state,
      outcome.reason,
      outcome.fingerprint === undefined ? null : digestColumn(outcome.fingerprint),
      outcome.valueWire ?? null,
      outcome.digest === undefined ? null : digestColumn(outcome.digest),
      outcome.attempt,
      outcome.startedAt,
      outcome.endedAt,
      outcome.costMs,
      more === undefined ? null : JSON.stringify({ error, origin, map, message }),
    )
  }
  db.run('DELETE FROM frozen WHERE id = ?', first)
}

function opened({ digests, body }: BlockRow): { readonly page: CallPage; readonly args: string } {
  const { page, args } = JSON.parse(inflateRawSync(body).toString()) as Body
  return {
    page: { ...page, args: { json: args }, digests: columnsOf(digests), keyed: undefined, attempts: [] },
    args,
  }
}

/** The three columns of what `digestsOf` made. */
function columnsOf(digests: Uint8Array | null): CallPage['digests'] {
  if (digests === null) return undefined
  const column = (place: number): Digests => {
    const bytes = new Uint8Array(digests.length / 3)
    for (let to = 0; to < bytes.length; to += digestBytes) {
      const from = to * 3 + place * digestBytes
      bytes.set(digests.subarray(from, from + digestBytes), to)
    }
    return { bytes, blanks: '[]' }
  }
  return [column(0), column(1), column(2)]
}

function callsOf(row: BlockRow): FrozenCall[] {
  const { page, args } = opened(row)
  const calls: RememberedCall[] = []
  unpackPage(page, calls)
  const wires = JSON.parse(args) as string[]
  const numbers = nameNumbers(page)
  return calls.map((call, i) => ({
    ...plainCall(call),
    argsWire: wires[i] as string,
    number: numbers[i] as number,
  }))
}
