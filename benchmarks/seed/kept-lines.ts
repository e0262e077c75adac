import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Cell } from './cell.ts'
import { isFailure } from './measure.ts'
import type { Line } from './table.ts'

/**
 * JSON lines in a file: what it has of a cell and an engine already is not measured again, so that a grid can go on. What
 * failed is, and the later line counts.
 */
export class KeptLines {
  readonly #path: string | undefined
  readonly #lines = new Map<string, Line>()

  /** Without a path nothing is kept. */
  constructor(path: string | undefined) {
    this.#path = path
    if (path === undefined || !existsSync(path)) return
    const text = readFileSync(path, 'utf8')
    // the last line may have been cut off
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    if (whole !== text) writeFileSync(path, whole)
    for (const line of whole.split('\n').slice(0, -1)) this.#take(JSON.parse(line) as Line)
  }

  /** What was there and what was added, in the order in which each was first measured. */
  get all(): readonly Line[] {
    return [...this.#lines.values()]
  }

  has(engine: string, cell: Cell): boolean {
    const line = this.#lines.get(nameOf(engine, cell))
    return line !== undefined && !isFailure(line.stopped ?? '')
  }

  add(line: Line): void {
    this.#take(line)
    const text = JSON.stringify(line)
    console.log(text)
    if (this.#path !== undefined) appendFileSync(this.#path, `${text}\n`)
  }

  #take(line: Line): void {
    this.#lines.set(nameOf(line.engine, line), line)
  }
}

const nameOf = (engine: string, { n, sleepMean, sleepSpread, sizeMb, parallel }: Cell): string =>
  JSON.stringify([engine, n, sleepMean, sleepSpread, sizeMb, parallel])
