import type { RememberedCall } from '../../model/records.ts'
import type { Digest } from '../../model/refs.ts'

/**
 * What a run remembers of its earlier life, and which of it has been claimed in this one.
 *
 * M1 an outcome is claimed by at most one call.
 * M2 a call takes the outcome under its own key if the fingerprint agrees; else the oldest unclaimed one of the
 *    same caller, name and fingerprint whose own call has not been made or has turned it down.
 * M3 nothing is claimed twice, and nothing that was forgotten.
 * M4 a call that was skipped or cancelled keeps the result that it had before, for whoever claims it.
 */
export class Remembered {
  readonly #byKey = new Map<Digest, RememberedCall>()
  readonly #byContent = new Map<string, RememberedCall[]>()
  readonly #claimed = new Set<number>()
  /** remembered calls that have been made again and have not turned down their outcome */
  readonly #made = new Set<number>()
  readonly nextCall: number
  readonly nextOrder: number
  readonly #claimable: number

  constructor(calls: readonly RememberedCall[]) {
    let nextCall = 0
    let nextOrder = 0
    let claimable = 0
    for (const call of calls) {
      this.#byKey.set(call.key, call)
      nextCall = Math.max(nextCall, call.call + 1)
      if (call.outcome === undefined) continue
      nextOrder = Math.max(nextOrder, call.outcome.order + 1)
      if (call.outcome.fingerprint === undefined) continue
      claimable++
      if (!isClaimable(call.outcome)) continue
      const content = contentKey(call.caller, call.name, call.outcome.fingerprint)
      const equals = this.#byContent.get(content)
      if (equals === undefined) this.#byContent.set(content, [call])
      else equals.push(call)
    }
    for (const equals of this.#byContent.values()) {
      // oldest last: they are taken from the end
      if (equals.length > 1) equals.sort((a, b) => (b.outcome?.order ?? 0) - (a.outcome?.order ?? 0))
    }
    this.nextCall = nextCall
    this.nextOrder = nextOrder
    this.#claimable = claimable
  }

  /** Outcomes that a call may still take. */
  get unclaimed(): number {
    return this.#claimable - this.#claimed.size
  }

  /** The result of a remembered call, unless another has taken it. */
  result(call: RememberedCall | undefined): RememberedCall['outcome'] {
    const outcome = call?.outcome
    if (call === undefined || outcome?.valueWire === undefined || this.#claimed.has(call.call))
      return undefined
    return outcome.state === 'succeeded' || isKeptResult(outcome) ? outcome : undefined
  }

  /** The call was made: gives its record, so that it keeps its id. */
  made(key: Digest): RememberedCall | undefined {
    const call = this.#byKey.get(key)
    if (call !== undefined) this.#made.add(call.call)
    return call
  }

  /** Its fingerprint is known: gives the remembered call whose outcome it takes. */
  claim(
    own: RememberedCall | undefined,
    caller: string,
    name: string,
    fingerprint: Digest,
  ): RememberedCall | undefined {
    if (own?.outcome !== undefined && !this.#claimed.has(own.call)) {
      if (own.outcome.fingerprint === fingerprint) {
        this.#claimed.add(own.call)
        return own
      }
    }
    // its own outcome does not hold any more: another call may have it
    if (own !== undefined) this.#made.delete(own.call)
    const equals = this.#byContent.get(contentKey(caller, name, fingerprint))
    if (equals === undefined) return undefined
    // claimed ones leave the front for good, so that n equal calls do not cost n² steps
    while (equals.length > 0 && this.#claimed.has((equals[equals.length - 1] as RememberedCall).call))
      equals.pop()
    for (let i = equals.length - 1; i >= 0; i--) {
      const call = equals[i] as RememberedCall
      if (this.#claimed.has(call.call) || this.#made.has(call.call)) continue
      this.#claimed.add(call.call)
      return call
    }
    return undefined
  }

  /** Remembered calls that this life has not made: gone after an edit. */
  unmade(isMade: (call: number) => boolean): RememberedCall[] {
    const gone: RememberedCall[] = []
    for (const call of this.#byKey.values()) if (!isMade(call.call)) gone.push(call)
    return gone
  }
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
