import { expect, it } from 'vitest'
import { Line } from './line.ts'

it('gives what came first, also while more come', () => {
  const line = new Line([0, 1])
  const gone: (number | undefined)[] = []
  for (let n = 2; n < 1000; n++) {
    line.push(n)
    if (n % 3 !== 0) gone.push(line.shift())
  }
  expect(line.size).toBe(1000 - gone.length)
  const rest = [...line]
  while (!line.isEmpty) gone.push(line.shift())
  expect(gone).toEqual(Array.from({ length: 1000 }, (_, n) => n))
  expect(rest).toEqual(gone.slice(-rest.length))
  expect(line.shift()).toBeUndefined()
})
