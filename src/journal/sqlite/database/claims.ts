import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { RunId } from '../../../model/records.ts'
import { wait } from './database.ts'
import { isBusy } from './failures.ts'

/** Who only looks at a lock is gone in far less; where its process stands still, it is not waited for. */
const lookMs = 5000

const ending = '.lock'

/**
 * Locks on `<home>/locks/<run>.lock`, which the kernel frees when this process dies. Node cannot lock files, SQLite can:
 * each lock is an empty database with an exclusive transaction that never ends.
 *
 * K1 `take` and `release` are called within a write transaction of the journal: no process opens a lock's file while
 *    another removes it, so nobody is left with the lock of a file that others no longer see. But whoever may not write
 *    looks at any time: it has its share of the lock for a moment then, and is not taken for one that has it.
 * K2 nothing here opens a lock's file but SQLite: closing any other handle of it would free the lock (POSIX).
 */
export class Claims {
  readonly #folder: string
  readonly #held = new Map<RunId, DatabaseSync>()

  constructor(home: string) {
    this.#folder = join(home, 'locks')
  }

  /** Takes the lock, or says that another has it: another process, or this one. */
  take(run: RunId): boolean {
    mkdirSync(this.#folder, { recursive: true })
    const path = this.#path(run)
    const until = performance.now() + lookMs
    let held = lock(path)
    for (; held === undefined && !isLocked(path) && performance.now() < until; held = lock(path)) wait(1)
    if (held === undefined) return false
    this.#held.set(run, held)
    return true
  }

  /** Has a living process the lock? Within a write transaction, where others could take it meanwhile (K1). */
  isTaken(run: RunId): boolean {
    if (this.#held.has(run)) return true
    return existsSync(this.#path(run)) && isLocked(this.#path(run))
  }

  /** One of those that living processes have, this one among them; as `isTaken`. */
  someTaken(): RunId | undefined {
    const names = existsSync(this.#folder) ? readdirSync(this.#folder) : []
    return names
      .filter((name) => name.endsWith(ending))
      .map((name) => name.slice(0, -ending.length))
      .find((run) => this.isTaken(run))
  }

  /** Gives the lock back, and removes its file; on a disk that is read only by now it stays for the next one. */
  release(run: RunId): void {
    if (!this.#held.has(run)) return
    this.drop(run)
    try {
      rmSync(this.#path(run), { force: true })
    } catch {
      // the lock is given back all the same, and whoever writes next says what is wrong with the disk
    }
  }

  /** Gives the lock back, where no transaction can be had. Its file stays for the next one. */
  drop(run: RunId): void {
    this.#held.get(run)?.close()
    this.#held.delete(run)
  }

  get held(): readonly RunId[] {
    return [...this.#held.keys()]
  }

  #path(run: RunId): string {
    return join(this.#folder, run + ending)
  }
}

/** Has anybody the lock for good? Those who look do not keep each other out. */
function isLocked(path: string): boolean {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 0 })
  try {
    db.prepare('SELECT count(*) FROM sqlite_schema').get()
    return false
  } catch (error) {
    if (isBusy(error)) return true
    throw error
  } finally {
    db.close()
  }
}

function lock(path: string): DatabaseSync | undefined {
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    // nothing is ever written: without a journal of its own there is but one file
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return db
  } catch (error) {
    db.close()
    if (isBusy(error)) return undefined
    throw error
  }
}
