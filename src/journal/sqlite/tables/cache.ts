import type { BaseRecord, CacheRecord, Outcome, RunId, VariationRecord } from '../../../model/records.ts'
import type { Digest } from '../../../model/refs.ts'
import type { RunCache } from '../../../ports/journal.ts'
import type { Database } from '../database/database.ts'
import { type DigestColumn, digestColumn, digestText, present } from '../database/rows.ts'
import { endWork } from './work.ts'

export function addEntry(db: Database, run: RunId, entry: CacheRecord): void {
  const { fingerprint, name, call, at } = entry
  const first = db.get<{ digest: Digest }>(
    `SELECT ${digestText('digest')} AS digest FROM cache WHERE fingerprint = ? ORDER BY seq LIMIT 1`,
    digestColumn(fingerprint),
  )
  if (first !== undefined && first.digest !== entry.digest && entry.varies !== true) {
    addVariation(db, run, {
      kind: 'variation',
      fingerprint,
      name,
      call,
      at,
      digest: first.digest,
      other: entry.digest,
    })
  }
  if (first !== undefined && entry.replaces === true) forgetEntries(db, [fingerprint])
  db.run(
    `INSERT INTO cache (fingerprint, name, run, call, value, digest, blobs, cost, at, parts, bytes, shown)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    digestColumn(entry.fingerprint),
    entry.name,
    run,
    entry.call,
    entry.valueWire,
    digestColumn(entry.digest),
    JSON.stringify(entry.blobs),
    entry.costMs,
    entry.at,
    entry.partsWire,
    entry.bytes ?? 0,
    entry.shownWire ?? null,
  )
  endWork(db, entry.fingerprint)
}

export function addVariation(db: Database, run: RunId, record: VariationRecord): void {
  db.run(
    'INSERT INTO variations (fingerprint, name, digest, other, run, call, at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    digestColumn(record.fingerprint),
    record.name,
    digestColumn(record.digest),
    digestColumn(record.other),
    run,
    record.call,
    record.at,
  )
}

/** An entry was taken. */
export function addUse(db: Database, fingerprint: DigestColumn, at: number): void {
  db.run(
    `INSERT INTO uses (entry, hits, at) SELECT seq, 1, ? FROM cache WHERE fingerprint = ? ORDER BY seq LIMIT 1
    ON CONFLICT (entry) DO UPDATE SET hits = hits + 1, at = max(at, excluded.at)`,
    at,
    fingerprint,
  )
}

/** What a map did not do again: nobody looks up the entries that it carries over. */
export function addCarried(db: Database, name: string, { map }: Pick<Outcome, 'map'>): void {
  if (map === undefined || map.carried === 0) return
  db.run(
    `INSERT INTO savings (name, hits, ms, bytes) VALUES (?, ?, ?, 0)
    ON CONFLICT (name) DO UPDATE SET hits = hits + excluded.hits, ms = ms + excluded.ms`,
    name,
    map.carried,
    map.savedMs ?? 0,
  )
}

/** The newest wins. */
export function setBase(db: Database, run: RunId, base: BaseRecord): void {
  db.run(
    'INSERT OR REPLACE INTO bases (base, environment, run, call, input, value, at, name, cost, shown) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    digestColumn(base.base),
    base.environment,
    run,
    base.call,
    digestColumn(base.input),
    base.valueWire,
    base.at,
    base.name ?? null,
    base.costMs ?? 0,
    base.shownWire ?? null,
  )
}

type Entry = NonNullable<Awaited<ReturnType<RunCache['find']>>>
type Base = NonNullable<Awaited<ReturnType<RunCache['findBase']>>>

const entryColumns = `${digestText('fingerprint')} AS fingerprint, name, run, call, value AS valueWire,
  ${digestText('digest')} AS digest, blobs, cost AS costMs, at, parts AS partsWire, shown AS shownWire`

type EntryRow = Omit<Entry, 'blobs' | 'shownWire'> & {
  readonly blobs: string
  readonly shownWire: string | null
}

function entryOf(row: EntryRow | undefined): Entry | undefined {
  if (row === undefined) return undefined
  const { blobs, shownWire, ...rest } = row
  return { ...rest, blobs: JSON.parse(blobs) as Digest[], ...present({ shownWire }) }
}

export function findEntry(db: Database, fingerprint: Digest, notBefore: number): Entry | undefined {
  const sql = `SELECT ${entryColumns} FROM cache WHERE fingerprint = ? AND at >= ? ORDER BY seq LIMIT 1`
  return entryOf(db.get<EntryRow>(sql, digestColumn(fingerprint), notBefore))
}

export function nearestEntry(db: Database, name: string): Entry | undefined {
  return entryOf(
    db.get<EntryRow>(`SELECT ${entryColumns} FROM cache WHERE name = ? ORDER BY seq DESC LIMIT 1`, name),
  )
}

export function findBase(db: Database, base: Digest, environment: string): Base | undefined {
  const sql = `SELECT ${digestText('base')} AS base, environment, run, call, ${digestText('input')} AS input,
    value AS valueWire, at, name, nullif(cost, 0) AS costMs, shown AS shownWire FROM bases WHERE base = ? AND environment = ?`
  const row = db.get<Base>(sql, digestColumn(base), environment)
  if (row === undefined) return undefined
  const { name, costMs, shownWire, ...rest } = row
  return { ...rest, ...present({ name, costMs, shownWire }) }
}

export function forgetEntries(db: Database, digests: readonly Digest[]): void {
  for (const digest of digests.map(digestColumn)) {
    dropEntries(
      db,
      db.all<{ seq: number }>('SELECT seq FROM cache WHERE fingerprint = ?', digest).map(({ seq }) => seq),
    )
    db.run('DELETE FROM bases WHERE base = ?', digest)
  }
}

/** What they saved stays on record. */
export function dropEntries(db: Database, seqs: readonly number[]): void {
  if (seqs.length === 0) return
  const those = JSON.stringify(seqs)
  db.run(
    `INSERT INTO savings (name, hits, ms, bytes)
    SELECT name, sum(hits), sum(hits * cost), sum(hits * bytes) FROM cache JOIN uses ON entry = seq
    WHERE seq IN (SELECT value FROM json_each(?)) GROUP BY name
    ON CONFLICT (name) DO UPDATE SET hits = hits + excluded.hits, ms = ms + excluded.ms, bytes = bytes + excluded.bytes`,
    those,
  )
  db.run('DELETE FROM uses WHERE entry IN (SELECT value FROM json_each(?))', those)
  db.run('DELETE FROM cache WHERE seq IN (SELECT value FROM json_each(?))', those)
}
