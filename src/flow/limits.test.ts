import { expect, it } from 'vitest'
import { limitRules } from './limits.ts'
import { policyOf } from './options.ts'

const needs = (options: object) => policyOf('t', options).limits

it('limits are named, or given with units; equal needs have equal keys', () => {
  expect(needs({ limits: ['gpfs', 'api'] })).toEqual({
    key: '[["api",1],["gpfs",1]]',
    needs: [
      { name: 'api', units: 1 },
      { name: 'gpfs', units: 1 },
    ],
  })
  expect(needs({ limits: { api: 1, gpfs: 1 } })?.key).toBe(needs({ limits: ['gpfs', 'api'] })?.key)
  expect(needs({ rate: '10/s' })).toEqual({
    key: '[["task:t",1]]',
    needs: [{ name: 'task:t', units: 1, rate: { count: 10, perMs: 1000, burst: 1 } }],
  })
  expect([needs({}), needs({ limits: [] })]).toEqual([undefined, undefined])
})

it('limits are declared with a capacity, a rate, or both', () => {
  const declared = {
    gpfs: 4,
    api: { rate: '30/10m', burst: 5 },
    fast: { capacity: 2, rate: '10000/s' },
  } as const
  expect(limitRules('w', declared)).toEqual([
    { name: 'gpfs', capacity: 4 },
    { name: 'api', rate: { count: 30, perMs: 600_000, burst: 5 } },
    { name: 'fast', capacity: 2, rate: { count: 10_000, perMs: 1000, burst: 100 } },
  ])
})

it.each<[string, () => unknown, string]>([
  [
    'units of nothing',
    () => needs({ limits: { gpfs: 0 } }),
    'Option limits of t is not valid: of gpfs it takes 0',
  ],
  ['a name twice', () => needs({ limits: ['a', 'a'] }), 'Option limits of t is not valid: a is named twice'],
  ['a name that is none', () => needs({ limits: ['task:x'] }), '"task:x" is no name of a limit'],
  [
    'a rate that is none',
    () => needs({ rate: '10 per s' }),
    'Option rate of t is not valid: "10 per s" is no rate',
  ],
  [
    'no capacity',
    () => limitRules('w', { a: 0 }),
    'Option limits.a.capacity of w is not valid: 0 is no number',
  ],
  [
    'neither',
    () => limitRules('w', { a: {} }),
    'Option limits.a of w is not valid: it has neither a capacity nor a rate',
  ],
  ['a burst alone', () => limitRules('w', { a: { capacity: 1, burst: 2 } }), 'there is no rate'],
  [
    'another word',
    () => limitRules('w', { a: { capacty: 1 } as object }),
    'there are capacity, rate and burst',
  ],
])('%s is refused', (_, define, message) => {
  expect(define).toThrow(message)
})
