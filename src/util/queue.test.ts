import { expect, it } from 'vitest'
import { Queue } from './queue.ts'

it('gives what came first, also while more come', () => {
  const queue = new Queue([0, 1])
  const gone: (number | undefined)[] = []
  for (let n = 2; n < 1000; n++) {
    queue.push(n)
    if (n % 3 !== 0) gone.push(queue.shift())
  }
  expect(queue.size).toBe(1000 - gone.length)
  const rest = [...queue]
  while (!queue.isEmpty) gone.push(queue.shift())
  expect(gone).toEqual(Array.from({ length: 1000 }, (_, n) => n))
  expect(rest).toEqual(gone.slice(-rest.length))
  expect(queue.shift()).toBeUndefined()
})
