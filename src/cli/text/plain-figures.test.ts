import { expect, it } from 'vitest'
import { plainFigures } from './plain-figures.ts'

it('gives numbers and short texts of an output on one line', () => {
  expect(plainFigures({ n: 3, ok: true, unit: 'K', long: 'x'.repeat(60), list: [1] })).toBe(
    'n 3 · ok true · unit K',
  )
  expect(plainFigures({ 'a\nb': 'c\u001b[31m' })).toBe(String.raw`"a\nb" "c\u001b[31m"`)
  expect(plainFigures([1, 2])).toBe('')
})

it('gives no more than a line has room for, and says how many there are besides', () => {
  const output = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`field${10_000 + i}`, i % 10]))
  const parts = plainFigures(output).split(' · ')
  expect([parts.length, parts[0], parts.at(-2), parts.at(-1)]).toEqual([
    42,
    'field10000 0',
    'field10040 0',
    '19959 more with --json',
  ])
})
