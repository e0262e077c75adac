import { describe, expect, it } from 'vitest'
import {
  committed,
  deprived,
  failed,
  given,
  identified,
  judged,
  left,
  lost,
  MachineBench,
  made,
  remembered,
  rested,
  settled,
  started,
  stopped,
  succeeded,
} from '../../testing/machine-bench.ts'
import type { RunEvent } from './events.ts'

/** What would break if X happened in order Y. */

/** A call in each phase of its life, and what was done to bring it there. */
const phases: readonly (readonly [phase: string, events: readonly RunEvent[]])[] = [
  ['inputs', [made(9), made(0, { inputs: [9] })]],
  ['identify', [made(0)]],
  ['lookup', [made(0), identified(0, { lookup: true })]],
  [
    'gate',
    [made(9), identified(9), succeeded(9), made(0, { inputs: [9] }), identified(0, { afterCommit: true })],
  ],
  ['ready', [made(9, { cpu: 4 }), identified(9), made(0), identified(0)]],
  ['start', [made(0), identified(0)]],
  ['execute', [made(0), identified(0), started(0)]],
  ['retry', [made(0, { retries: { count: 3 } }), identified(0), failed(0)]],
  ['judge', [made(0, { onFailure: 'pause' }), identified(0), failed(0)]],
  ['sleep', [made(0, { kind: 'sleep' }), identified(0)]],
  ['ask', [made(0, { kind: 'ask' }), identified(0)]],
]

/** All that may still be said of a call, by whoever was asked about it before. */
const late: readonly RunEvent[] = [
  identified(0),
  remembered(0, 3),
  { kind: 'refused', call: 0 },
  { kind: 'hit', call: 0 },
  { kind: 'missed', call: 0 },
  started(0),
  succeeded(0),
  failed(0),
  lost(0),
  deprived(0, 1, []),
  stopped(0),
  left(0),
  { kind: 'expanded', call: 0 },
  { kind: 'woke', call: 0 },
  judged(0, 'retry'),
]

describe('cancelling a call', () => {
  it.each(phases)('in phase %s ends it once, and late news of it changes nothing', (_, events) => {
    const bench = new MachineBench({}, 5)
    bench.do(...events)
    const effects = bench.do({ kind: 'cancel' })
    const isRunning = effects.includes('stop 0.1')
    expect(isRunning || effects.some((effect) => effect.startsWith('ended 0 cancelled/request'))).toBe(true)
    if (isRunning) bench.do(stopped(0))
    expect(bench.status(0)).toBe('cancelled/request')
    expect(bench.do(...late)).toEqual([])
    expect(bench.status(0)).toBe('cancelled/request')
  })

  it.each(phases)('in phase %s twice is no more than once', (_, events) => {
    const bench = new MachineBench({}, 5)
    bench.do(...events, { kind: 'cancel' })
    const again = bench.do({ kind: 'cancel' })
    expect(again.map((effect) => effect.split(' ')[0])).toEqual(['cancelling'])
  })

  it.each(phases)('in phase %s lets the run finish', (_, events) => {
    const bench = new MachineBench({}, 5)
    bench.do(...events, { kind: 'cancel' })
    for (const call of [0, 9])
      if (
        bench.machine.graph.calls.find(call)?.end === undefined &&
        bench.machine.graph.calls.find(call) !== undefined
      )
        bench.do(stopped(call))
    expect(bench.do(settled(false), rested)).toEqual(['finish'])
  })
})

describe('a function that throws', () => {
  it.each(phases)('while a call is in phase %s lets the run finish when that has ended', (phase, events) => {
    const bench = new MachineBench({}, 5)
    bench.do(...events)
    bench.do(settled(false))
    for (const call of [0, 9]) {
      const found = bench.machine.graph.calls.find(call)
      if (found !== undefined && found.end === undefined) bench.do(succeeded(call, found.attempt))
    }
    expect({ phase, end: bench.do(rested) }).toEqual({ phase, end: ['finish'] })
  })
})

describe('news of an attempt', () => {
  const news: readonly (readonly [what: string, event: RunEvent])[] = [
    ['a success', succeeded(0)],
    ['a failure', failed(0)],
    ['a loss', lost(0)],
    ['that it could not begin', deprived(0, 1, [])],
    ['that it began', started(0)],
    ['that it was stopped', stopped(0)],
  ]

  it.each(news)('%s: told twice counts once', (_, event) => {
    const bench = new MachineBench()
    bench.do(made(0, { retries: { count: 5 } }), identified(0))
    if (event.kind === 'stopped') bench.do({ kind: 'cancel' })
    bench.do(event)
    const { attempt, spent, losses, phase } = bench.machine.graph.call(0)
    expect(bench.do(event)).toEqual([])
    expect(bench.machine.graph.call(0)).toMatchObject({ attempt, spent, losses, phase })
  })

  it.each(news)('%s: of an attempt that was given up counts for none', (_, event) => {
    const bench = new MachineBench()
    bench.do(made(0), identified(0), lost(0, 1))
    expect(bench.status(0)).toBe('running/starting')
    expect(bench.do(event)).toEqual([])
    expect(bench.do(succeeded(0, 2))).toEqual(['ended 0 succeeded/executed as 0'])
    expect(bench.do(event)).toEqual([])
  })

  it('that it began may come after its end', () => {
    const bench = new MachineBench()
    bench.do(made(0), identified(0), succeeded(0))
    expect(bench.do(started(0))).toEqual([])
  })

  it('of one that never began counts for none', () => {
    const bench = new MachineBench({ cpu: 1 })
    bench.do(made(9), identified(9), made(0), identified(0))
    expect(bench.do(succeeded(0, 0), succeeded(0, 1), failed(0, 7))).toEqual([])
    expect(bench.status(0)).toBe('waiting/slot')
  })

  it('holds no slot: a worker that comes back to life finds its place taken, once', () => {
    const bench = new MachineBench({ cpu: 1 })
    bench.do(made(0), identified(0), made(1), identified(1), lost(0, 1))
    bench.do(succeeded(0, 1), failed(0, 1), lost(0, 1))
    expect(bench.machine.graph.slots.running).toBe(1)
  })
})

describe('what comes in another order', () => {
  it('ends the same whichever input ends first', () => {
    const run = (order: readonly number[]): string[] => {
      const bench = new MachineBench()
      bench.do(
        made(0),
        made(1),
        made(2),
        made(3, { inputs: [0, 1, 2] }),
        identified(0),
        identified(1),
        identified(2),
      )
      return bench.do(...order.map((call) => succeeded(call))).filter((effect) => effect.endsWith(' 3'))
    }
    const orders = [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ]
    expect(orders.map(run)).toEqual(orders.map(() => ['identify 3']))
  })

  it('settles before, between or after the calls end', () => {
    const ends = [succeeded(0), failed(1)].flatMap((_, at, all) => [all.slice(0, at), all])
    for (const before of ends) {
      const bench = new MachineBench()
      bench.do(made(0), made(1), identified(0), identified(1), observed1, ...before, settled())
      expect(bench.do(succeeded(0), failed(1), rested)).toContain('finish')
    }
  })

  it('commits before the call that waits for it is known, or long after', () => {
    const early = new MachineBench()
    early.do(made(0), identified(0), succeeded(0), committed(0), made(1, { inputs: [0] }))
    expect(early.do(identified(1, { afterCommit: true }))).toEqual(['start 1.1'])
    const late = new MachineBench()
    late.do(
      made(0),
      identified(0),
      succeeded(0),
      made(1, { inputs: [0] }),
      identified(1, { afterCommit: true }),
    )
    late.do({ kind: 'pause' }, committed(0))
    expect(late.status(1)).toBe('waiting/held')
    expect(late.do({ kind: 'unpause' })).toEqual(['start 1.1'])
  })

  it('commits an older order after a newer one', () => {
    const bench = new MachineBench()
    bench.do(made(0), identified(0), succeeded(0), committed(7), committed(0), made(1, { inputs: [0] }))
    expect(bench.do(identified(1, { afterCommit: true }))).toEqual(['start 1.1'])
  })

  it('cancels while everything rests, pauses while everything is cancelled', () => {
    const bench = new MachineBench()
    bench.do({ kind: 'pause' }, made(0), identified(0))
    expect(bench.do({ kind: 'cancel' })).toEqual(['ended 0 cancelled/request as 0', 'cancelling'])
    bench.do({ kind: 'pause' }, made(1), identified(1))
    expect(bench.do({ kind: 'unpause' })).toEqual(['start 1.1'])
  })

  it('makes calls of what was cancelled, skipped or long ended', () => {
    const bench = new MachineBench()
    bench.do(made(0), made(1, { inputs: [0] }), { kind: 'cancel' })
    expect(bench.do(made(2, { inputs: [1] }))).toEqual(['ended 2 skipped/upstream as 2'])
    expect(bench.do(made(3, { kind: 'view', inputs: [0, 1, 2], tolerant: true }))).toEqual(['enter 3'])
  })

  it('loses a held result between the decision to start and the start, and while it is being used', () => {
    const bench = new MachineBench()
    bench.do(
      made(0),
      identified(0),
      succeeded(0, 1, true),
      made(1, { inputs: [0] }),
      identified(1, { heldInputs: [0] }),
    )
    expect(bench.do({ kind: 'gone', calls: [0] })).toEqual([])
    // it had been read by then
    expect(bench.do(succeeded(1))).toEqual(['ended 1 succeeded/executed as 1'])
  })

  it('loses a held result twice, and that of a call that holds none', () => {
    const bench = new MachineBench()
    bench.do(made(0), identified(0), succeeded(0, 1, true), made(1), identified(1), succeeded(1))
    expect(bench.do({ kind: 'gone', calls: [0, 1] }, { kind: 'gone', calls: [0] })).toEqual([])
    expect([bench.machine.graph.call(0).lost, bench.machine.graph.call(1).lost]).toEqual([true, false])
  })

  it('gives outcomes of calls that nobody awaited', () => {
    const bench = new MachineBench()
    bench.do(made(0), identified(0), succeeded(0))
    expect(bench.do(given(0), settled(), rested)).toEqual(['finish'])
  })
})

const observed1: RunEvent = { kind: 'observed', call: 1 }
