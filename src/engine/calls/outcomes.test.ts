import { describe, expect, it } from 'vitest'
import { FutureRef, HeldRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { Outcomes } from './outcomes.ts'

const ref = (key: string, handle: number, ...path: string[]): HeldRef =>
  new HeldRef(key, path, 'float64[2]', 16, 'python', handle)

const made = (): Outcomes =>
  new Outcomes(
    (text) => text,
    () => undefined,
    (call) => `k${call}`,
  )

describe('held values', () => {
  it('are those of the last result that had them, of several in one result each its own', () => {
    const outcomes = made()
    outcomes.set(1, { value: { a: ref('k1', 1, 'a'), b: ref('k1', 2, 'b') } })
    outcomes.set(2, { value: ref('k2', 3) })
    expect(outcomes.current([ref('k1', 1, 'a'), ref('k1', 2, 'b'), ref('k2', 3), ref('k3', 4)])).toEqual([
      ref('k1', 1, 'a'),
      ref('k1', 2, 'b'),
      ref('k2', 3),
      ref('k3', 4),
    ])
    // they were made again
    outcomes.set(1, { value: { a: ref('k1', 11, 'a'), b: ref('k1', 12, 'b') } })
    outcomes.set(2, { value: ref('k2', 13) })
    expect(outcomes.current([ref('k1', 1, 'a'), ref('k1', 2, 'b'), ref('k2', 3), ref('k1', 5, 'c')])).toEqual(
      [ref('k1', 11, 'a'), ref('k1', 12, 'b'), ref('k2', 13), ref('k1', 5, 'c')],
    )
  })

  it('of an earlier life are under no handle: the same may be of another now', () => {
    const outcomes = made()
    outcomes.set(2, { value: ref('k2', 7) })
    outcomes.set(1, { value: ref('k1', 7), isGone: true })
    outcomes.set(3, { value: ref('k2', 8), isGone: true })
    expect([outcomes.callsHolding([7]), outcomes.callsHolding([8])]).toEqual([[2], []])
    expect([outcomes.current([ref('k2', 8)]), outcomes.isHeldOf(1)]).toEqual([[ref('k2', 7)], true])
  })

  it('that were let go of can be asked for, and lie nowhere', () => {
    const outcomes = made()
    for (const call of [1, 2])
      outcomes.set(call, { value: { sum: ref(`k${call}`, 10 + call, 'sum'), mean: 0.5 } })
    outcomes.letGo(1, 'k1')
    const away = { sum: new HeldRef('k1', ['sum'], 'float64[2]', 16, '', 0), mean: 0.5 }
    expect([outcomes.value(1), outcomes.seen(1), outcomes.isHeldOf(1)]).toEqual([away, undefined, true])
    expect(outcomes.field(new FutureRef(1, ['sum']), 'make')).toEqual(away.sum)
    expect(outcomes.callsHolding([11, 12])).toEqual([2])
    // somebody needs it after all
    outcomes.set(1, { value: { sum: ref('k1', 21, 'sum'), mean: 0.5 } })
    expect(outcomes.current([away.sum])).toEqual([ref('k1', 21, 'sum')])
    expect(outcomes.callsHolding([21])).toEqual([1])
  })

  it('count the same in a fingerprint when they were let go of', () => {
    const outcomes = made()
    outcomes.set(1, { value: [ref('k1', 11), { of: 'sky' }] })
    const before = outcomes.text(new FutureRef(1))
    outcomes.letGo(1, 'k1')
    expect(outcomes.text(new FutureRef(1))).toBe(before)
  })

  it('keep what their key does not tell: others among them, and copies', () => {
    const outcomes = made()
    const copied = new HeldRef('k2', [], 'text', 3, 'python', 12, { digest: 'd', size: 3 })
    const values: Value[] = [[ref('k1', 11), ref('k9', 19)], copied]
    values.forEach((value, i) => {
      outcomes.set(i + 1, { value })
      outcomes.letGo(i + 1, `k${i + 1}`)
    })
    expect([outcomes.seen(1), outcomes.seen(2)]).toEqual(values)
    expect(outcomes.callsHolding([11, 12])).toEqual([1, 2])
  })

  it('keep themselves where each says something else', () => {
    const outcomes = made()
    const value = (call: number): Value => ({ sum: ref(`k${call}`, call, 'sum'), mean: call })
    for (let call = 1; call <= 100; call++) {
      outcomes.set(call, { value: value(call) })
      outcomes.letGo(call, `k${call}`)
    }
    expect(outcomes.seen(100)).toEqual(value(100))
    expect([outcomes.seen(1), (outcomes.value(1) as { mean: number }).mean]).toEqual([undefined, 1])
  })
})
