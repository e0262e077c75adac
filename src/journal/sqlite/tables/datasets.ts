import type { DatasetKey, DatasetSource, DatasetVersion } from '../../../model/dataset.ts'
import { checkDatasetName, foldedName } from '../../../model/dataset.ts'
import type { DatasetRow, NewVersion } from '../../../ports/datasets.ts'
import { checkClash, clashRange, datasetVersionThere } from '../../dataset-rules.ts'
import type { Database } from '../database/database.ts'
import { digestColumn, digestText, optionalJson } from '../database/rows.ts'

const columns = `d.environment, d.name AS dataset, v.part AS "partition", v.version, v.parent, v.seq,
  ${digestText('v.digest')} AS digest, v.entries, v.size, v.path, v.kept, v.run, v.call, v.maker, v.made_at AS madeAt`

interface Row {
  readonly path: string | null
  readonly kept: number
  readonly run: string | null
  readonly call: number | null
}

type VersionRow = Omit<DatasetVersion, 'at' | 'kept' | 'run' | 'call'> & Row

function versionOf({ path, kept, run, call, ...row }: VersionRow): DatasetVersion {
  return {
    ...row,
    kept: kept === 1,
    ...(path !== null && { at: path }),
    ...(run !== null && { run }),
    ...(call !== null && { call }),
  }
}

const found = (row: VersionRow | undefined): DatasetVersion | undefined => row && versionOf(row)

type Place = Omit<DatasetKey, 'partition'>

const numberOf = (db: Database, { environment, dataset }: Place): number | undefined =>
  db.get<{ n: number }>('SELECT n FROM datasets WHERE environment = ? AND name = ?', environment, dataset)?.n

/** Could a dataset be called so beside the others? @throws ALM_DATASET_NAME */
export function checkName(db: Database, place: Place): void {
  checkDatasetName(place.dataset)
  const { above, from, to } = clashRange(place.dataset)
  const marks = above.map(() => '?').join(', ')
  const near = db.all<{ name: string }>(
    `SELECT name FROM datasets WHERE environment = ? AND live > 0 AND (folded IN (${marks}) OR (folded >= ? AND folded < ?)) LIMIT 16`,
    place.environment,
    ...above,
    from,
    to,
  )
  checkClash(
    place.dataset,
    near.map(({ name }) => name),
  )
}

/** The dataset's number, made where there is none yet. @throws ALM_DATASET_NAME */
function opened(db: Database, place: Place, at: number): number {
  checkName(db, place)
  const there = numberOf(db, place)
  if (there !== undefined) return there
  const sql = 'INSERT INTO datasets (environment, name, folded, live, made_at) VALUES (?, ?, ?, 0, ?)'
  db.run(sql, place.environment, place.dataset, foldedName(place.dataset), at)
  return numberOf(db, place) as number
}

/** Within a transaction. @throws ALM_DATASET_MOVED, ALM_DATASET_NAME */
export function addVersion(db: Database, added: NewVersion): DatasetVersion {
  const n = opened(db, added, added.madeAt)
  const { partition, run, call } = added
  const newest = readVersion(db, added)
  const parent = added.parent ?? newest?.version ?? 0
  const there = datasetVersionThere(added, {
    newest,
    own: run === undefined ? undefined : madeBy(db, n, added),
    isOwnSince: run !== undefined && isOwnSince(db, n, partition, parent, run),
  })
  if (there !== undefined) {
    if (!added.kept || there.kept) return there
    db.run('UPDATE versions SET kept = 1 WHERE seq = ?', there.seq)
    return { ...there, kept: true }
  }
  const last = db.get<{ last: number | null }>(
    'SELECT max(version) AS last FROM versions WHERE dataset = ? AND part = ?',
    n,
    partition,
  )?.last
  const version = (last ?? 0) + 1
  db.run(
    `INSERT INTO versions (dataset, part, version, parent, digest, entries, size, path, kept, run, call, maker, made_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    n,
    partition,
    version,
    newest?.version ?? 0,
    digestColumn(added.digest),
    added.entries,
    added.size,
    added.at ?? null,
    added.kept ? 1 : 0,
    run ?? null,
    call ?? null,
    added.maker,
    added.madeAt,
  )
  count(db, n)
  return readVersion(db, added, version) as DatasetVersion
}

function madeBy(db: Database, n: number, { partition, run = '', call = -1, digest }: NewVersion) {
  const sql = `SELECT ${columns} FROM versions v JOIN datasets d ON d.n = v.dataset
    WHERE v.run = ? AND v.call = ? AND v.dataset = ? AND v.part = ? AND v.digest = ? AND v.removed_at IS NULL ORDER BY v.seq DESC LIMIT 1`
  return found(db.get<VersionRow>(sql, run, call, n, partition, digestColumn(digest)))
}

function isOwnSince(db: Database, n: number, partition: string, parent: number, run: string): boolean {
  const row = db.get<{ all_: number; own: number | null }>(
    `SELECT count(*) AS all_, sum(run IS ?) AS own FROM versions
    WHERE dataset = ? AND part = ? AND version > ? AND removed_at IS NULL`,
    run,
    n,
    partition,
    parent,
  )
  return row !== undefined && row.all_ > 0 && row.all_ === row.own
}

/** Is anything of it there? What was removed with all its versions takes no name. */
function count(db: Database, n: number): void {
  db.run(
    `UPDATE datasets SET live = (source IS NOT NULL)
      + EXISTS (SELECT 1 FROM versions WHERE dataset = datasets.n AND removed_at IS NULL) WHERE n = ?`,
    n,
  )
}

export function readVersion(db: Database, key: DatasetKey, version?: number): DatasetVersion | undefined {
  const { environment, dataset, partition } = key
  const which = version === undefined ? '' : 'AND v.version = ?'
  const sql = `SELECT ${columns} FROM datasets d JOIN versions v ON v.dataset = d.n
    WHERE d.environment = ? AND d.name = ? AND v.part = ? AND v.removed_at IS NULL ${which} ORDER BY v.version DESC LIMIT 1`
  return found(
    db.get<VersionRow>(sql, environment, dataset, partition, ...(version === undefined ? [] : [version])),
  )
}

export function listVersions(
  db: Database,
  { environment, dataset, partition }: DatasetKey,
  { limit, before = Number.MAX_SAFE_INTEGER }: { readonly limit: number; readonly before?: number },
): DatasetVersion[] {
  const sql = `SELECT ${columns} FROM datasets d JOIN versions v ON v.dataset = d.n
    WHERE d.environment = ? AND d.name = ? AND v.part = ? AND v.removed_at IS NULL AND v.version < ?
    ORDER BY v.version DESC LIMIT ?`
  return db.all<VersionRow>(sql, environment, dataset, partition, before, limit).map(versionOf)
}

export function listDatasets(
  db: Database,
  environment: string,
  { limit, after = '' }: { readonly limit: number; readonly after?: string },
): DatasetRow[] {
  const sql = `SELECT n, name, source FROM datasets
    WHERE environment = ? AND live > 0 AND name > ? ORDER BY name LIMIT ?`
  const newestOf = `SELECT ${columns} FROM versions v JOIN datasets d ON d.n = v.dataset
    WHERE v.dataset = ? AND v.removed_at IS NULL ORDER BY v.seq DESC LIMIT 1`
  const rows = db.all<{ n: number; name: string; source: string | null }>(sql, environment, after, limit)
  return rows.map(({ n, name, source }) => {
    const newest = found(db.get<VersionRow>(newestOf, n))
    return {
      dataset: name,
      ...(source !== null && { source: JSON.parse(source) as DatasetSource }),
      ...(newest !== undefined && { newest }),
    }
  })
}

/** Within a transaction. @throws ALM_DATASET_NAME */
export function setSource(db: Database, place: Place, source: DatasetSource | undefined, at: number): void {
  const n = opened(db, place, at)
  db.run('UPDATE datasets SET source = ? WHERE n = ?', optionalJson(source), n)
  count(db, n)
}

export function readSource(db: Database, { environment, dataset }: Place): DatasetSource | undefined {
  const sql = 'SELECT source FROM datasets WHERE environment = ? AND name = ?'
  const text = db.get<{ source: string | null }>(sql, environment, dataset)?.source
  return text == null ? undefined : (JSON.parse(text) as DatasetSource)
}

/** Within a transaction. Rows stay, so that numbers are not given again and what was there can be told. */
export function removeVersions(
  db: Database,
  key: DatasetKey,
  versions: readonly number[] | undefined,
  at: number,
): number {
  const n = numberOf(db, key)
  if (n === undefined) return 0
  let removed = 0
  if (versions === undefined) {
    removed = db.run('UPDATE versions SET removed_at = ? WHERE dataset = ? AND removed_at IS NULL', at, n)
    db.run('UPDATE datasets SET source = NULL WHERE n = ?', n)
  } else {
    const sql = `UPDATE versions SET removed_at = ?
      WHERE dataset = ? AND part = ? AND version = ? AND removed_at IS NULL`
    for (const version of versions) removed += db.run(sql, at, n, key.partition, version)
  }
  count(db, n)
  return removed
}
