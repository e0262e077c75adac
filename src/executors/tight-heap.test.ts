import { setImmediate } from 'node:timers/promises'
import { getHeapStatistics } from 'node:v8'
import { expect, it } from 'vitest'
import { tightHeap } from './tight-heap.ts'

it('what has died is given back at once when the heap is to be tight', async () => {
  let dead: unknown[] | undefined = Array.from({ length: 2_000_000 }, (_, at) => [at])
  const before = getHeapStatistics().used_heap_size
  expect(dead.length).toBe(2_000_000)
  dead = undefined
  const loosen = tightHeap.keep()
  while (getHeapStatistics().used_heap_size > before - 50e6) await setImmediate()
  loosen()
  loosen()
})
