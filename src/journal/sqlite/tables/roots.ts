import type { Digest } from '../../../model/refs.ts'
import { blobDigests } from '../../blob-digests.ts'
import type { Database } from '../database/database.ts'
import { digestText } from '../database/rows.ts'

/** Rows looked at before other work gets its turn. */
const rowsAtOnce = 10_000

/** Where to go on: a source, and its last row that was looked at. */
export interface RootsPlace {
  readonly source: number
  readonly after: number
}

export interface RootsPage {
  readonly digests: readonly Digest[]
  readonly next: RootsPlace | undefined
}

interface Source {
  readonly table: string
  readonly id: string
  /** columns that are digests, or JSON arrays of them */
  readonly digests: readonly string[]
  /** columns with wires */
  readonly wires: readonly string[]
  /** of the rows only these */
  readonly where?: string
}

const sources: readonly Source[] = [
  { table: 'cache', id: 'seq', digests: ['blobs'], wires: ['value', 'shown'] },
  { table: 'versions', id: 'seq', digests: [digestText('digest')], wires: [], where: 'removed_at IS NULL' },
  { table: 'bases', id: 'rowid', digests: [digestText('input')], wires: ['value', 'shown'] },
  { table: 'runs', id: 'n', digests: [], wires: ['input', 'output'] },
  // before the rows that blocks are made of and after them: in one of the two a call is, wherever it goes meanwhile
  { table: 'frozen', id: 'id', digests: ['blobs'], wires: [] },
  { table: 'calls', id: 'id', digests: [], wires: ['args'] },
  { table: 'outcomes', id: 'id', digests: [], wires: ['value'] },
  { table: 'frozen', id: 'id', digests: ['blobs'], wires: [] },
  { table: 'asks', id: 'id', digests: [], wires: [`record ->> 'showWire'`, 'answer'] },
  { table: 'messages', id: 'seq', digests: [], wires: ['value'] },
  { table: 'notes', id: 'seq', digests: [], wires: ['body'] },
]

/** Digests of one stretch of one table. */
export function rootsPage(db: Database, { source: number, after }: RootsPlace): RootsPage {
  const { table, id, digests, wires, where = '1' } = sources[number] as Source
  const last = db.get<{ last: number | null }>(
    `SELECT max(i) AS last FROM (SELECT ${id} AS i FROM ${table} WHERE ${id} > ? ORDER BY ${id} LIMIT ${rowsAtOnce})`,
    after,
  )?.last
  if (last == null) {
    const more = number + 1 < sources.length
    return { digests: [], next: more ? { source: number + 1, after: 0 } : undefined }
  }
  const found = new Set<Digest>()
  for (const column of digests)
    addDigests(
      found,
      texts(
        db,
        `SELECT ${column} AS text FROM ${table} WHERE ${id} > ? AND ${id} <= ? AND ${where}`,
        after,
        last,
      ),
    )
  for (const column of wires) {
    // most wires speak of no file: they need not leave the database
    const sql = `SELECT ${column} AS text FROM ${table} WHERE ${id} > ? AND ${id} <= ? AND instr(${column}, '"digest"') > 0`
    for (const digest of blobDigests(texts(db, sql, after, last))) found.add(digest)
  }
  return { digests: [...found], next: { source: number, after: last } }
}

const texts = (db: Database, sql: string, after: number, last: number): string[] =>
  db.all<{ text: string }>(sql, after, last).map(({ text }) => text)

function addDigests(found: Set<Digest>, columns: readonly string[]): void {
  for (const text of columns) {
    if (!text.startsWith('[')) found.add(text)
    else for (const digest of JSON.parse(text) as Digest[]) found.add(digest)
  }
}
