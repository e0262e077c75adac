import type { Call, NewCall } from './call.ts'
import { type Beside, newPage, type Page, writeRow } from './call-page.ts'
import { CallView } from './call-view.ts'

/**
 * All calls of a run. There may be a million of them, most waiting or ended: what is known of each is a row of numbers,
 * and three references to what calls share. What few have stands beside the rows.
 *
 * K1 a `Call` is a view of its row: any two of one call show the same, and none is kept up by having been looked at.
 * K2 a row is on a page of its own number, so that holes (calls of an earlier life) cost at most a page.
 */
export class Calls {
  readonly #pages: (Page | undefined)[] = []
  readonly #beside: Beside = { rare: new Map(), ends: [] }
  #last: CallView | undefined
  #length = 0

  find(id: number): Call | undefined {
    // one event asks for the same call several times
    if (this.#last?.id === id) return this.#last
    const page = this.#pages[id >> pageBits]
    const row = id & (pageSize - 1)
    if (page?.policies[row] === undefined) return undefined
    this.#last = new CallView(id, page, row, this.#beside)
    return this.#last
  }

  add(made: NewCall): Call {
    const { id } = made
    const page = this.#pageOf(id)
    const row = id & (pageSize - 1)
    writeRow(page, row, made)
    this.#length = Math.max(this.#length, id + 1)
    this.#last = new CallView(id, page, row, this.#beside)
    return this.#last
  }

  /** In order of number. */
  *[Symbol.iterator](): IterableIterator<Call> {
    for (let id = 0; id < this.#length; id++) {
      const call = this.find(id)
      if (call !== undefined) yield call
    }
  }

  #pageOf(id: number): Page {
    const number = id >> pageBits
    let page = this.#pages[number]
    if (page === undefined) {
      page = newPage(pageSize)
      this.#pages[number] = page
    }
    return page
  }
}

const pageBits = 10
const pageSize = 2 ** pageBits
