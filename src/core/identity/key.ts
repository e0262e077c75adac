import type { Hash } from '../../model/digest.ts'
import type { Digest, FutureRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { canonical } from './canonical.ts'
import { Equals } from './equals.ts'

/**
 * A call's key: what it is known by when it is made.
 *
 * K1 it depends on the caller's path, the name or explicit key, the arguments with futures standing for the
 *    keys behind them, and the count among equals in program order; on no result and on no code.
 * K2 the same program gives the same keys, whatever the timing, as long as outcomes are given back in the same order.
 */
export class CallKeys {
  readonly #hash: Hash
  readonly #equals = new Equals()
  /** of paths */
  readonly #counts = new Map<string, number>()

  constructor(hash: Hash) {
    this.#hash = hash
  }

  /** `wasMade`: was a call of this key made whose key was not asked for here? */
  key(
    { caller, name, key, args }: KeyParts,
    wasMade: (key: Digest, name: string) => boolean = never,
  ): Digest {
    const base = this.#hash(`${caller}\n${name}\n${key ?? ''}\n${args}`)
    const met = this.#equals.met(base)
    let count = met
    let full = this.#nth(base, count)
    while (wasMade(full, name)) full = this.#nth(base, ++count)
    if (count > met) this.#equals.set(base, count + 1)
    return full
  }

  #nth(base: string, count: number): Digest {
    return count === 0 ? base : this.#hash(`${base}\n${count}`)
  }

  /**
   * Path of what runs inside a call: of a child workflow, of a branch, of a map. It names the caller's path and
   * the name with key or count, never the arguments or code: what is remembered below survives their change.
   */
  path(caller: string, name: string, key: string | undefined): string {
    const base = `${caller}/${escapeStep(name)}${key === undefined ? '' : `:${escapeStep(key)}`}`
    const count = this.#counts.get(base) ?? 0
    this.#counts.set(base, count + 1)
    return key !== undefined && count === 0 ? base : `${base}#${count}`
  }
}

const never = (): boolean => false

export interface KeyParts {
  readonly caller: string
  readonly name: string
  readonly key?: string | undefined
  /** as `keyText` has them */
  readonly args: string
}

/** Arguments as they count in a key; `keyOf` gives the key of a call by its id. */
export const keyText = (args: Value, keyOf: (call: number) => Digest): string =>
  canonical(args, { future: (ref) => futureText(ref, keyOf) })

const futureText = (ref: FutureRef, keyOf: (call: number) => Digest): string =>
  `k${keyOf(ref.call)}${ref.path.length === 0 ? '' : JSON.stringify(ref.path)}`

/** Steps are joined by `/`, `:` and `#`; a name that holds one must not look like two steps. */
const escapeStep = (step: string): string =>
  step.replace(/[%/:#\n]/g, (letter) => `%${letter.charCodeAt(0).toString(16).padStart(2, '0')}`)
