import type { CallKind, RememberedCall } from '../../model/records.ts'
import type { Digest } from '../../model/refs.ts'
import { DigestTable } from './digest-table.ts'

/**
 * What a run remembers of its earlier life, and which of it has been claimed in this one.
 *
 * M1 an outcome is claimed by at most one call.
 * M2 a call takes the outcome under its own key if the fingerprint agrees; else the oldest unclaimed one of the
 *    same caller, name and fingerprint whose own call has not been made or has turned it down.
 * M3 nothing is claimed twice, and nothing that was forgotten.
 * M4 a call that was skipped or cancelled keeps the result that it had before, for whoever claims it.
 * M5 a replay that makes the same calls in the same order builds no index of them, as there may be a million: it meets
 *    each in its turn. As long as it does, calls are known by their texts, and no key is computed: of equal calls a
 *    journal has the first before the second, so that what was made before a call says its count among equals.
 */
export class Remembered {
  readonly #calls: readonly RememberedCall[]
  #index: DigestTable | undefined
  #names: ReadonlySet<string> | undefined
  #byContent: Map<string, RememberedCall[]> | undefined
  /** place of the call that is made next, if the function does as it did */
  #next = 0
  /** all calls so far were those that come in this order */
  #isInOrder = true
  /** how many of them were known by their texts */
  #met = 0
  /** by call: numbers are dense */
  readonly #claimed: Uint8Array
  /** remembered calls that have been made again and have not turned down their outcome */
  readonly #made: Uint8Array
  readonly nextCall: number
  readonly nextOrder: number
  /** calls that read or write what others do too: few, if any */
  readonly shared: readonly RememberedCall[]
  #claimable = 0

  constructor(calls: readonly RememberedCall[]) {
    let nextCall = 0
    let nextOrder = 0
    const shared: RememberedCall[] = []
    // the only time that all are gone through before the function begins
    for (const one of calls) {
      const { call, outcome } = one
      if (call >= nextCall) nextCall = call + 1
      if (isOfShared(one.call_kind)) shared.push(one)
      if (outcome === undefined) continue
      if (outcome.order >= nextOrder) nextOrder = outcome.order + 1
      if (outcome.fingerprint !== undefined) this.#claimable++
    }
    this.#calls = calls
    this.#claimed = new Uint8Array(nextCall)
    this.#made = new Uint8Array(nextCall)
    this.nextCall = nextCall
    this.nextOrder = nextOrder
    this.shared = shared
  }

  /** Outcomes that a call may still take. */
  get unclaimed(): number {
    return this.#claimable
  }

  /** The result of a remembered call, unless another has taken it. */
  result(call: RememberedCall | undefined): RememberedCall['outcome'] {
    const outcome = call?.outcome
    if (call === undefined || outcome?.valueWire === undefined || this.#claimed[call.call] === 1)
      return undefined
    return outcome.state === 'succeeded' || isKeptResult(outcome) ? outcome : undefined
  }

  /** A call was made that the author gave no key: gives its record, if it is the one that came next before. */
  next(caller: string, kind: CallKind, name: string, args: string): RememberedCall | undefined {
    if (!this.#isInOrder) return undefined
    const call = this.#calls[this.#next]
    const isSame =
      call !== undefined &&
      call.argsWire === args &&
      call.name === name &&
      call.caller === caller &&
      call.call_kind === kind
    if (!isSame) {
      this.#isInOrder = false
      return undefined
    }
    this.#next++
    this.#met = this.#next
    this.#made[call.call] = 1
    return call
  }

  /** From now on calls are known by their keys. */
  leaveOrder(): void {
    this.#isInOrder = false
  }

  /** Was this the key of a call that was known by its text, before the order was left? `name` as it counts in keys. */
  wasMet(key: Digest, name: string): boolean {
    if (this.#met === 0) return false
    this.#names ??= namesOf(this.#calls, this.#met)
    return this.#names.has(name) && (this.#keys.find(key) ?? this.#met) < this.#met
  }

  /** The call was made: gives its record, so that it keeps its id. */
  made(key: Digest): RememberedCall | undefined {
    const call = this.#find(key)
    if (call !== undefined) this.#made[call.call] = 1
    return call
  }

  /** Its fingerprint is known: gives the remembered call whose outcome it takes. */
  claim(
    own: RememberedCall | undefined,
    caller: string,
    name: string,
    fingerprint: Digest,
  ): RememberedCall | undefined {
    if (own?.outcome?.fingerprint === fingerprint && this.#claimed[own.call] === 0) return this.#take(own)
    // its own outcome does not hold any more: another call may have it
    if (own !== undefined) this.#made[own.call] = 0
    if (this.#claimable === 0) return undefined
    this.#byContent ??= byContent(this.#calls, this.#claimed)
    const equals = this.#byContent.get(contentKey(caller, name, fingerprint))
    if (equals === undefined) return undefined
    // claimed ones leave the front for good, so that n equal calls do not cost n² steps
    while (equals.length > 0 && this.#claimed[(equals[equals.length - 1] as RememberedCall).call] === 1)
      equals.pop()
    for (let i = equals.length - 1; i >= 0; i--) {
      const call = equals[i] as RememberedCall
      if (this.#claimed[call.call] === 0 && this.#made[call.call] === 0) return this.#take(call)
    }
    return undefined
  }

  /** Remembered calls that this life has not made: gone after an edit. */
  unmade(isMade: (call: number) => boolean): RememberedCall[] {
    const gone: RememberedCall[] = []
    for (const call of this.#calls) if (!isMade(call.call)) gone.push(call)
    return gone
  }

  #find(key: Digest): RememberedCall | undefined {
    const expected = this.#calls[this.#next]
    if (expected?.key === key) {
      this.#next++
      return expected
    }
    // all of them have been met
    if (expected === undefined && this.#index === undefined) return undefined
    const place = this.#keys.find(key)
    return place === undefined ? undefined : this.#calls[place]
  }

  /** places of calls, by key */
  get #keys(): DigestTable {
    if (this.#index === undefined) {
      const calls = this.#calls
      const index = new DigestTable((place) => calls[place]?.key ?? '', calls.length)
      // a journal that nobody has forged has each key once
      for (let place = 0; place < calls.length; place++)
        index.enter((calls[place] as RememberedCall).key, place)
      this.#index = index
    }
    return this.#index
  }

  #take(call: RememberedCall): RememberedCall {
    this.#claimed[call.call] = 1
    this.#claimable--
    return call
  }
}

/** Of datasets and documents: others read and write these as well. */
export const isOfShared = (kind: CallKind): boolean =>
  kind === 'read' || kind === 'publish' || kind === 'get' || kind === 'put' || kind === 'patch'

/** Of the first so many calls, as they count in keys. */
function namesOf(calls: readonly RememberedCall[], count: number): ReadonlySet<string> {
  const names = new Set<string>()
  let last: string | undefined
  let lastKind: CallKind | undefined
  for (let i = 0; i < count; i++) {
    const { name, call_kind: kind } = calls[i] as RememberedCall
    if (name === last && kind === lastKind) continue
    last = name
    lastKind = kind
    names.add(`${kind} ${name}`)
  }
  return names
}

/** What others may take, by what it is known by: the oldest last, as it is taken from the end. */
function byContent(calls: readonly RememberedCall[], claimed: Uint8Array): Map<string, RememberedCall[]> {
  const found = new Map<string, RememberedCall[]>()
  for (const call of calls) {
    const { caller, name, outcome } = call
    if (claimed[call.call] === 1) continue
    if (outcome?.fingerprint === undefined || !isClaimable(outcome)) continue
    const content = contentKey(caller, name, outcome.fingerprint)
    const equals = found.get(content)
    if (equals === undefined) found.set(content, [call])
    else equals.push(call)
  }
  for (const equals of found.values()) {
    if (equals.length > 1) equals.sort((a, b) => (b.outcome?.order ?? 0) - (a.outcome?.order ?? 0))
  }
  return found
}

/** Can another call take it? What was cancelled was not done by anybody. */
const isClaimable = (outcome: NonNullable<RememberedCall['outcome']>): boolean =>
  outcome.state !== 'cancelled' || isKeptResult(outcome)

/** Is it what a call had before it was skipped or cancelled? */
export const isKeptResult = (outcome: NonNullable<RememberedCall['outcome']>): boolean =>
  (outcome.state === 'skipped' || outcome.state === 'cancelled') &&
  outcome.fingerprint !== undefined &&
  outcome.valueWire !== undefined

const contentKey = (caller: string, name: string, fingerprint: Digest): string =>
  `${fingerprint} ${caller} ${name}`
