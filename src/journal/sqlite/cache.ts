import type { BaseRecord, CacheRecord, RunId, VariationRecord } from '../../model/records.ts'
import type { Digest } from '../../model/refs.ts'
import type { RunCache } from '../../ports/journal.ts'
import type { Database } from './database.ts'
import { digestColumn, digestText } from './rows.ts'
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
    `INSERT INTO cache (fingerprint, name, run, call, value, digest, blobs, cost, at, parts, bytes)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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

/** The newest wins. */
export function setBase(db: Database, run: RunId, base: BaseRecord): void {
  db.run(
    'INSERT OR REPLACE INTO bases (base, environment, run, call, input, value, at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    digestColumn(base.base),
    base.environment,
    run,
    base.call,
    digestColumn(base.input),
    base.valueWire,
    base.at,
  )
}

type Entry = NonNullable<Awaited<ReturnType<RunCache['find']>>>
type Base = NonNullable<Awaited<ReturnType<RunCache['findBase']>>>

const entryColumns = `${digestText('fingerprint')} AS fingerprint, name, run, call, value AS valueWire,
  ${digestText('digest')} AS digest, blobs, cost AS costMs, at, parts AS partsWire`

type EntryRow = Omit<Entry, 'blobs'> & { readonly blobs: string }

const entryOf = (row: EntryRow | undefined): Entry | undefined =>
  row && { ...row, blobs: JSON.parse(row.blobs) as Digest[] }

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
    value AS valueWire, at FROM bases WHERE base = ? AND environment = ?`
  const row = db.get<Base>(sql, digestColumn(base), environment)
  return row && { ...row }
}

export function forgetEntries(db: Database, digests: readonly Digest[]): void {
  for (const digest of digests.map(digestColumn)) {
    db.run('DELETE FROM cache WHERE fingerprint = ?', digest)
    db.run('DELETE FROM bases WHERE base = ?', digest)
  }
}
