import { describe, expect, it } from 'vitest'
import { HeldRef } from '../model/refs.ts'
import { Outcomes } from './outcomes.ts'

const ref = (key: string, handle: number, ...path: string[]): HeldRef =>
  new HeldRef(key, path, 'float64[2]', 16, 'python', handle)

describe('held values', () => {
  it('are those of the last result that had them, of several in one result each its own', () => {
    const outcomes = new Outcomes(
      (text) => text,
      () => undefined,
    )
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
})
