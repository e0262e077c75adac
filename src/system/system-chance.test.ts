import { expect, it } from 'vitest'
import { SystemChance } from './system-chance.ts'

const noon = Date.UTC(2025, 5, 1, 12)

it('ids are in the order in which they were given: in a millisecond, later, and when the clock goes back', () => {
  const chance = new SystemChance()
  const times = [...Array<number>(1000).fill(noon), noon + 1, noon + 2, noon - 3_600_000, noon + 2, noon + 3]
  const ids = times.map((now) => chance.id(now))
  expect(ids.filter((id) => !/^[0-9a-hjkmnp-tv-z]{14}$/.test(id))).toEqual([])
  expect(ids).toEqual([...new Set(ids)].sort())
})

it('an id is its time and chance; after the last of a millisecond comes one of the next', () => {
  let byte = 0
  const chance = new SystemChance((count) => new Uint8Array(count).fill(byte))
  expect([chance.id(noon), chance.id(noon)]).toEqual(['1jwnnsvg000000', '1jwnnsvg000001'])
  byte = 255
  expect([chance.id(noon + 1), chance.id(noon + 1)]).toEqual(['1jwnnsvg1zzzzz', '1jwnnsvg2zzzzz'])
})
