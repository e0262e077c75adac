import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { RunId } from '../../model/records.ts'
import { isBusy, isMoved } from './failures.ts'

/** A path can be taken away this often between opening and locking before something else is wrong. */
const tries = 20

/**
 * Locks on `<home>/locks/<run>.lock`, which the kernel frees when this process dies. Node cannot lock files, SQLite can:
 * each lock is an empty database with an exclusive transaction that never ends.
 *
 * K1 at most one process holds a run's lock: whoever locks a file checks that it still is the one at its path.
 * K2 a lock's file is removed while it is locked, so nobody is left with one that others no longer see.
 * K3 nothing here opens a lock's file but SQLite: closing any other handle of it would free the lock (POSIX).
 */
export class Claims {
  readonly #folder: string
  readonly #held = new Map<RunId, DatabaseSync>()

  constructor(home: string) {
    this.#folder = join(home, 'locks')
  }

  /** Takes the lock, or says that another holds it. */
  take(run: RunId): boolean {
    mkdirSync(this.#folder, { recursive: true })
    for (let i = 0; i < tries; i++) {
      const held = lock(this.#path(run))
      if (held === 'busy') return false
      if (held === 'moved') continue
      this.#held.set(run, held)
      return true
    }
    return false
  }

  release(run: RunId): void {
    const held = this.#held.get(run)
    if (held === undefined) return
    this.#held.delete(run)
    rmSync(this.#path(run), { force: true })
    held.exec('ROLLBACK')
    held.close()
  }

  releaseAll(): void {
    for (const run of [...this.#held.keys()]) this.release(run)
  }

  #path(run: RunId): string {
    return join(this.#folder, `${run}.lock`)
  }
}

function lock(path: string): DatabaseSync | 'busy' | 'moved' {
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    db.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; BEGIN EXCLUSIVE')
    // the first write makes SQLite compare the path with the file it has open
    db.exec('PRAGMA user_version = 1')
    return db
  } catch (error) {
    db.close()
    if (isBusy(error)) return 'busy'
    if (isMoved(error)) return 'moved'
    throw error
  }
}
