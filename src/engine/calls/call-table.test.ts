import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Remembered } from '../../core/identity/remembered.ts'
import type { RememberedCall } from '../../model/records.ts'
import { FutureRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { sha256 } from '../../testing/world.ts'
import { callRecord } from './call-info.ts'
import { CallTable } from './call-table.ts'

/** A call that a function makes: of few names and arguments, so that there are many equals. */
interface Made {
  readonly name: string
  readonly arg: number
  readonly key?: string
  /** takes the result of the first call */
  readonly takes?: boolean
}

const aMade: fc.Arbitrary<Made> = fc.record(
  {
    name: fc.constantFrom('a', 'b'),
    arg: fc.nat({ max: 2 }),
    key: fc.constantFrom('', 'k', 'l'),
    takes: fc.boolean(),
  },
  { requiredKeys: ['name', 'arg'] },
)

/** The same function in lives one after the other, edited before each. */
const lives = fc
  .tuple(
    fc.array(aMade, { maxLength: 12 }),
    fc.array(fc.tuple(fc.nat(12), fc.nat(3), fc.array(aMade, { maxLength: 3 }))),
  )
  .map(([first, edits]) => {
    const all = [first]
    for (const [at, removed, added] of edits) {
      const before = all.at(-1) as readonly Made[]
      // as often as not only the end is new, as after a crash
      all.push(before.toSpliced(removed === 3 ? before.length : at, removed === 3 ? 0 : removed, ...added))
    }
    return all
  })

/** Keys and numbers of the calls of each life; `told`: the journal says which arguments were all of a key. */
function keysOf(all: readonly (readonly Made[])[], told: boolean): unknown {
  const remembered = new Map<number, RememberedCall>()
  return all.map((calls) => {
    const known = [...remembered.values()].sort((x, y) => x.call - y.call)
    const table = new CallTable(sha256, new Remembered(known), false)
    let first: number | undefined
    return calls.map(({ name, arg, key, takes }) => {
      const args: Value = takes === true && first !== undefined ? [new FutureRef(first, []), arg] : [arg]
      const request = { kind: 'task', name } as const
      const { info, plain } = table.make({ caller: 'w', request, args, key }, 1)
      first ??= info.id
      if (info.own === undefined) {
        const { kind: _, argsWire, keyed, ...made } = callRecord(info, plain, key !== undefined)
        remembered.set(info.id, { ...made, attempts: [], ...(told && keyed !== true && { argsWire }) })
      }
      return [info.id, info.key]
    })
  })
}

it('gives calls the keys and numbers that they have by their hashes, where it knows them by their texts', () => {
  fc.assert(
    fc.property(lives, (all) => {
      expect(keysOf(all, true)).toEqual(keysOf(all, false))
    }),
    { numRuns: 500 },
  )
})

it('computes no key of a call that is made as before', () => {
  let hashes = 0
  const hash = (text: string): string => {
    hashes++
    return sha256(text)
  }
  const request = { kind: 'task', name: 'a' } as const
  const make = (table: CallTable, n: number) => table.make({ caller: 'w', request, args: [n % 7] }, 1)
  const first = new CallTable(hash, new Remembered([]), false)
  const known = Array.from({ length: 100 }, (_, n): RememberedCall => {
    const { info, plain } = make(first, n)
    const { kind: __, ...made } = callRecord(info, plain, false)
    return { ...made, attempts: [] }
  })
  hashes = 0
  const second = new CallTable(hash, new Remembered(known), false)
  const again = known.map((_, n) => make(second, n).info.own)
  expect({ again, hashes }).toEqual({ again: known, hashes: 0 })
})
