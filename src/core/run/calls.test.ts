import { describe, expect, it } from 'vitest'
import { made } from '../../testing/machine-bench.ts'
import { Calls } from './calls.ts'

const task = made(0).policy
const of = (id: number, inputs: readonly number[] = []) =>
  ({ id, kind: 'task', policy: task, inputs }) as const

describe('calls', () => {
  it('are found by number, over holes, and gone through in order', () => {
    const calls = new Calls()
    for (const id of [3, 100_000, 0, 1024]) calls.add(of(id))
    expect([...calls].map(({ id }) => id)).toEqual([0, 3, 1024, 100_000])
    expect([calls.find(1), calls.find(5000), calls.find(1_000_000)]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('begin with nothing known of them', () => {
    const calls = new Calls()
    const { inputs, phase, end, order, parent, rememberedOrder, consumer, waiters, heapIndex } = calls.add(
      of(7, [2]),
    )
    expect({ inputs, phase, end, order, parent, rememberedOrder, consumer, waiters, heapIndex }).toEqual({
      inputs: [2],
      phase: 'inputs',
      end: undefined,
      order: -1,
      parent: undefined,
      rememberedOrder: undefined,
      consumer: undefined,
      waiters: undefined,
      heapIndex: -1,
    })
  })

  it('are what was written of them last, whichever view wrote it', () => {
    const calls = new Calls()
    const first = calls.add(of(1))
    const other = calls.add(of(2))
    first.held = true
    first.lost = true
    first.held = false
    first.spent = 2
    first.rememberedOrder = 0
    first.end = { state: 'failed', reason: 'error' }
    other.end = { state: 'succeeded', reason: 'executed' }
    const second = calls.find(1)
    if (second !== undefined) second.memoryBytes = 2 ** 40
    const { held, lost, kept, spent, memoryBytes, rememberedOrder, end } = first
    expect({ held, lost, kept, spent, memoryBytes, rememberedOrder, end }).toEqual({
      held: false,
      lost: true,
      kept: false,
      spent: 2,
      memoryBytes: 2 ** 40,
      rememberedOrder: 0,
      end: { state: 'failed', reason: 'error' },
    })
    expect(calls.find(2)?.end).toEqual({ state: 'succeeded', reason: 'executed' })
    expect(calls.find(2)?.memoryBytes).toBe(task.memoryBytes)
  })
})
