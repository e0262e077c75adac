import type { ErrorRecord, RememberedCall } from '../../model/records.ts'
import type { Digest } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import type { CallRequest } from '../../ports/caller.ts'
import type { AttemptId } from '../../ports/executor.ts'
import type { CallInfo, MadeCallInfo, TaskIdentity, WorkClaim } from './call-info.ts'

/**
 * What the engine knows of all calls of a run. There may be a million of them: as their states (`core/run/calls.ts`) it
 * stands in rows, and a `CallInfo` is a view of one. What few calls have stands beside the rows.
 *
 * N1 of a call that was released its key and what was called stay.
 */
export class CallInfos {
  readonly #pages: (Page | undefined)[] = []
  readonly #beside: Beside = { rare: new Map(), verdicts: [''] }
  /** the last of each request: what calls of one function share they have in one */
  readonly #called = new Map<CallRequest, Called>()
  #last: InfoView | undefined
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
    const info = new InfoView(id, page, row, this.#beside)
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
    this.#last = new InfoView(id, page, row, this.#beside)
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

const pageBits = 10
const pageSize = 2 ** pageBits

/** What calls of one function have in common. */
type Called = Pick<CallInfo, 'caller' | 'path' | 'request'>

interface Page {
  readonly keys: Digest[]
  readonly called: (Called | undefined)[]
  /** of arguments by position only what tells them: that they wait costs no object, where there is one that is none */
  readonly args: Value[]
  readonly fingerprints: (Digest | undefined)[]
  readonly identities: (TaskIdentity | undefined)[]
  readonly underWay: (AttemptId | undefined)[]
  readonly wires: (string | undefined)[]
  /** only where an earlier life of the run has left something */
  owns?: (RememberedCall | undefined)[]
  /** only where workers hold results */
  heldKeys?: (Digest | undefined)[]
  readonly numbers: Float64Array
  readonly codes: Uint8Array
}

const newPage = (): Page => ({
  keys: new Array(pageSize),
  called: new Array(pageSize),
  args: new Array(pageSize),
  fingerprints: new Array(pageSize),
  identities: new Array(pageSize),
  underWay: new Array(pageSize),
  wires: new Array(pageSize),
  numbers: new Float64Array(pageSize * columns),
  codes: new Uint8Array(pageSize * codes),
})

const isReleased = (page: Page, row: number): boolean =>
  ((page.codes[row * codes + flagsAt] as number) & released) !== 0

// a row of times …
const madeAt = 0
const startedAt = 1
const costMs = 2
const columns = 3

// … and of small numbers
const flagsAt = 0
const verdictAt = 1
const codes = 2

const plain = 1
const cacheable = 2
const released = 4
const positional = 8

/** Is it `{ args: […] }`, and no more? */
function isPositional(args: Value): args is { readonly args: readonly Value[] } {
  if (typeof args !== 'object' || args === null || !Array.isArray((args as { args?: unknown }).args))
    return false
  for (const name in args) if (name !== 'args') return false
  return true
}

/** One argument stands for itself, unless it would be taken for several. */
const onlyOne = (positions: readonly Value[]): Value =>
  positions.length === 1 && !Array.isArray(positions[0]) ? positions[0] : positions

/** What is beside the rows: of few calls, or shared by all. */
interface Beside {
  readonly rare: Map<number, Rare>
  /** the few that there are */
  readonly verdicts: string[]
}

/** What few calls have. */
type Rare = {
  -readonly [K in RareName]?: CallInfo[K]
}
type RareName = 'entry' | 'origin' | 'takenFrom' | 'lastError' | 'claim' | 'map' | 'message'

class InfoView implements CallInfo {
  readonly id: number
  readonly #page: Page
  readonly #row: number
  readonly #beside: Beside

  constructor(id: number, page: Page, row: number, beside: Beside) {
    this.id = id
    this.#page = page
    this.#row = row
    this.#beside = beside
  }

  get key(): Digest {
    return this.#page.keys[this.#row] as Digest
  }

  get caller(): string {
    return this.#called().caller
  }

  get path(): string {
    return this.#called().path
  }

  get request(): CallRequest {
    return this.#called().request
  }

  get args(): Value {
    const kept = this.#page.args[this.#row]
    if (!this.#is(positional)) return kept
    return { args: Array.isArray(kept) ? kept : [kept] }
  }

  get isPlain(): boolean {
    return this.#is(plain)
  }

  get own(): RememberedCall | undefined {
    return this.#page.owns?.[this.#row]
  }

  get madeAt(): number {
    return this.#page.numbers[this.#row * columns + madeAt] as number
  }

  get cacheable(): boolean {
    return this.#is(cacheable)
  }

  set cacheable(is: boolean) {
    const at = this.#row * codes + flagsAt
    const flags = this.#page.codes[at] as number
    this.#page.codes[at] = is ? flags | cacheable : flags & ~cacheable
  }

  get verdict(): string {
    return this.#beside.verdicts[this.#page.codes[this.#row * codes + verdictAt] as number] as string
  }

  set verdict(verdict: string) {
    const { verdicts } = this.#beside
    let code = verdicts.indexOf(verdict)
    if (code < 0) code = verdicts.push(verdict) - 1
    this.#page.codes[this.#row * codes + verdictAt] = code
  }

  get fingerprint(): Digest | undefined {
    return this.#page.fingerprints[this.#row]
  }

  set fingerprint(fingerprint: Digest | undefined) {
    this.#page.fingerprints[this.#row] = fingerprint
  }

  get identity(): TaskIdentity | undefined {
    return this.#page.identities[this.#row]
  }

  set identity(identity: TaskIdentity | undefined) {
    this.#page.identities[this.#row] = identity
  }

  get underWay(): AttemptId | undefined {
    return this.#page.underWay[this.#row]
  }

  set underWay(underWay: AttemptId | undefined) {
    this.#page.underWay[this.#row] = underWay
  }

  get resultWire(): string | undefined {
    return this.#page.wires[this.#row]
  }

  set resultWire(resultWire: string | undefined) {
    this.#page.wires[this.#row] = resultWire
  }

  get startedAt(): number {
    return this.#page.numbers[this.#row * columns + startedAt] as number
  }

  set startedAt(time: number) {
    this.#page.numbers[this.#row * columns + startedAt] = time
  }

  get costMs(): number {
    return this.#page.numbers[this.#row * columns + costMs] as number
  }

  set costMs(ms: number) {
    this.#page.numbers[this.#row * columns + costMs] = ms
  }

  get entry(): string | undefined {
    return this.#rare()?.entry
  }

  set entry(entry: string | undefined) {
    if (entry !== undefined || this.#rare() !== undefined) this.#rareNow().entry = entry
  }

  get origin(): CallInfo['origin'] {
    return this.#rare()?.origin
  }

  set origin(origin: CallInfo['origin']) {
    if (origin !== undefined || this.#rare() !== undefined) this.#rareNow().origin = origin
  }

  get heldKey(): Digest | undefined {
    return this.#page.heldKeys?.[this.#row]
  }

  set heldKey(heldKey: Digest | undefined) {
    if (heldKey !== undefined) this.#page.heldKeys ??= new Array(pageSize)
    if (this.#page.heldKeys !== undefined) this.#page.heldKeys[this.#row] = heldKey
  }

  get takenFrom(): number | undefined {
    return this.#rare()?.takenFrom
  }

  set takenFrom(takenFrom: number | undefined) {
    if (takenFrom !== undefined || this.#rare() !== undefined) this.#rareNow().takenFrom = takenFrom
  }

  get lastError(): ErrorRecord | undefined {
    return this.#rare()?.lastError
  }

  set lastError(lastError: ErrorRecord | undefined) {
    if (lastError !== undefined || this.#rare() !== undefined) this.#rareNow().lastError = lastError
  }

  get claim(): WorkClaim | undefined {
    return this.#rare()?.claim
  }

  set claim(claim: WorkClaim | undefined) {
    if (claim !== undefined || this.#rare() !== undefined) this.#rareNow().claim = claim
  }

  get message(): CallInfo['message'] {
    return this.#rare()?.message
  }

  set message(message: CallInfo['message']) {
    if (message !== undefined || this.#rare() !== undefined) this.#rareNow().message = message
  }

  get map(): CallInfo['map'] {
    return this.#rare()?.map
  }

  set map(map: CallInfo['map']) {
    if (map !== undefined || this.#rare() !== undefined) this.#rareNow().map = map
  }

  #called(): Called {
    return this.#page.called[this.#row] as Called
  }

  #is(flag: number): boolean {
    return ((this.#page.codes[this.#row * codes + flagsAt] as number) & flag) !== 0
  }

  #rare(): Rare | undefined {
    const { rare } = this.#beside
    return rare.size === 0 ? undefined : rare.get(this.id)
  }

  #rareNow(): Rare {
    let rare = this.#rare()
    if (rare === undefined) {
      rare = {}
      this.#beside.rare.set(this.id, rare)
    }
    return rare
  }
}
