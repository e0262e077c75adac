import type {
  CacheChoice,
  CacheEntry,
  CacheQuery,
  CacheRecords,
  CacheSavings,
  Variation,
} from '../../../ports/journal.ts'
import type { Database } from '../database/database.ts'
import { digestColumn, digestLength, digestText, present } from '../database/rows.ts'

/** The run cache as people read and clear it. */

type Value = string | number | Uint8Array

interface Conditions {
  readonly sql: string
  readonly values: readonly Value[]
}

function conditions(of: readonly (readonly [sql: string, ...values: Value[]] | false)[]): Conditions {
  const those = of.filter((one) => one !== false)
  return {
    sql: ['true', ...those.map(([sql]) => sql)].join(' AND '),
    values: those.flatMap(([, ...values]) => values),
  }
}

/** Fingerprints that begin so lie side by side in their index. */
function isPrefixed(prefix: string | undefined): readonly [sql: string, ...values: Value[]] | false {
  if (prefix === undefined) return false
  if (!/^[0-9a-f]{1,64}$/.test(prefix)) return ['false']
  const [first, last] = [prefix.padEnd(digestLength, '0'), prefix.padEnd(digestLength, 'f')]
  return ['fingerprint BETWEEN ? AND ?', digestColumn(first), digestColumn(last)]
}

type EntryRow = Omit<CacheEntry, 'blobs' | 'usedAt'> & {
  readonly blobs: string
  readonly usedAt: number | null
}

export function listEntries(db: Database, { name, prefix, before, limit }: CacheQuery): CacheEntry[] {
  const { sql, values } = conditions([
    name !== undefined && ['name = ?', name],
    isPrefixed(prefix),
    before !== undefined && ['seq < ?', before],
  ])
  const rows = db.all<EntryRow>(
    `SELECT ${digestText('fingerprint')} AS fingerprint, name, run, call, value AS valueWire,
    ${digestText('digest')} AS digest, blobs, cost AS costMs, cache.at AS at, parts AS partsWire, bytes, seq,
    coalesce(hits, 0) AS hits, uses.at AS usedAt FROM cache LEFT JOIN uses ON entry = seq
    WHERE ${sql} ORDER BY seq DESC LIMIT ?`,
    ...values,
    limit,
  )
  return rows.map(({ blobs, usedAt, ...row }) => ({
    ...row,
    blobs: JSON.parse(blobs) as string[],
    ...present({ usedAt }),
  }))
}

export function listSavings(db: Database): CacheSavings[] {
  return db
    .all<CacheSavings>(
      `WITH there AS (
        SELECT name, count(*) AS entries, sum(bytes) AS bytes, coalesce(sum(hits), 0) AS hits,
        coalesce(sum(hits * cost), 0) AS ms, coalesce(sum(hits * bytes), 0) AS saved
        FROM cache LEFT JOIN uses ON entry = seq GROUP BY name
      ), varied AS (SELECT name, count(DISTINCT fingerprint) AS varied FROM variations GROUP BY name)
      SELECT names.name AS name, coalesce(entries, 0) AS entries, coalesce(there.bytes, 0) AS bytes,
      coalesce(there.hits, 0) + coalesce(savings.hits, 0) AS hits,
      coalesce(there.ms, 0) + coalesce(savings.ms, 0) AS savedMs,
      coalesce(saved, 0) + coalesce(savings.bytes, 0) AS savedBytes, coalesce(varied, 0) AS varied
      FROM (SELECT name FROM there UNION SELECT name FROM savings UNION SELECT name FROM varied) AS names
      LEFT JOIN there USING (name) LEFT JOIN savings USING (name) LEFT JOIN varied USING (name)
      ORDER BY names.name`,
    )
    .map((row) => ({ ...row }))
}

export function listVariations(
  db: Database,
  { name, run, fingerprint, limit }: Parameters<CacheRecords['variations']>[0],
): Variation[] {
  const { sql, values } = conditions([
    name !== undefined && ['name = ?', name],
    run !== undefined && ['run = ?', run],
    fingerprint !== undefined && ['fingerprint = ?', digestColumn(fingerprint)],
  ])
  return db
    .all<Variation>(
      `SELECT ${digestText('fingerprint')} AS fingerprint, name, ${digestText('digest')} AS digest,
      ${digestText('other')} AS other, run, call, at FROM variations WHERE ${sql} ORDER BY seq DESC LIMIT ?`,
      ...values,
      limit,
    )
    .map((row) => ({ ...row }))
}

/** Entries that a choice means; removed stretch by stretch, so that batches get their turn. */
export interface ChosenEntries {
  readonly seqs: readonly number[]
  readonly bytes: number
}

export function chooseEntries(db: Database, choice: CacheChoice): ChosenEntries {
  const { name, prefix, notSince, maxBytes, maxEntries } = choice
  const { sql, values } = conditions([
    name !== undefined && ['name = ?', name],
    isPrefixed(prefix),
    notSince !== undefined && ['coalesce(uses.at, cache.at) < ? AND cache.at < ?', notSince, notSince],
  ])
  const rows = db.all<{ seq: number; bytes: number }>(
    `SELECT seq, bytes FROM cache LEFT JOIN uses ON entry = seq WHERE ${sql}
    ORDER BY max(coalesce(uses.at, 0), cache.at), seq`,
    ...values,
  )
  let excess = rows.length
  if (maxBytes !== undefined || maxEntries !== undefined) {
    let [bytes, entries] = [rows.reduce((sum, row) => sum + row.bytes, 0), rows.length]
    for (excess = 0; bytes > (maxBytes ?? bytes) || entries > (maxEntries ?? entries); excess++) {
      bytes -= (rows[excess] as { bytes: number }).bytes
      entries--
    }
  }
  const chosen = rows.slice(0, excess)
  return { seqs: chosen.map(({ seq }) => seq), bytes: chosen.reduce((sum, row) => sum + row.bytes, 0) }
}

/** Results of maps go with the entries of their task: else a map would carry over what was to be made anew. */
export function clearBases(
  db: Database,
  { name, prefix, notSince, maxBytes, maxEntries }: CacheChoice,
): number {
  if (prefix !== undefined || maxBytes !== undefined || maxEntries !== undefined) return 0
  const { sql, values } = conditions([
    name !== undefined && ['name = ?', name],
    notSince !== undefined && ['at < ?', notSince],
  ])
  return db.run(`DELETE FROM bases WHERE ${sql}`, ...values)
}
