import { encode } from '../../model/codec.ts'
import { type Digest, HeldRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { mapRefs } from '../../model/value-refs.ts'

/**
 * What is left of results in workers' memory that were let go of. A hundred thousand of them say the same of their array
 * but the key: that is said once for all.
 *
 * G1 the value that is put together again says all that the one which was let go of said, but where it lies.
 * G2 they say few different things: a value that says another keeps itself.
 */
export class ReleasedValues {
  readonly #known = new Map<string, ReleasedValue>()

  /** What is left of a value whose arrays bear a key; undefined where there is more in it than that tells. */
  of(value: Value, key: Digest): ReleasedValue | undefined {
    let isAll = true
    const common = mapRefs(value, (ref) => {
      if (ref instanceof HeldRef && ref.key === key && ref.copy === undefined) return held(ref, '')
      isAll = false
      return ref
    })
    if (!isAll) return undefined
    const text = encode(common)
    let known = this.#known.get(text)
    if (known === undefined && this.#known.size < mostKnown) {
      known = new ReleasedValue(common)
      this.#known.set(text, known)
    }
    return known
  }
}

/** In place of a value. */
export class ReleasedValue {
  readonly #common: Value

  constructor(common: Value) {
    this.#common = common
  }

  /** The value of the call whose results bear a key. */
  whole(key: Digest): Value {
    return mapRefs(this.#common, (ref) => (ref instanceof HeldRef ? held(ref, key) : ref))
  }
}

/** It lies nowhere. */
const held = ({ path, type, size }: HeldRef, key: Digest): HeldRef =>
  new HeldRef(key, path, type, size, '', 0)

const mostKnown = 64
