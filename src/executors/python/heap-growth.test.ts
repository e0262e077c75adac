import { getHeapStatistics } from 'node:v8'
import { expect, it, vi } from 'vitest'
import { patience } from '../../testing/patience.ts'
import { heapGrowth } from './heap-growth.ts'

const used = (): number => getHeapStatistics().used_heap_size

it('what has died is given back at once when the heap is to be tight', async () => {
  let dead: unknown[] | undefined = Array.from({ length: 2_000_000 }, (_, at) => [at])
  const before = used()
  expect(dead.length).toBe(2_000_000)
  dead = undefined
  const loosen = heapGrowth.keep()
  await vi.waitUntil(() => used() < before - 50e6, patience)
  loosen()
  loosen()
})
