import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest } from '../../model/refs.ts'
import type { WorkUnderWay } from '../../ports/journal.ts'
import type { Claims } from './claims.ts'
import type { Database } from './database.ts'
import { digestColumn, digestText } from './rows.ts'

/** Locks of holders are told from those of runs by this: no run's id begins so. */
const prefix = '~work-'

/**
 * What this process executes and others must not: rows of `work`, that hold as long as the lock of their holder is
 * held. A row costs no file and no sync; the lock, one for each process, tells whether it still means anything.
 *
 * H1 the lock is taken before the first row is written, and both within write transactions.
 * H2 rows of a holder whose lock is free are as none, and are removed by whoever finds them: a process that ends need
 *    not clean up.
 */
export class Work {
  readonly #db: Database
  readonly #claims: Claims
  readonly #folder: string
  readonly #holder = `${prefix}${crypto.randomUUID()}`

  constructor(db: Database, claims: Claims, home: string) {
    this.#db = db
    this.#claims = claims
    this.#folder = join(home, 'locks')
  }

  take(wanted: readonly WorkUnderWay[]): WorkUnderWay[] {
    return this.#db.quickTransaction(() => {
      this.#begin()
      const refused: WorkUnderWay[] = []
      for (const one of wanted) {
        const other = this.#holderOf(one.fingerprint)
        if (other !== undefined && this.#isAlive(other.holder)) {
          const { holder: _, ...held } = other
          refused.push({ fingerprint: one.fingerprint, ...held })
        } else {
          this.#db.run(
            'INSERT OR REPLACE INTO work (fingerprint, holder, run, call) VALUES (?, ?, ?, ?)',
            digestColumn(one.fingerprint),
            this.#holder,
            one.run,
            one.call,
          )
        }
      }
      return refused
    })
  }

  release(fingerprints: readonly Digest[]): void {
    this.#db.quickTransaction(() => {
      for (const fingerprint of fingerprints)
        this.#db.run(
          'DELETE FROM work WHERE fingerprint = ? AND holder = ?',
          digestColumn(fingerprint),
          this.#holder,
        )
    })
  }

  others(): WorkUnderWay[] {
    const sql = `SELECT ${digestText('fingerprint')} AS fingerprint, holder, run, call FROM work WHERE holder <> ?`
    const rows = this.#db.all<WorkUnderWay & { readonly holder: string }>(sql, this.#holder)
    if (rows.length === 0) return []
    const gone = this.#db.quickTransaction(
      () =>
        new Set([...new Set(rows.map(({ holder }) => holder))].filter((holder) => !this.#isAlive(holder))),
    )
    return rows
      .filter(({ holder }) => !gone.has(holder))
      .map(({ fingerprint, run, call }) => ({ fingerprint, run, call }))
  }

  /** What processes left that are gone. */
  sweep(): void {
    const left = readdirSync(this.#folder).filter((name) => name.startsWith(prefix))
    if (left.length === 0 || this.#db.isReadOnly) return
    this.#db.quickTransaction(() => {
      for (const name of left) this.#isAlive(name.replace(/\.lock$/, ''))
    })
  }

  #begin(): void {
    if (!this.#claims.held.includes(this.#holder)) this.#claims.take(this.#holder)
  }

  #holderOf(fingerprint: Digest) {
    return this.#db.get<{ holder: string; run: string; call: number }>(
      'SELECT holder, run, call FROM work WHERE fingerprint = ?',
      digestColumn(fingerprint),
    )
  }

  #isAlive(holder: string): boolean {
    if (holder === this.#holder) return true
    if (!this.#claims.take(holder)) return true
    this.#forget(holder)
    this.#claims.release(holder)
    return false
  }

  #forget(holder: string): void {
    this.#db.run('DELETE FROM work WHERE holder = ?', holder)
  }
}

/** An entry is recorded: whoever waits finds it. */
export function endWork(db: Database, fingerprint: Digest): void {
  db.run('DELETE FROM work WHERE fingerprint = ?', digestColumn(fingerprint))
}
