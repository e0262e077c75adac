import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { foldedName } from '../../../model/dataset.ts'
import { digestText } from '../database/rows.ts'

/**
 * Gives datasets back whose rows are lost: versions keep what is in them from being removed. What they were called is
 * in the documents beside the journal (`versions/`); where that is lost too, they get another name.
 */
export function nameDatasets(db: DatabaseSync, home: string): void {
  const names = namesIn(join(home, 'versions'), orphans(db))
  const insert = db.prepare(
    `INSERT OR IGNORE INTO datasets (n, environment, name, folded, live, made_at)
    SELECT dataset, ?, ?, ?, count(*), min(made_at) FROM versions WHERE removed_at IS NULL AND dataset = ?`,
  )
  for (const [n, { environment, dataset }] of names) insert.run(environment, dataset, foldedName(dataset), n)
  // a version that a run has made is of that run's environment
  const nameless = db
    .prepare(
      `SELECT dataset AS n, ifnull(max(runs.environment), 'main') AS environment
      FROM versions LEFT JOIN runs ON runs.id = versions.run WHERE ${isOrphan} GROUP BY dataset`,
    )
    .all() as { n: number; environment: string }[]
  for (const { n, environment } of nameless)
    insert.run(names.get(n)?.environment ?? environment, `recovered-${n}`, `recovered-${n}`, n)
  db.exec('DELETE FROM versions WHERE dataset NOT IN (SELECT n FROM datasets)')
}

const isOrphan = 'removed_at IS NULL AND dataset NOT IN (SELECT n FROM datasets)'

interface Orphan {
  readonly n: number
  readonly seq: number
  readonly digest: string
}

/** Versions whose dataset is lost. */
const orphans = (db: DatabaseSync): Orphan[] =>
  db
    .prepare(`SELECT dataset AS n, seq, ${digestText('digest')} AS digest FROM versions WHERE ${isOrphan}`)
    .all() as unknown as Orphan[]

interface Named {
  readonly environment: string
  readonly dataset: string
}

/** What documents of these versions say of their datasets. */
function namesIn(folder: string, versions: readonly Orphan[]): Map<number, Named> {
  const found = new Map<number, Named>()
  if (versions.length === 0) return found
  const wanted = new Map(versions.map(({ seq, digest, n }) => [`${seq} ${digest}`, n]))
  for (const path of filesIn(folder)) {
    if (!path.endsWith('.json')) continue
    const { seq, digest, environment, dataset } = documentAt(join(folder, path))
    const n = wanted.get(`${seq} ${digest}`)
    if (n !== undefined && typeof environment === 'string' && typeof dataset === 'string')
      found.set(n, { environment, dataset })
  }
  return found
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
  } catch {
    // there is none, or it is damaged too: they get other names
    return []
  }
}

function documentAt(path: string): Readonly<Record<string, unknown>> {
  try {
    return { ...JSON.parse(readFileSync(path, 'utf8')) }
  } catch {
    return {}
  }
}
