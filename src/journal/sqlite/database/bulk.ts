import type { SQLInputValue } from 'node:sqlite'
import type { Database } from './database.ts'

/** Rows a statement: the cost of a row falls by a third up to here, and no further. */
const rowsAtOnce = 8

/**
 * Inserts of many rows into one table, several rows a statement.
 *
 * B1 rows are inserted in the order they came, at the latest by `flush`.
 * B2 after a rollback `clear` drops those that wait.
 * B3 after `flush` nothing of a row is kept: its texts may be parts of much longer ones.
 */
export class Bulk {
  readonly #db: Database
  readonly #width: number
  readonly #one: string
  readonly #many: string
  /** of the rows that wait, as many as a statement takes: one list for all statements */
  readonly #values: SQLInputValue[]
  #count = 0

  /** `insert`: `INSERT INTO t (a, b)`; `tail`: what follows the values */
  constructor(db: Database, insert: string, width: number, tail = '') {
    const row = `(${Array(width).fill('?').join(', ')})`
    this.#db = db
    this.#width = width
    this.#values = Array(width * rowsAtOnce).fill(null)
    this.#one = `${insert} VALUES ${row}${tail}`
    this.#many = `${insert} VALUES ${Array(rowsAtOnce).fill(row).join(', ')}${tail}`
  }

  add(...row: SQLInputValue[]): void {
    for (const value of row) this.#values[this.#count++] = value
    if (this.#count < this.#values.length) return
    this.#count = 0
    this.#db.prepare(this.#many).run(...this.#values)
  }

  flush(): void {
    const count = this.#count
    this.#count = 0
    for (let at = 0; at < count; at += this.#width) {
      this.#db.prepare(this.#one).run(...this.#values.slice(at, at + this.#width))
    }
    this.#values.fill(null)
  }

  clear(): void {
    this.#count = 0
    this.#values.fill(null)
  }
}
