import fc from 'fast-check'
import { expect, it } from 'vitest'
import { jobBatches } from './job-batches.ts'

const large = 16 << 20

it('batches are all of the files in their order, none with many of them, and none goes on after a large one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ size: fc.oneof(fc.nat(4096), fc.integer({ min: large, max: large * 9 })) }), {
        maxLength: 300,
      }),
      (files) => {
        const batches = jobBatches(files)
        expect(batches.flat()).toEqual(files)
        for (const batch of batches) {
          expect(batch.length).toBeGreaterThan(0)
          expect(batch.length).toBeLessThanOrEqual(64)
          expect(batch.slice(0, -1).every(({ size }) => size < large)).toBe(true)
        }
      },
    ),
  )
})

it('small files share a batch until it is full', () => {
  const files = Array.from({ length: 130 }, () => ({ size: 10 }))
  expect(jobBatches(files).map((batch) => batch.length)).toEqual([64, 64, 2])
})
