import { describe, expect, it } from 'vitest'
import {
  failed,
  given,
  identified,
  left,
  MachineBench,
  made,
  remembered,
  succeeded,
} from '../../testing/machine-bench.ts'

/** Replays give outcomes back in their orders; so an order must fit what the function saw when it was given. */
describe('a remembered order', () => {
  it('is kept by its own call, which need not be recorded again', () => {
    const bench = new MachineBench({}, 5)
    expect(bench.do(made(0, { order: 4 }), remembered(0, 4))).toEqual([
      'identify 0',
      'ended 0 succeeded/executed as 4, on record',
    ])
  })

  it('is taken over with the outcome of another call, and recorded', () => {
    const bench = new MachineBench({}, 5)
    expect(bench.do(made(7), remembered(7, 4, { own: false }))).toEqual([
      'identify 7',
      'ended 7 succeeded/executed as 4',
    ])
  })

  it('is not that of a result that a skipped call had kept', () => {
    const bench = new MachineBench({}, 5)
    expect(bench.do(made(0, { order: 4 }), remembered(0, undefined))).toEqual([
      'identify 0',
      'ended 0 succeeded/executed as 5',
    ])
  })

  it('is given up when a higher one was given since the call was made', () => {
    const bench = new MachineBench({}, 10)
    bench.do(made(0, { order: 4 }), made(1, { order: 9 }), remembered(1, 9), given(1))
    expect(bench.do(remembered(0, 4))).toEqual(['ended 0 succeeded/executed as 10'])
  })

  it('is kept when a higher one was given before the call was made, as after an inserted step', () => {
    const bench = new MachineBench({}, 10)
    bench.do(made(8), identified(8), succeeded(8), given(8))
    expect(bench.do(made(0, { order: 4 }), remembered(0, 4))).toEqual([
      'identify 0',
      'ended 0 succeeded/executed as 4, on record',
    ])
  })

  it('is given up when an input was executed anew', () => {
    const bench = new MachineBench({}, 10)
    bench.do(made(0, { order: 3 }), made(1, { inputs: [0], order: 4 }), identified(0), succeeded(0))
    expect(bench.do(remembered(1, 4))).toEqual(['ended 1 succeeded/executed as 11'])
  })

  it('is kept by what is derived again: views, children, skips', () => {
    const bench = new MachineBench({}, 10)
    bench.do(made(0, { kind: 'view', order: 4 }), made(1, { kind: 'child', order: 6 }))
    expect(bench.do(left(1), left(0))).toEqual([
      'ended 1 succeeded/executed as 6',
      'ended 0 succeeded/executed as 4',
    ])
    bench.do(made(2, { order: 7 }), made(3, { inputs: [2], order: 8 }))
    expect(bench.do(remembered(2, 7, { status: { state: 'failed', reason: 'error' } }))).toEqual([
      'ended 2 failed/error as 7, on record',
      'ended 3 skipped/upstream as 8',
    ])
  })

  it('of a child is given up when what it was given has a higher one', () => {
    const bench = new MachineBench({}, 10)
    bench.do(made(0, { kind: 'child', order: 4 }), made(1), identified(1), succeeded(1), given(1))
    expect(bench.do(left(0))).toEqual(['ended 0 succeeded/executed as 11'])
  })

  it('of a skip is given up when what it comes of failed anew', () => {
    const bench = new MachineBench({}, 10)
    bench.do(made(0, { order: 3 }), made(1, { inputs: [0], order: 4 }), identified(0))
    expect(bench.do(failed(0))).toEqual(['ended 0 failed/error as 10', 'ended 1 skipped/upstream as 11'])
  })

  it('of a skip is kept whichever of the failures behind it is known first', () => {
    const bench = new MachineBench({}, 10)
    const status = { state: 'failed', reason: 'error' } as const
    bench.do(
      made(0, { order: 7 }),
      made(1, { order: 3, failure: 'own' }),
      made(2, { inputs: [0, 1], order: 4 }),
    )
    expect(bench.do(remembered(0, 7, { status }))).toEqual([
      'ended 0 failed/error as 7, on record',
      'ended 2 skipped/upstream as 4',
    ])
  })

  it('of a skip is given up when the failure that it came of is not known to come again', () => {
    const skipped = { failure: 'upstream' } as const
    const bench = new MachineBench({}, 10)
    // an earlier life was cancelled, so 0 and 2 are done anew
    bench.do(made(0), made(1, { inputs: [0], order: 3, ...skipped }))
    bench.do(made(2), made(3, { inputs: [2, 1], order: 4, ...skipped }), identified(0), identified(2))
    expect(bench.do(failed(2))).toEqual(['ended 2 failed/error as 10', 'ended 3 skipped/upstream as 11'])
    expect(bench.do(succeeded(0))).toEqual(['ended 0 succeeded/executed as 12', 'identify 1'])

    const next = new MachineBench({}, 13)
    next.do(made(0, { order: 12 }), made(1, { inputs: [0], order: 3, ...skipped }))
    next.do(made(2, { order: 10, failure: 'own' }), made(3, { inputs: [2, 1], order: 11, ...skipped }))
    expect(next.do(remembered(2, 10, { status: { state: 'failed', reason: 'error' } }))).toEqual([
      'ended 2 failed/error as 10, on record',
      'ended 3 skipped/upstream as 11',
    ])
  })

  it('of a skip is given up when an input that failed is executed anew, or had succeeded', () => {
    for (const first of [[made(0, { order: 2, failure: 'own' }), identified(0)], [made(0, { order: 2 })]]) {
      const bench = new MachineBench({}, 10)
      bench.do(...first, made(1), made(2, { inputs: [0, 1], order: 4 }), identified(1))
      expect(bench.do(failed(1))).toEqual(['ended 1 failed/error as 10', 'ended 2 skipped/upstream as 11'])
    }
  })

  it('of a skip is kept by what waits for a skip that is about to be known', () => {
    const bench = new MachineBench({}, 10)
    const status = { state: 'failed', reason: 'error' } as const
    bench.do(made(0, { order: 2, failure: 'own' }), made(1, { inputs: [0], order: 3, failure: 'upstream' }))
    bench.do(
      made(2, { order: 7, failure: 'own' }),
      made(3, { inputs: [2, 1], order: 4, failure: 'upstream' }),
    )
    expect(bench.do(remembered(2, 7, { status }))).toEqual([
      'ended 2 failed/error as 7, on record',
      'ended 3 skipped/upstream as 4',
    ])
  })

  it('does not make what is executed keep it', () => {
    const bench = new MachineBench({}, 10)
    bench.do(made(0, { order: 4 }), identified(0))
    expect(bench.do(succeeded(0))).toEqual(['ended 0 succeeded/executed as 10'])
  })
})
