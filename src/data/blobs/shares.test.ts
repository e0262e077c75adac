import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sharesOf } from './shares.ts'

const large = 16 << 20

it('shares are all of the files in their order, none with many of them, and none goes on after a large one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ size: fc.oneof(fc.nat(4096), fc.integer({ min: large, max: large * 9 })) }), {
        maxLength: 300,
      }),
      (files) => {
        const shares = sharesOf(files)
        expect(shares.flat()).toEqual(files)
        for (const share of shares) {
          expect(share.length).toBeGreaterThan(0)
          expect(share.length).toBeLessThanOrEqual(64)
          expect(share.slice(0, -1).every(({ size }) => size < large)).toBe(true)
        }
      },
    ),
  )
})

it('small files share a job until it is full', () => {
  const files = Array.from({ length: 130 }, () => ({ size: 10 }))
  expect(sharesOf(files).map((share) => share.length)).toEqual([64, 64, 2])
})
