import { describe, expect, it } from 'vitest'
import { failed, identified, MachineBench, made, succeeded } from '../../testing/machine-bench.ts'
import { maxPassed } from './slots.ts'

const startsOf = (effects: readonly string[]): string[] =>
  effects.filter((effect) => effect.startsWith('start'))

describe('slots', () => {
  it('are given out as far as there are processors and memory', () => {
    const bench = new MachineBench({ cpu: 4, memoryBytes: 1000 })
    bench.do(
      made(0, { cpu: 3 }),
      identified(0),
      made(1, { cpu: 2 }),
      identified(1),
      made(2, { memoryBytes: 900 }),
      identified(2),
    )
    expect([0, 1, 2].map((call) => bench.status(call))).toEqual([
      'running/starting',
      'waiting/slot',
      'running/starting',
    ])
    expect(startsOf(bench.do(succeeded(0)))).toEqual(['start 1.1'])
    bench.do(made(3, { memoryBytes: 200 }), identified(3))
    expect(bench.status(3)).toBe('waiting/memory')
    expect(startsOf(bench.do(succeeded(2)))).toEqual(['start 3.1 with 200'])
  })

  it('let a call run alone that needs more than there is', () => {
    const bench = new MachineBench({ cpu: 2 })
    bench.do(made(0, { cpu: 8 }), identified(0), made(1), identified(1))
    expect(bench.status(1)).toBe('waiting/slot')
    expect(startsOf(bench.do(succeeded(0)))).toEqual(['start 1.1'])
    bench.do(made(2, { cpu: 8 }), identified(2))
    expect(bench.status(2)).toBe('waiting/slot')
    expect(startsOf(bench.do(succeeded(1)))).toEqual(['start 2.1'])
  })

  it('are given back however an attempt ends', () => {
    const bench = new MachineBench({ cpu: 1 })
    bench.do(made(0, { retries: { count: 1 } }), identified(0), failed(0))
    expect(bench.machine.graph.slots.used).toEqual({ cpu: 0, memoryBytes: 0 })
    bench.do({ kind: 'woke', call: 0 }, failed(0, 2))
    expect({ used: bench.machine.graph.slots.used, running: bench.machine.graph.slots.running }).toEqual({
      used: { cpu: 0, memoryBytes: 0 },
      running: 0,
    })
  })

  it('go to the best call that fits, even while a better one does not', () => {
    const bench = new MachineBench({ cpu: 4 })
    bench.do(made(0, { cpu: 3 }), identified(0), made(1, { cpu: 4 }), identified(1))
    expect(bench.do(made(2), identified(2))).toEqual(['identify 2', 'start 2.1'])
  })

  /** Small calls come one after the other, so that there is never room for the large one. */
  const stream = (large: object, small: object): { passed: number; bench: MachineBench } => {
    const bench = new MachineBench({ cpu: 2 })
    bench.do(made(1), identified(1), made(0, { cpu: 2, ...large }), identified(0))
    let passed = 0
    let running = 1
    for (let call = 2; call < 200; call++) {
      const started = startsOf(bench.do(made(call, small), identified(call)))
      if (started.length === 0) break
      passed++
      bench.do(succeeded(running))
      running = call
    }
    return { passed, bench }
  }

  it('are kept back for a call that was passed often enough', () => {
    expect(stream({}, {}).passed).toBe(maxPassed)
  })

  it('are not kept back from what is better', () => {
    expect(stream({}, { priority: 1 }).passed).toBe(198)
  })

  it('A2: passing is counted for each call, however often better ones start in between', () => {
    const bench = new MachineBench({ cpu: 2 })
    bench.do(made(1), identified(1), made(0, { cpu: 2 }), identified(0))
    let [passed, running] = [0, 1]
    for (let call = 2; call < 400; call++) {
      // every third one is better than the large call
      const isBetter = call % 3 === 0
      const started = startsOf(bench.do(made(call, { priority: isBetter ? 1 : 0 }), identified(call)))
      if (started.length === 0) break
      if (!isBetter) passed++
      bench.do(succeeded(running))
      running = call
    }
    expect(passed).toBe(maxPassed)
  })
})

describe('calls ahead', () => {
  const calls = [0, 1, 2, 3].map((call) => made(call))
  const policies = new Set(calls.flatMap((event) => ('policy' in event ? [event.policy] : [])))
  const ahead = (bench: MachineBench): number[] => {
    const { graph } = bench.machine
    return [0, 1, 2, 3].filter((call) => graph.call(call).ahead > 0)
  }

  it('are started without a slot, and each takes that of one that ends', () => {
    const bench = new MachineBench({ cpu: 1 })
    bench.do({ kind: 'window', windows: [{ calls: 2, policies }] })
    bench.do(...calls.flatMap((event, call) => [event, identified(call)]))
    expect([0, 1, 2, 3].map((call) => bench.status(call))).toEqual([
      'running/starting',
      'running/starting',
      'running/starting',
      'waiting/slot',
    ])
    expect(ahead(bench)).toEqual([1, 2])
    expect(startsOf(bench.do(succeeded(0)))).toEqual(['start 3.1'])
    expect(ahead(bench)).toEqual([2, 3])
    // it was executed before the one that was ahead of it
    bench.do(succeeded(2))
    expect(ahead(bench)).toEqual([3])
    bench.do(succeeded(1), succeeded(3))
    expect(bench.machine.graph.slots.used).toEqual({ cpu: 0, memoryBytes: 0 })
  })

  it('are not started beside, or before, one of another kind', () => {
    const bench = new MachineBench({ cpu: 1 })
    bench.do({ kind: 'window', windows: [{ calls: 2, policies }] })
    bench.do(made(4), identified(4), ...calls.flatMap((event, call) => [event, identified(call)]))
    expect(ahead(bench)).toEqual([])
    bench.do(succeeded(4))
    expect(ahead(bench)).toEqual([1, 2])
    bench.do(made(5, { priority: 1 }), identified(5), succeeded(0), succeeded(1))
    expect([ahead(bench), bench.status(3), bench.status(5)]).toEqual([[], 'waiting/slot', 'waiting/slot'])
    expect(startsOf(bench.do(succeeded(2)))).toEqual(['start 5.1'])
  })

  it('are not started beside those of another executor, which would leave them no place there', () => {
    const bench = new MachineBench({ cpu: 1 })
    const others = [10, 11].map((call) => made(call))
    const theirs = new Set(others.flatMap((event) => ('policy' in event ? [event.policy] : [])))
    const windows = [policies, theirs].map((kind) => ({ calls: 4, policies: kind }))
    bench.do({ kind: 'window', windows }, ...calls.slice(0, 2), ...others)
    bench.do(identified(10), identified(0), identified(11), identified(1))
    expect([10, 0, 11, 1].map((call) => bench.status(call))).toEqual([
      'running/starting',
      'waiting/slot',
      'waiting/slot',
      'waiting/slot',
    ])
    expect(startsOf(bench.do(succeeded(10)))).toEqual(['start 0.1', 'start 1.1'])
    expect(bench.machine.graph.call(1).ahead).toBeGreaterThan(0)
    expect(startsOf(bench.do(succeeded(0), succeeded(1)))).toEqual(['start 11.1'])
  })

  it('A5: are not started while the window is full, but for those that let held results go', () => {
    const bench = new MachineBench({ cpu: 1 })
    const frees = [10, 11, 12].map((call) => made(call))
    const both = new Set([
      ...policies,
      ...frees.flatMap((event) => ('policy' in event ? [event.policy] : [])),
    ])
    bench.do({ kind: 'window', windows: [{ calls: 1, policies: both }] })
    bench.do(...calls.slice(0, 3).flatMap((event, call) => [event, identified(call)]))
    expect([0, 1, 2].map((call) => bench.status(call))).toEqual([
      'running/starting',
      'running/starting',
      'waiting/slot',
    ])
    bench.do(...frees, succeeded(0, 1, true))
    const found = frees.map((_, at) => startsOf(bench.do(identified(10 + at, { heldInputs: [0] }))))
    expect(found).toEqual([['start 10.1'], [], []])
    expect(startsOf(bench.do(succeeded(10)))).toEqual(['start 11.1'])
  })
})
