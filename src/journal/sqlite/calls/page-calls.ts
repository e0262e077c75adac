import type { CallKind, RememberedCall, RememberedOutcome } from '../../../model/records.ts'
import type { EndState } from '../../../model/states.ts'
import { callOf, digestLength } from '../database/rows.ts'
import { readMore } from '../packs/packed-records.ts'
import type { CallPage, Digests } from './call-pages.ts'

/** Columns of a page, by their places. */
const at = {
  id: 0,
  name: 1,
  caller: 2,
  at: 3,
  order: 4,
  state: 5,
  reason: 6,
  value: 7,
  attempt: 8,
  startedAt: 9,
  endedAt: 10,
  cost: 11,
  more: 12,
} as const

/** What is never asked for in most replays is not among them: texts of errors and origins, times of attempts. */
const replayed: readonly number[] = [
  at.id,
  at.name,
  at.caller,
  at.at,
  at.order,
  at.state,
  at.value,
  at.attempt,
  at.cost,
  at.more,
]

type DigestColumn = (i: number) => string | undefined

/**
 * The columns of a page.
 *
 * P1 a column is taken apart at once where all replays ask for its values, else when somebody does.
 */
class Columns {
  readonly #texts: (string | undefined)[]
  readonly #parsed: (readonly unknown[])[] = []
  readonly #digests: readonly DigestColumn[]
  readonly #names: ReadonlyMap<number, { readonly name: string; readonly kind: CallKind }>
  readonly #attempts: ReadonlyMap<number, string>
  readonly #keyed: ReadonlySet<number> | undefined
  readonly #args: CallPage['args']
  /** where the arguments of each call begin; or they themselves */
  #argsAt: readonly number[] | readonly string[] | undefined

  constructor(page: CallPage) {
    this.#texts = [...page.texts]
    this.#digests = digestColumns(page)
    this.#names = new Map(page.names.map(([n, name, kind]) => [n, { name, kind }]))
    this.#attempts = new Map(page.attempts)
    this.#keyed = page.keyed && new Set(page.keyed)
    this.#args = page.args
  }

  /** Takes apart what every replay asks for, while the journal reads the next page. */
  prepare(): void {
    for (const column of replayed) this.#parse(column)
    this.args(0)
  }

  value(column: number, i: number): unknown {
    return (this.#parsed[column] ?? this.#parse(column))[i]
  }

  digest(column: 0 | 1 | 2, i: number): string | undefined {
    return this.#digests[column]?.(i)
  }

  name(i: number): { readonly name: string; readonly kind: CallKind } {
    return this.#names.get(this.value(at.name, i) as number) as {
      readonly name: string
      readonly kind: CallKind
    }
  }

  attempts(call: number): RememberedCall['attempts'] {
    const text = this.#attempts.size === 0 ? undefined : this.#attempts.get(call)
    return text === undefined ? none : (JSON.parse(text) as RememberedCall['attempts'])
  }

  args(i: number): string | undefined {
    const args = this.#args
    if (args === undefined) return undefined
    if ('json' in args) {
      this.#argsAt ??= JSON.parse(args.json) as string[]
      return this.#argsAt[i] as string
    }
    this.#argsAt ??= startsOf(JSON.parse(args.lengths) as number[])
    return args.text.slice(this.#argsAt[i] as number, this.#argsAt[i + 1] as number)
  }

  /** May the author have given the call a key? Entries of maps are known by their paths. */
  mayBeKeyed(call: number, kind: CallKind): boolean {
    return kind === 'entry' || this.#keyed === undefined || this.#keyed.has(call)
  }

  #parse(column: number): readonly unknown[] {
    const parsed = JSON.parse(this.#texts[column] ?? '[]') as unknown[]
    this.#parsed[column] = parsed
    this.#texts[column] = undefined
    return parsed
  }
}

const none: RememberedCall['attempts'] = Object.freeze([])

/**
 * A call in a page, and its outcome if it has one: of a million calls that are remembered, nothing is made but these
 * two fields each until the call is made again.
 */
class PageCall implements RememberedCall, RememberedOutcome {
  readonly #columns: Columns
  readonly #i: number

  constructor(columns: Columns, i: number) {
    this.#columns = columns
    this.#i = i
  }

  get call(): number {
    return callOf(this.#columns.value(at.id, this.#i) as number)
  }
  get key(): string {
    return this.#columns.digest(0, this.#i) ?? ''
  }
  get caller(): string {
    return this.#columns.value(at.caller, this.#i) as string
  }
  get name(): string {
    return this.#columns.name(this.#i).name
  }
  get call_kind(): CallKind {
    return this.#columns.name(this.#i).kind
  }
  get at(): number {
    return this.#columns.value(at.at, this.#i) as number
  }
  get argsWire(): string | undefined {
    return this.#columns.mayBeKeyed(this.call, this.call_kind) ? undefined : this.#columns.args(this.#i)
  }
  get attempts(): RememberedCall['attempts'] {
    return this.#columns.attempts(this.call)
  }
  get outcome(): RememberedOutcome | undefined {
    return this.order === -1 ? undefined : this
  }

  get order(): number {
    return this.#columns.value(at.order, this.#i) as number
  }
  get state(): EndState {
    return this.#columns.value(at.state, this.#i) as EndState
  }
  get reason(): string {
    return this.#columns.value(at.reason, this.#i) as string
  }
  get fingerprint(): string | undefined {
    return this.#columns.digest(1, this.#i)
  }
  get valueWire(): string | undefined {
    return (this.#columns.value(at.value, this.#i) as string | null) ?? undefined
  }
  get digest(): string | undefined {
    return this.#columns.digest(2, this.#i)
  }
  get attempt(): number {
    return this.#columns.value(at.attempt, this.#i) as number
  }
  get startedAt(): number {
    return this.#columns.value(at.startedAt, this.#i) as number
  }
  get endedAt(): number {
    return this.#columns.value(at.endedAt, this.#i) as number
  }
  get costMs(): number {
    return this.#columns.value(at.cost, this.#i) as number
  }
  get error(): RememberedOutcome['error'] {
    return this.#more.error
  }
  get origin(): RememberedOutcome['origin'] {
    return this.#more.origin
  }
  get map(): RememberedOutcome['map'] {
    return this.#more.map
  }
  get message(): RememberedOutcome['message'] {
    return this.#more.message
  }

  get #more(): ReturnType<typeof readMore> {
    const more = this.#columns.value(at.more, this.#i) as string | null
    return more === null ? noMore : readMore(more)
  }
}

const noMore: ReturnType<typeof readMore> = Object.freeze({})

/** Adds the calls of a page to those before it. */
export function unpackPage(page: CallPage, calls: RememberedCall[]): void {
  const columns = new Columns(page)
  columns.prepare()
  for (let i = 0; i < page.calls; i++) calls.push(new PageCall(columns, i))
}

/** Numbers of the names of a page's calls. */
export const nameNumbers = (page: CallPage): readonly number[] =>
  JSON.parse(page.texts[at.name] ?? '[]') as number[]

/** Arguments of all calls of a page, of those that have keys too. */
export function allArgs(page: CallPage): readonly string[] {
  const columns = new Columns(page)
  return Array.from({ length: page.calls }, (_, i) => columns.args(i) ?? '')
}

const digestColumns = ({ calls, digests, odd = ['[]', '[]', '[]'], texts }: CallPage): DigestColumn[] =>
  digests === undefined
    ? odd.map(textsAt)
    : digests.map((column) => lettersAt(column, calls, texts[at.id] ?? '[]'))

/** `ids`: row ids of all calls, as JSON */
function lettersAt({ bytes, blanks }: Digests, calls: number, ids: string): DigestColumn {
  if (bytes.length === 0) return () => undefined
  const letters = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
  const at = (place: number): string => letters.slice(place * digestLength, (place + 1) * digestLength)
  if (letters.length === calls * digestLength) return at
  const without = new Set(JSON.parse(blanks) as number[])
  let next = 0
  const places = (JSON.parse(ids) as number[]).map((id) => (without.has(id) ? undefined : next++))
  return (i) => {
    const place = places[i]
    return place === undefined ? undefined : at(place)
  }
}

function textsAt(json: string): DigestColumn {
  const texts = JSON.parse(json) as (string | null)[]
  return (i) => texts[i] ?? undefined
}

/** Where each of texts of these lengths begins, and where the last one ends. */
function startsOf(lengths: readonly number[]): readonly number[] {
  const starts = new Array<number>(lengths.length + 1)
  let start = 0
  for (let i = 0; i < lengths.length; i++) {
    starts[i] = start
    start += lengths[i] as number
  }
  starts[lengths.length] = start
  return starts
}
