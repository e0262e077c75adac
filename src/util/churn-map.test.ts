import { expect, it } from 'vitest'
import { ChurnMap } from './churn-map.ts'

/** The same numbers each time, anywhere. */
function* numbers(): Generator<number> {
  for (let n = 1; ; n = (n * 48_271) % 2_147_483_647) yield n
}

it.each([
  ['numbers', (n: number): number | string => n],
  ['texts', (n: number): number | string => `r/${n}`],
])('has what a Map of %s has, whatever comes and goes', (_, keyOf) => {
  const map = new ChurnMap<number | string, number>()
  const like = new Map<number | string, number>()
  const chance = numbers()
  for (let step = 0; step < 20_000; step++) {
    const key = keyOf((chance.next().value as number) % 97)
    expect([map.has(key), map.get(key), map.size]).toEqual([like.has(key), like.get(key), like.size])
    if ((chance.next().value as number) % 3 === 0) {
      expect(map.delete(key)).toBe(like.delete(key))
    } else {
      map.set(key, step)
      like.set(key, step)
    }
  }
  expect(new Map(map.entries())).toEqual(like)
})
