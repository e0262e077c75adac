import { expect, it } from 'vitest'
import { expand, fill } from './template.ts'

const same = (text: string): string => text

it('combines all values, the last name turning fastest', () => {
  expect([...expand({ day: ['1', '2'], hour: [0, 6] })]).toEqual([
    { day: '1', hour: '0' },
    { day: '1', hour: '6' },
    { day: '2', hour: '0' },
    { day: '2', hour: '6' },
  ])
  expect([...expand(undefined)]).toEqual([{}])
  expect([...expand({ day: [] })]).toEqual([])
})

it('writes values as they are, and dates in UTC in any form', () => {
  const day = new Date('2026-03-04T05:06:07Z')
  expect(fill('{day}/{day:YYYYMMDD}T{day:HH:mm:ss}/{text:YYYY}', { day, text: '2025-12-31' }, same)).toBe(
    '2026-03-04/20260304T05:06:07/2025',
  )
  expect(fill('{name}', { name: 'a b/c' }, encodeURIComponent)).toBe('a%20b%2Fc')
})

it('refuses names without values, and forms of what is no date', () => {
  expect(() => fill('{dya}', { day: '1' }, same)).toThrow('{dya} has no values')
  expect(() => fill('{toString}', {}, same)).toThrow('{toString} has no values')
  expect(() => fill('{day:YYYY}', { day: 'x' }, same)).toThrow('"x" is no date')
  expect(() => [...expand({ day: '2026' })]).toThrow('it is no list')
  expect(() => [...expand({ day: [true] })]).toThrow('neither text nor number nor date')
})
