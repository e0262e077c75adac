import type { Digest } from '../../model/refs.ts'
import type { CallRequest } from '../../ports/caller.ts'
import type { CallInfo, MadeCallInfo } from './call-info.ts'
import {
  type Beside,
  type Called,
  codes,
  columns,
  flagsAt,
  isPositional,
  isReleased,
  madeAt,
  newPage,
  onlyOne,
  type Page,
  pageBits,
  pageSize,
  plain,
  positional,
  released,
  startedAt,
} from './call-info-page.ts'
import { CallInfoView } from './call-info-view.ts'

/**
 * What the engine knows of all calls of a run. There may be a million of them: as their states (`core/run/calls.ts`) it
 * stands in rows, and a `CallInfo` is a view of one. What few calls have stands beside the rows.
 *
 * N1 of a call that was released its key and what was called stay.
 * N2 any two views of a call show the same.
 */
export class CallInfos {
  readonly #pages: (Page | undefined)[] = []
  readonly #beside: Beside = { rare: new Map(), verdicts: [''] }
  /** the last of each request: what calls of one function share they have in one */
  readonly #called = new Map<CallRequest, Called>()
  #last: CallInfoView | undefined
  #length = 0

  add(made: MadeCallInfo): CallInfo {
    const { id } = made
    const page = this.#pageOf(id)
    const row = id & (pageSize - 1)
    page.keys[row] = made.key
    page.called[row] = this.#calledBy(made)
    const { args } = made
    const isByPosition = isPositional(args)
    page.args[row] = isByPosition ? onlyOne(args.args) : args
    if (made.own !== undefined) {
      page.owns ??= new Array(pageSize)
      page.owns[row] = made.own
    }
    page.codes[row * codes + flagsAt] = (made.isPlain ? plain : 0) | (isByPosition ? positional : 0)
    page.numbers[row * columns + madeAt] = made.madeAt
    page.numbers[row * columns + startedAt] = made.madeAt
    this.#length = Math.max(this.#length, id + 1)
    const info = new CallInfoView(id, page, row, this.#beside)
    if (made.entry !== undefined) info.entry = made.entry
    this.#last = info
    return info
  }

  find(id: number): CallInfo | undefined {
    // one event asks for the same call several times
    if (this.#last?.id === id) return this.#last
    const page = this.#pages[id >> pageBits]
    const row = id & (pageSize - 1)
    if (page?.called[row] === undefined || isReleased(page, row)) return undefined
    this.#last = new CallInfoView(id, page, row, this.#beside)
    return this.#last
  }

  keyOf(id: number): Digest | undefined {
    return this.#pages[id >> pageBits]?.keys[id & (pageSize - 1)]
  }

  requestOf(id: number): CallRequest | undefined {
    return this.#pages[id >> pageBits]?.called[id & (pageSize - 1)]?.request
  }

  release(id: number): void {
    const page = this.#pages[id >> pageBits]
    const row = id & (pageSize - 1)
    if (page === undefined) return
    if (this.#last?.id === id) this.#last = undefined
    page.codes[row * codes + flagsAt] = released
    page.args[row] = undefined
    page.fingerprints[row] = undefined
    page.identities[row] = undefined
    page.underWay[row] = undefined
    page.wires[row] = undefined
    if (page.owns !== undefined) page.owns[row] = undefined
    if (page.heldKeys !== undefined) page.heldKeys[row] = undefined
    if (this.#beside.rare.size > 0) this.#beside.rare.delete(id)
  }

  /** Those that were not released, in order of number. */
  *[Symbol.iterator](): IterableIterator<CallInfo> {
    for (let id = 0; id < this.#length; id++) {
      const info = this.find(id)
      if (info !== undefined) yield info
    }
  }

  #calledBy({ caller, path, request }: MadeCallInfo): Called {
    const last = this.#called.get(request)
    if (last?.caller === caller && last.path === path) return last
    const called = { caller, path, request }
    this.#called.set(request, called)
    return called
  }

  #pageOf(id: number): Page {
    const number = id >> pageBits
    let page = this.#pages[number]
    if (page === undefined) {
      page = newPage()
      this.#pages[number] = page
    }
    return page
  }
}
