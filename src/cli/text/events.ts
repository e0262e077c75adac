import pc from 'picocolors'
import { decode } from '../../model/codec.ts'
import type { Workbench } from '../../workbench.ts'
import { shownName } from '../output/printable.ts'
import type { Printer } from '../output/printer.ts'
import { clockText } from './format.ts'
import { inputText } from './values.ts'

const page = 1000
/** of a line */
const mostCharacters = 2000

/**
 * Events of a run, oldest first: what its workflow and its tasks have told of by name. Owns how far they were printed.
 */
export class Events {
  readonly #almanac: Workbench
  readonly #run: string
  /** a name, or the number of a call; undefined: all, and those of the workflow */
  readonly #task: string | undefined
  #after = 0

  constructor(almanac: Workbench, run: string, task: string | undefined) {
    this.#almanac = almanac
    this.#run = run
    this.#task = task
  }

  /** Prints what came since; gives how many. */
  async print(printer: Printer): Promise<number> {
    const workflow = (await this.#almanac.records.run(this.#run))?.workflow ?? ''
    let printed = 0
    for (;;) {
      const notes = await this.#almanac.records.notes(this.#run, {
        type: 'event',
        after: this.#after,
        limit: page,
      })
      const names = new Map<number, string>()
      for (const { call, attempt, name, bodyWire, at } of notes) {
        const task = call === undefined ? undefined : await this.#nameOf(call, names)
        if (this.#task !== undefined && this.#task !== task && this.#task !== String(call)) continue
        const ids = { run: this.#run, call: call ?? null, task: task ?? null, attempt: attempt ?? null }
        printer.object({ kind: 'event', ...ids, at, name, body: JSON.parse(bodyWire) })
        const by = call === undefined ? workflow : `${task} ${call}`
        const body = inputText(decode(bodyWire), mostCharacters)
        printer.line(
          `${pc.dim(`${clockText(at)} ${by}`)} ${pc.cyan(shownName(name))}${body === '' ? '' : ` ${body}`}`,
        )
        printed++
      }
      this.#after = notes.at(-1)?.seq ?? this.#after
      if (notes.length < page) return printed
    }
  }

  async #nameOf(call: number, names: Map<number, string>): Promise<string | undefined> {
    const known = names.get(call)
    if (known !== undefined) return known
    const [row] = await this.#almanac.records.calls(this.#run, { call, limit: 1 })
    if (row !== undefined) names.set(call, row.name)
    return row?.name
  }
}
