import type { CallKind } from '../../../model/records.ts'
import type { Database } from '../database/database.ts'

export interface CallName {
  readonly n: number
  readonly name: string
  readonly kind: CallKind
}

/**
 * Names and kinds of calls by number: a run of a million calls has a few of them.
 *
 * N1 after a rollback `clear` drops numbers that the database never kept.
 */
export class Names {
  readonly #db: Database
  readonly #byKind = new Map<CallKind, Map<string, CallName>>()
  readonly #byNumber = new Map<number, CallName>()

  constructor(db: Database) {
    this.#db = db
  }

  /** Adds it if it is new: only within a transaction. */
  of(name: string, kind: CallKind): CallName {
    const known = this.#byKind.get(kind)?.get(name)
    return known ?? this.#remember(this.#find(name, kind) ?? this.#add(name, kind))
  }

  at(n: number): CallName {
    const known = this.#byNumber.get(n)
    if (known !== undefined) return known
    const row = this.#db.get<CallName>('SELECT n, name, kind FROM names WHERE n = ?', n) as CallName
    return this.#remember(row)
  }

  clear(): void {
    this.#byKind.clear()
    this.#byNumber.clear()
  }

  #find(name: string, kind: string): CallName | undefined {
    return this.#db.get<CallName>('SELECT n, name, kind FROM names WHERE name = ? AND kind = ?', name, kind)
  }

  #add(name: string, kind: CallKind): CallName {
    const { lastInsertRowid } = this.#db
      .prepare('INSERT INTO names (name, kind) VALUES (?, ?)')
      .run(name, kind)
    return { n: Number(lastInsertRowid), name, kind }
  }

  #remember(name: CallName): CallName {
    const ofKind = this.#byKind.get(name.kind) ?? new Map<string, CallName>()
    this.#byKind.set(name.kind, ofKind.set(name.name, name))
    this.#byNumber.set(name.n, name)
    return name
  }
}
