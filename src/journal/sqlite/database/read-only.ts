import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { AlmanacError } from '../../../model/errors.ts'
import { Database, prepareConnection } from './database.ts'
import { journalFailure } from './failures.ts'
import { migrations } from './migrations.ts'

/**
 * A journal where nothing can be written: another user's, or on a disk that is read only or full.
 *
 * SQLite reads a write-ahead log only beside its index, which it would have to make: if there is one it is used; if
 * there is no log, the file alone is the journal; else, and where an older version has to be migrated, a copy is read.
 *
 * @throws ALM_JOURNAL_READ_ONLY where there is none, ALM_JOURNAL_NEWER, ALM_JOURNAL_DAMAGED
 */
export function openReadOnly(home: string): Database {
  const path = join(home, 'journal.db')
  if (!existsSync(path)) throw new AlmanacError('ALM_JOURNAL_READ_ONLY', { path, why: 'there is none yet' })
  try {
    return inPlace(path, path) ?? (hasLog(path) ? undefined : inPlace(path, unchanging(path))) ?? copied(path)
  } catch (error) {
    throw journalFailure(error, path)
  }
}

const hasLog = (path: string): boolean => (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0

/** The file as one that nobody changes: SQLite makes nothing beside it. */
function unchanging(path: string): URL {
  const url = pathToFileURL(path)
  url.searchParams.set('immutable', '1')
  return url
}

function inPlace(path: string, place: string | URL): Database | undefined {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(place, { readOnly: true, timeout: 1000 })
    const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
    db.prepare('SELECT count(*) FROM runs').get()
    if (version === migrations.length) return new Database(path, db, { copy: undefined })
  } catch {
    // whatever it is, the copy shows it too, and says it
  }
  db?.close()
  return undefined
}

function copied(path: string): Database {
  const copy = mkdtempSync(join(tmpdir(), 'almanac-journal-'))
  let db: DatabaseSync | undefined
  try {
    const file = join(copy, 'journal.db')
    for (const end of ['', '-wal']) if (existsSync(path + end)) copyFileSync(path + end, file + end)
    db = new DatabaseSync(file, { timeout: 1000 })
    prepareConnection(db, path, {})
    db.exec('PRAGMA query_only = ON')
    return new Database(path, db, { copy })
  } catch (error) {
    db?.close()
    rmSync(copy, { recursive: true, force: true })
    throw error
  }
}
