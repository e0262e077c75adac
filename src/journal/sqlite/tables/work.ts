import type { Digest } from '../../../model/refs.ts'
import type { WorkUnderWay } from '../../../ports/journal.ts'
import type { Database } from '../database/database.ts'
import type { Holder } from '../database/holder.ts'
import { digestColumn, digestText } from '../database/rows.ts'

/** What this process executes and others must not: rows of `work`, that hold as long as their holder lives. */
export class Work {
  readonly #db: Database
  readonly #holder: Holder

  constructor(db: Database, holder: Holder) {
    this.#db = db
    this.#holder = holder
  }

  take(wanted: readonly WorkUnderWay[]): WorkUnderWay[] {
    return this.#db.quickTransaction(() => {
      this.#holder.begin()
      const refused: WorkUnderWay[] = []
      for (const one of wanted) {
        const other = this.#holderOf(one.fingerprint)
        if (other !== undefined && this.#holder.isAlive(other.holder)) {
          const { holder: _, ...held } = other
          refused.push({ fingerprint: one.fingerprint, ...held })
        } else {
          this.#db.run(
            'INSERT OR REPLACE INTO work (fingerprint, holder, run, call) VALUES (?, ?, ?, ?)',
            digestColumn(one.fingerprint),
            this.#holder.name,
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
          this.#holder.name,
        )
    })
  }

  others(): WorkUnderWay[] {
    const sql = `SELECT ${digestText('fingerprint')} AS fingerprint, holder, run, call FROM work WHERE holder <> ?`
    const rows = this.#db.all<WorkUnderWay & { readonly holder: string }>(sql, this.#holder.name)
    if (rows.length === 0) return []
    const gone = this.#db.quickTransaction(
      () =>
        new Set(
          [...new Set(rows.map(({ holder }) => holder))].filter((holder) => !this.#holder.isAlive(holder)),
        ),
    )
    return rows
      .filter(({ holder }) => !gone.has(holder))
      .map(({ fingerprint, run, call }) => ({ fingerprint, run, call }))
  }

  #holderOf(fingerprint: Digest) {
    return this.#db.get<{ holder: string; run: string; call: number }>(
      'SELECT holder, run, call FROM work WHERE fingerprint = ?',
      digestColumn(fingerprint),
    )
  }
}

/** An entry is recorded: whoever waits finds it. */
export function endWork(db: Database, fingerprint: Digest): void {
  db.run('DELETE FROM work WHERE fingerprint = ?', digestColumn(fingerprint))
}
