import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Claims } from './claims.ts'
import type { Database } from './database.ts'

/** Locks of holders are told from those of runs by this: no run's id begins so. */
const prefix = '~work-'

/**
 * This process, as rows name it that mean something only while it lives: what it executes, what it holds of limits.
 * A row costs no file and no sync; the lock, one for each process, tells whether it still means anything.
 *
 * H1 the lock is taken before the first row is written, and both within write transactions.
 * H2 rows of a holder whose lock is free are as none, and are removed by whoever finds them: a process that ends need
 *    not clean up.
 */
export class Holder {
  readonly name = `${prefix}${crypto.randomUUID()}`
  readonly #db: Database
  readonly #claims: Claims
  readonly #folder: string

  constructor(db: Database, claims: Claims, home: string) {
    this.#db = db
    this.#claims = claims
    this.#folder = join(home, 'locks')
  }

  begin(): void {
    if (!this.#claims.held.includes(this.name)) this.#claims.take(this.name)
  }

  isAlive(holder: string): boolean {
    if (holder === this.name) return true
    if (!this.#claims.take(holder)) return true
    this.#db.run('DELETE FROM work WHERE holder = ?', holder)
    this.#db.run('DELETE FROM admissions WHERE holder = ?', holder)
    this.#claims.release(holder)
    return false
  }

  /** What processes left that are gone. */
  sweep(): void {
    const left = readdirSync(this.#folder).filter((name) => name.startsWith(prefix))
    if (left.length === 0 || this.#db.isReadOnly) return
    this.#db.quickTransaction(() => {
      for (const name of left) this.isAlive(name.replace(/\.lock$/, ''))
    })
  }
}
