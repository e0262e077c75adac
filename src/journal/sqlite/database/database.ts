import { closeSync, fsyncSync, openSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { SQLInputValue, StatementSync } from 'node:sqlite'
import { DatabaseSync } from 'node:sqlite'
import { AlmanacError } from '../../../model/errors.ts'
import { isBusy, journalFailure } from './failures.ts'
import { refuseNetwork } from './file-system.ts'
import { pagesInLog } from './log-pages.ts'
import { makeFolders } from './make-folders.ts'
import { applicationId, migrate, migrations } from './migrations.ts'

/** How long another process may keep this one from writing. */
const patienceMs = 60_000

/** A writer that never rests would starve those that ask for the lock only now and then: it pauses as often as this. */
const turnMs = 30
const pauseMs = 1.2

/** Fewer are soon used again. */
const leastFreePages = 1024
/** To write more anew would take longer than another process waits: there free pages stay until they are used. */
const mostUsedPages = 2 ** 18

export interface DatabaseOptions {
  /** as if the disk were full when the database has so many pages of 4 KiB */
  readonly maxPages?: number | undefined
}

/**
 * One connection to `<home>/journal.db`: WAL, every commit synced.
 *
 * D1 a transaction is begun with the write lock, so it cannot fail half-way for another writer.
 * D2 within a minute nobody is told that the database is busy.
 * D3 a file that was removed or replaced while it is open is written no more: nobody would ever read that.
 * D4 once a newer Almanac has changed the database's shape, this one writes no more.
 */
export class Database {
  readonly path: string
  readonly isReadOnly: boolean
  readonly #db: DatabaseSync
  /** folder of a copy that is read in its place */
  readonly #copy: string | undefined
  readonly #statements = new Map<string, StatementSync>()
  readonly #inode: number
  #turnBegan = 0
  #turnEnded = 0

  constructor(path: string, db: DatabaseSync, reads?: { readonly copy: string | undefined }) {
    this.path = path
    this.#db = db
    this.isReadOnly = reads !== undefined
    this.#copy = reads?.copy
    this.#inode = statSync(path).ino
  }

  /** A prepared statement, made once for each text. */
  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.prepare(sql).all(...values) as unknown as Row[]
  }

  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.prepare(sql).get(...values) as unknown as Row | undefined
  }

  /** Returns how many rows were changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.prepare(sql).run(...values).changes)
  }

  transaction<T>(work: () => T): T {
    this.#rest()
    if (statSync(this.path, { throwIfNoEntry: false })?.ino !== this.#inode) {
      throw new AlmanacError('ALM_JOURNAL_FAILED', {
        path: this.path,
        why: 'it was removed or replaced while in use',
      })
    }
    patiently(() => this.#db.exec('BEGIN IMMEDIATE'))
    try {
      refuseNewer(this.prepare('PRAGMA user_version').get() as { user_version: number }, this.path)
      const result = work()
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      // SQLite has rolled back by itself where the disk was the cause
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    } finally {
      this.#turnEnded = performance.now()
    }
  }

  /** All that is read in it is of one state, whatever others write meanwhile. */
  reading<T>(work: () => T): T {
    this.#db.exec('BEGIN')
    try {
      return work()
    } finally {
      if (this.#db.isTransaction) this.#db.exec('COMMIT')
    }
  }

  /** One that a loss of power may take back, and which costs no sync: of what means nothing after that. */
  quickTransaction<T>(work: () => T): T {
    this.#db.exec('PRAGMA synchronous = NORMAL')
    try {
      return this.transaction(work)
    } finally {
      this.#db.exec('PRAGMA synchronous = FULL')
    }
  }

  /** Where more than a quarter of the file is free, it is written anew without: in one step, as all that is committed. */
  vacuum(): void {
    const { free } = this.get<{ free: number }>(
      'SELECT freelist_count AS free FROM pragma_freelist_count',
    ) ?? { free: 0 }
    const { pages } = this.get<{ pages: number }>('SELECT page_count AS pages FROM pragma_page_count') ?? {
      pages: 0,
    }
    if (free * 4 < pages || free < leastFreePages || pages - free > mostUsedPages) return
    patiently(() => this.#db.exec('VACUUM'))
  }

  close(): void {
    this.#db.close()
    if (this.#copy !== undefined) rmSync(this.#copy, { recursive: true, force: true })
  }

  #rest(): void {
    const now = performance.now()
    if (now - this.#turnEnded > pauseMs) this.#turnBegan = now
    if (now - this.#turnBegan < turnMs) return
    wait(pauseMs)
    this.#turnBegan = performance.now()
  }
}

/** Again and again while another connection is in the way. */
export function patiently<T>(work: () => T): T {
  const until = performance.now() + patienceMs
  while (true) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error
    }
  }
}

const cell = new Int32Array(new SharedArrayBuffer(4))
/** The thread sleeps. */
export const wait = (ms: number): void => {
  Atomics.wait(cell, 0, 0, ms)
}

/** @throws ALM_JOURNAL_NEWER, ALM_JOURNAL_DAMAGED, ALM_JOURNAL_NETWORK, ALM_JOURNAL_READ_ONLY, ALM_JOURNAL_FULL */
export function openDatabase(home: string, options: DatabaseOptions = {}): Database {
  const path = join(home, 'journal.db')
  let db: DatabaseSync | undefined
  try {
    makeFolder(home)
    refuseNetwork(home)
    db = new DatabaseSync(path, { timeout: 5000 })
    prepareConnection(db, path, options)
    return new Database(path, db)
  } catch (error) {
    db?.close()
    throw journalFailure(error, path)
  }
}

function makeFolder(home: string): void {
  const made = makeFolders(join(home, 'locks'))
  if (made === undefined) return
  // the way to the new folder survives a power loss, as what is in it does
  for (let folder = join(home, 'locks'); folder.length >= dirname(made).length; folder = dirname(folder)) {
    const handle = openSync(folder, 'r')
    fsyncSync(handle)
    closeSync(handle)
    if (folder === dirname(folder)) break
  }
}

/** @throws ALM_JOURNAL_NEWER, ALM_JOURNAL_DAMAGED, and what SQLite says */
export function prepareConnection(db: DatabaseSync, path: string, { maxPages }: DatabaseOptions): void {
  refuseForeign(db, path)
  const [mode] = patiently(() => db.prepare('PRAGMA journal_mode = WAL').all()) as { journal_mode: string }[]
  if (mode?.journal_mode !== 'wal') {
    throw new AlmanacError('ALM_JOURNAL_FAILED', {
      path,
      why: `it cannot use a write-ahead log (${mode?.journal_mode})`,
    })
  }
  db.exec('PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON')
  db.exec(
    'PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864',
  )
  if (maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${maxPages}`)
  const { user_version: found } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  if (found < migrations.length) {
    patiently(() => db.exec('BEGIN IMMEDIATE'))
    // another process may have come first: `migrate` looks again
    migrate(db)
    db.exec('COMMIT')
  }
  refuseTorn(db, path)
  // polled by `patiently` from here on: SQLite's own waits are too long to meet the pauses of a busy writer
  db.exec('PRAGMA busy_timeout = 1')
}

/** @throws ALM_JOURNAL_NEWER, and ALM_JOURNAL_DAMAGED for a database of something else */
function refuseForeign(db: DatabaseSync, path: string): void {
  const { application_id: id } = db.prepare('PRAGMA application_id').get() as { application_id: number }
  const { tables } = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number }
  if (tables > 0 && id !== applicationId) {
    throw new AlmanacError('ALM_JOURNAL_DAMAGED', {
      path,
      why: 'it is a database, but no journal of Almanac',
    })
  }
  refuseNewer(db.prepare('PRAGMA user_version').get() as { user_version: number }, path)
}

function refuseNewer({ user_version: found }: { user_version: number }, path: string): void {
  const known = migrations.length
  if (found > known) throw new AlmanacError('ALM_JOURNAL_NEWER', { path, found, known })
}

/** A file that lacks pages has them in its log as long as it is written; else all of it is looked at, which takes long. */
function refuseTorn(db: DatabaseSync, path: string): void {
  const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number }
  const { page_size: size } = db.prepare('PRAGMA page_size').get() as { page_size: number }
  const there = Math.floor(statSync(path).size / size)
  if (there >= pages || pagesInLog(`${path}-wal`, size, there) >= pages - there) return
  const [first] = problems(db)
  if (first !== undefined) throw new AlmanacError('ALM_JOURNAL_DAMAGED', { path, why: first })
}

/** What SQLite finds wrong with the whole file; it reads all of it. */
export function problems(db: Pick<DatabaseSync, 'prepare'>): string[] {
  try {
    const rows = db.prepare('PRAGMA quick_check(100)').all() as { quick_check: string }[]
    return rows.map((row) => row.quick_check).filter((line) => line !== 'ok')
  } catch (error) {
    // so much is overwritten that it cannot even be looked through
    const failure = journalFailure(error, 'journal.db')
    if (failure.code === 'ALM_JOURNAL_DAMAGED') return [failure.message]
    throw error
  }
}
