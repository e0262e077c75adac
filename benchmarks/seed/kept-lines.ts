import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Cell } from './cell.ts'
import type { Line } from './table.ts'

/** JSON lines in a file: what it has of a cell and an engine already is not measured again, so that a grid can go on. */
export class KeptLines {
  readonly #path: string | undefined
  readonly #known = new Set<string>()
  /** what was there and what was added, in this order */
  readonly all: Line[] = []

  /** Without a path nothing is kept. */
  constructor(path: string | undefined) {
    this.#path = path
    if (path === undefined || !existsSync(path)) return
    const text = readFileSync(path, 'utf8')
    // the last line may have been cut off
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    if (whole !== text) writeFileSync(path, whole)
    for (const line of whole.split('\n').slice(0, -1)) {
      const one = JSON.parse(line) as Line
      this.all.push(one)
      this.#known.add(nameOf(one.engine, one))
    }
  }

  has(engine: string, cell: Cell): boolean {
    return this.#known.has(nameOf(engine, cell))
  }

  add(line: Line): void {
    this.all.push(line)
    const text = JSON.stringify(line)
    console.log(text)
    if (this.#path !== undefined) appendFileSync(this.#path, `${text}\n`)
  }
}

const nameOf = (engine: string, { n, sleepMean, sleepSpread, sizeMb, parallel }: Cell): string =>
  JSON.stringify([engine, n, sleepMean, sleepSpread, sizeMb, parallel])
