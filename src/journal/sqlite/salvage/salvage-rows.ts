import type { DatabaseSync, SQLInputValue } from 'node:sqlite'

type Row = Record<string, SQLInputValue>

/** Rows read at once. */
const stretch = 500
/** No row is looked for beyond: row ids are exact as doubles. */
const farthest = 2 ** 53

/**
 * Copies what can be read of a table, row by row by its number: where a page is damaged it looks on behind it, in steps
 * that double, and comes back until it meets the damage from the other side. Gives how many rows were copied, and
 * whether there was a place that could not be read.
 */
export function salvageTable(
  from: DatabaseSync,
  to: DatabaseSync,
  table: string,
): { readonly rows: number; readonly damaged: boolean } {
  const columns = columnsOf(from, table).filter((name) => columnsOf(to, table).includes(name))
  if (columns.length === 0) return { rows: 0, damaged: true }
  const names = columns.map((name) => `"${name}"`).join(', ')
  if (!hasRowIds(to, table)) return copyStraight(from, to, table, names)
  const insert = to.prepare(
    `INSERT OR REPLACE INTO "${table}" (rowid, ${names}) VALUES (?, ${columns.map(() => '?').join(', ')})`,
  )
  const forward = from.prepare(
    `SELECT rowid AS _row, ${names} FROM "${table}" WHERE rowid > ? ORDER BY rowid LIMIT ?`,
  )
  const back = from.prepare(
    `SELECT rowid AS _row, ${names} FROM "${table}" WHERE rowid < ? AND rowid > ? ORDER BY rowid DESC LIMIT 1`,
  )
  let rows = 0
  const keep = (found: readonly Row[]): void => {
    for (const row of found) {
      try {
        insert.run(row['_row'] ?? null, ...columns.map((name) => row[name] ?? null))
        rows++
      } catch {
        // what contradicts the table's own rules was no row
        damaged = true
      }
    }
  }
  let damaged = false
  let after = -1
  let step = 0
  for (let limit = stretch; after < farthest; ) {
    const all = read(() => forward.all(after, limit))
    // a damaged page may lead back to where one was
    const found = all?.some((row) => !(Number(row['_row']) > after)) === true ? undefined : all
    if (found === undefined) {
      damaged = true
      if (limit > 1) limit = 1
      else {
        step = step === 0 ? 1 : step * 2
        after += step
      }
      continue
    }
    const [first] = found
    if (first === undefined) break
    keep(found)
    if (step > 0) comeBack(back, Number(first['_row']), after - step, keep)
    step = 0
    after = Number(found.at(-1)?.['_row'])
    limit = damaged ? Math.min(stretch, limit * 2) : stretch
  }
  return { rows, damaged }
}

function comeBack(
  back: ReturnType<DatabaseSync['prepare']>,
  from: number,
  until: number,
  keep: (found: readonly Row[]) => void,
): void {
  for (let before = from; ; ) {
    const found = read(() => back.all(before, until))
    const [row] = found ?? []
    if (row === undefined || !(Number(row['_row']) < before)) return
    keep([row])
    before = Number(row['_row'])
  }
}

/** A table without row ids is small: what comes before the damage is taken. */
function copyStraight(
  from: DatabaseSync,
  to: DatabaseSync,
  table: string,
  names: string,
): { readonly rows: number; readonly damaged: boolean } {
  let rows = 0
  try {
    for (const row of from.prepare(`SELECT ${names} FROM "${table}"`).iterate() as Iterable<Row>) {
      const values = Object.values(row)
      to.prepare(
        `INSERT OR REPLACE INTO "${table}" (${names}) VALUES (${values.map(() => '?').join(', ')})`,
      ).run(...values)
      rows++
    }
    return { rows, damaged: false }
  } catch {
    return { rows, damaged: true }
  }
}

const hasRowIds = (db: DatabaseSync, table: string): boolean =>
  read(() => db.prepare(`SELECT rowid FROM "${table}" LIMIT 1`).all()) !== undefined

function columnsOf(db: DatabaseSync, table: string): string[] {
  return (read(() => db.prepare(`PRAGMA table_info("${table}")`).all()) ?? []).map((row) =>
    String(row['name']),
  )
}

function read(rows: () => unknown[]): Row[] | undefined {
  try {
    return rows() as Row[]
  } catch {
    return undefined
  }
}
