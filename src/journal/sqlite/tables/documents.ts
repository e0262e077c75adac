import type { DocumentKey, DocumentVersion } from '../../../model/document.ts'
import { keptVersions } from '../../../model/document.ts'
import type { RunId } from '../../../model/records.ts'
import type { DocumentWrite } from '../../../ports/documents.ts'
import { documentThere } from '../../document-rules.ts'
import type { Database } from '../database/database.ts'
import { digestColumn } from '../database/rows.ts'

const columns = 'environment, scope, name, version, json, run, call, maker, made_at AS madeAt'

type Row = Omit<DocumentVersion, 'run' | 'call'> & {
  readonly run: string | null
  readonly call: number | null
}

const versionOf = ({ run, call, ...row }: Row): DocumentVersion => ({
  ...row,
  ...(run !== null && { run }),
  ...(call !== null && { call }),
})

/** Within a transaction. @throws ALM_CONTEXT_MOVED */
export function writeDocument(db: Database, write: DocumentWrite): DocumentVersion {
  const { environment, scope, name, run, call, fingerprint } = write
  const newest = readDocument(db, write)
  const there = documentThere(write, {
    newest,
    own: run === undefined ? undefined : writtenBy(db, write),
    isOwnSince: run !== undefined && isOwnSince(db, write, write.seen ?? newest?.version ?? 0, run),
  })
  if (there !== undefined) return there
  const version = (newest?.version ?? 0) + 1
  db.run(
    `INSERT INTO documents (environment, scope, name, version, json, run, call, fingerprint, maker, made_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    environment,
    scope,
    name,
    version,
    write.json,
    run ?? null,
    call ?? null,
    fingerprint === undefined ? null : digestColumn(fingerprint),
    write.maker,
    write.madeAt,
  )
  db.run(
    'DELETE FROM documents WHERE environment = ? AND scope = ? AND name = ? AND version <= ?',
    environment,
    scope,
    name,
    version - keptVersions,
  )
  return readDocument(db, write, version) as DocumentVersion
}

function writtenBy(db: Database, write: DocumentWrite): DocumentVersion | undefined {
  const { environment, scope, name, run = '', call = -1, fingerprint } = write
  const sql = `SELECT ${columns} FROM documents WHERE run = ? AND call = ? AND fingerprint IS ?
    AND environment = ? AND scope = ? AND name = ? ORDER BY version DESC LIMIT 1`
  const digest = fingerprint === undefined ? null : digestColumn(fingerprint)
  const row = db.get<Row>(sql, run, call, digest, environment, scope, name)
  return row && versionOf(row)
}

function isOwnSince(db: Database, key: DocumentKey, seen: number, run: RunId): boolean {
  const row = db.get<{ all_: number; own: number | null }>(
    `SELECT count(*) AS all_, sum(run IS ?) AS own FROM documents
    WHERE environment = ? AND scope = ? AND name = ? AND version > ?`,
    run,
    key.environment,
    key.scope,
    key.name,
    seen,
  )
  return row !== undefined && row.all_ > 0 && row.all_ === row.own
}

export function readDocument(
  db: Database,
  { environment, scope, name }: DocumentKey,
  version?: number,
): DocumentVersion | undefined {
  const which = version === undefined ? '' : 'AND version = ?'
  const sql = `SELECT ${columns} FROM documents
    WHERE environment = ? AND scope = ? AND name = ? ${which} ORDER BY version DESC LIMIT 1`
  const row = db.get<Row>(sql, environment, scope, name, ...(version === undefined ? [] : [version]))
  return row && versionOf(row)
}

export function documentVersions(
  db: Database,
  { environment, scope, name }: DocumentKey,
  { limit, before = Number.MAX_SAFE_INTEGER }: { readonly limit: number; readonly before?: number },
): DocumentVersion[] {
  const sql = `SELECT ${columns} FROM documents
    WHERE environment = ? AND scope = ? AND name = ? AND version < ? ORDER BY version DESC LIMIT ?`
  return db.all<Row>(sql, environment, scope, name, before, limit).map(versionOf)
}

export function listDocuments(
  db: Database,
  environment: string,
  {
    limit,
    after = { scope: '', name: '' },
  }: { readonly limit: number; readonly after?: Omit<DocumentKey, 'environment'> },
): DocumentVersion[] {
  const sql = `SELECT scope, name FROM documents WHERE environment = ? AND (scope, name) > (?, ?)
    GROUP BY scope, name ORDER BY scope, name LIMIT ?`
  const keys = db.all<{ scope: string; name: string }>(sql, environment, after.scope, after.name, limit)
  return keys.map((key) => readDocument(db, { environment, ...key }) as DocumentVersion)
}

/** Its own documents go with a run. */
export function removeDocuments(db: Database, run: RunId): void {
  db.run('DELETE FROM documents WHERE scope = ?', `run:${run}`)
}
