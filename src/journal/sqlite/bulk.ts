import type { SQLInputValue } from 'node:sqlite'
import type { Database } from './database.ts'

/** Rows a statement: the cost of a row falls by a third up to here, and no further. */
const rowsAtOnce = 8

/**
 * Inserts of many rows into one table, several rows a statement.
 *
 * B1 rows are inserted in the order they came, at the latest by `flush`.
 * B2 after a rollback `clear` drops those that wait.
 */
export class Bulk {
  readonly #db: Database
  readonly #width: number
  readonly #one: string
  readonly #many: string
  #values: SQLInputValue[] = []

  /** `insert`: `INSERT INTO t (a, b)`; `tail`: what follows the values */
  constructor(db: Database, insert: string, width: number, tail = '') {
    const row = `(${Array(width).fill('?').join(', ')})`
    this.#db = db
    this.#width = width
    this.#one = `${insert} VALUES ${row}${tail}`
    this.#many = `${insert} VALUES ${Array(rowsAtOnce).fill(row).join(', ')}${tail}`
  }

  add(...row: SQLInputValue[]): void {
    for (const value of row) this.#values.push(value)
    if (this.#values.length < this.#width * rowsAtOnce) return
    const values = this.#values
    this.#values = []
    this.#db.prepare(this.#many).run(...values)
  }

  flush(): void {
    const values = this.#values
    this.#values = []
    for (let at = 0; at < values.length; at += this.#width) {
      this.#db.prepare(this.#one).run(...values.slice(at, at + this.#width))
    }
  }

  clear(): void {
    this.#values = []
  }
}
