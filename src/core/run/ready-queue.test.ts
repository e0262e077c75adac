import { describe, expect, it } from 'vitest'
import { done, identified, MachineBench, made, succeeded } from '../../testing/machine-bench.ts'
import { SeededChance } from '../../testing/seeded-chance.ts'
import type { Call } from './call.ts'
import { RunGraph } from './graph.ts'
import { isBetter, ReadyQueue } from './ready-queue.ts'

/** A slot for one; all that waits for it is ready, and comes in the order that is expected. */
const starts = (...makings: readonly (readonly [call: number, making: object])[]): string[] => {
  const bench = new MachineBench({ cpu: 1 })
  bench.do(made(99), identified(99))
  for (const [call, making] of makings) bench.do(made(call, making), identified(call))
  const order: string[] = []
  for (let next: string | undefined = '99.1'; next !== undefined; ) {
    const [call, attempt] = next.split('.').map(Number) as [number, number]
    const effects = bench.do(succeeded(call, attempt))
    next = effects.find((effect) => effect.startsWith('start '))?.slice('start '.length)
    if (next !== undefined) order.push(next.replace(/\..*/, ''))
  }
  return order
}

describe('ready calls start', () => {
  it('by age where nothing else tells them apart', () => {
    expect(starts([3, {}], [1, {}], [2, {}])).toEqual(['1', '2', '3'])
  })

  it('by priority first', () => {
    expect(starts([1, {}], [2, { priority: 5 }], [3, { priority: -1 }])).toEqual(['2', '1', '3'])
  })

  it('depth first: what an older call waits for goes before what a younger one waits for', () => {
    const bench = new MachineBench({ cpu: 1 })
    bench.do(made(0), identified(0), made(1), made(2), made(3, { inputs: [2] }), made(4, { inputs: [1] }))
    bench.do(identified(1), identified(2))
    expect(bench.do(succeeded(0))).toEqual(['ended 0 succeeded/executed as 0', 'start 2.1'])
  })

  it('letting held results go before all others, whatever their priority', () => {
    const bench = new MachineBench({ cpu: 1 })
    bench.do(made(0), identified(0), succeeded(0, 1, true), made(1), identified(1))
    bench.do(
      made(2, { priority: 9 }),
      identified(2),
      made(3, { inputs: [0] }),
      identified(3, { heldInputs: [0] }),
    )
    expect(bench.do(succeeded(1))).toEqual(['ended 1 succeeded/executed as 1', 'start 3.1'])
  })

  it('in any order of coming and going', () => {
    const graph = new RunGraph({ cpu: 1, memoryBytes: 0 }, 0)
    const chance = new SeededChance(7)
    const queue = new ReadyQueue(graph.calls)
    const waiting: Call[] = []
    for (let i = 0; i < 2000; i++) {
      if (chance.number() < 0.6 || waiting.length === 0) {
        const call = graph.add(made(i, { priority: chance.below(4) }))
        queue.push(call)
        waiting.push(call)
        continue
      }
      const gone = chance.number() < 0.5 ? (queue.peek() as Call) : chance.pick(waiting)
      queue.remove(gone)
      waiting.splice(
        waiting.findIndex(({ id }) => id === gone.id),
        1,
      )
      expect(gone.heapIndex).toBe(-1)
      const best = waiting.toSorted((a, b) => (isBetter(a, b) ? -1 : 1))[0]
      expect(queue.peek()?.id).toBe(best?.id)
    }
  })

  it('without a call that left meanwhile', () => {
    const bench = new MachineBench({ cpu: 1 })
    bench.do(...done(0), made(1), identified(1), made(2), identified(2), made(3), identified(3))
    bench.do({ kind: 'cancel' })
    expect(
      bench.machine.graph.slots.queues.size === 0 ||
        [...bench.machine.graph.slots.queues.values()].every(({ size }) => size === 0),
    ).toBe(true)
  })
})
