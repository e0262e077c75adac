import { describe, expect, it } from 'vitest'
import {
  committed,
  done,
  failed,
  given,
  identified,
  judged,
  left,
  lost,
  MachineBench,
  made,
  observed,
  remembered,
  rested,
  settled,
  started,
  stopped,
  succeeded,
} from '../../testing/machine-bench.ts'

describe('a call', () => {
  it('is identified, started and ended, and the run finishes when its function has settled', () => {
    const bench = new MachineBench()
    expect(bench.do(made(0))).toEqual(['identify 0'])
    expect(bench.do(identified(0))).toEqual(['start 0.1'])
    expect(bench.status(0)).toBe('running/starting')
    expect(bench.do(started(0))).toEqual([])
    expect(bench.status(0)).toBe('running/executing')
    expect(bench.do(succeeded(0))).toEqual(['ended 0 succeeded/executed as 0'])
    expect(bench.do(given(0), settled())).toEqual([])
    expect(bench.do(rested)).toEqual(['finish'])
  })

  it('waits for all of its inputs', () => {
    const bench = new MachineBench()
    expect(bench.do(made(0), made(1), made(2, { inputs: [0, 1] }))).toEqual(['identify 0', 'identify 1'])
    expect(bench.do(identified(0), identified(1), succeeded(0))).toEqual([
      'start 0.1',
      'start 1.1',
      'ended 0 succeeded/executed as 0',
    ])
    expect(bench.status(2)).toBe('waiting/inputs')
    expect(bench.do(succeeded(1))).toEqual(['ended 1 succeeded/executed as 1', 'identify 2'])
  })

  it('does not wait for an input that has ended', () => {
    const bench = new MachineBench()
    bench.do(...done(0))
    expect(bench.do(made(1, { inputs: [0] }))).toEqual(['identify 1'])
  })

  it('is looked up in the run cache before it is started', () => {
    const bench = new MachineBench()
    expect(bench.do(made(0), identified(0, { lookup: true }))).toEqual(['identify 0', 'lookup 0'])
    expect(bench.do({ kind: 'hit', call: 0 })).toEqual(['ended 0 succeeded/cached as 0'])
    expect(bench.do(made(1), identified(1, { lookup: true }), { kind: 'missed', call: 1 })).toEqual([
      'identify 1',
      'lookup 1',
      'start 1.1',
    ])
  })

  it('fails when it cannot be said what it is known by', () => {
    const bench = new MachineBench()
    expect(bench.do(made(0), { kind: 'refused', call: 0 })).toEqual([
      'identify 0',
      'ended 0 failed/error as 0',
    ])
  })

  it('that is no task is entered, and ends when that is left', () => {
    const bench = new MachineBench()
    expect(bench.do(made(0, { kind: 'child' }), made(1, { kind: 'view', inputs: [0] }))).toEqual(['enter 0'])
    expect(bench.do(left(0))).toEqual(['ended 0 succeeded/executed as 0', 'enter 1'])
    expect(bench.do(made(2, { kind: 'sleep' }), identified(2))).toEqual(['identify 2', 'enter 2'])
    expect(bench.status(2)).toBe('waiting/time')
    expect(bench.do(made(3, { kind: 'ask' }), identified(3))).toEqual(['identify 3', 'enter 3'])
    expect(bench.status(3)).toBe('waiting/person')
  })

  it('tells its story where something is impossible', () => {
    const bench = new MachineBench()
    bench.do(made(0))
    expect(() => bench.do(left(0))).toThrow(
      'left cannot happen now: call 0 (task) is waiting/inputs in phase identify, attempt 0',
    )
    expect(() => bench.do(made(0))).toThrow('call 0 is made twice')
    expect(() => bench.do(identified(7))).toThrow('there is no call 7')
  })
})

describe('a failure', () => {
  it('ends the call, and skips all that cannot be without it', () => {
    const bench = new MachineBench()
    bench.do(
      made(0),
      made(1, { inputs: [0] }),
      made(2, { inputs: [1] }),
      made(3),
      identified(0),
      identified(3),
    )
    expect(bench.do(failed(0))).toEqual([
      'ended 0 failed/error as 0',
      'ended 1 skipped/upstream as 1',
      'ended 2 skipped/upstream as 2',
    ])
    expect(bench.status(3)).toBe('running/starting')
    expect(bench.do(made(4, { inputs: [3, 2] }))).toEqual(['ended 4 skipped/upstream as 3'])
  })

  it('is an input like any other for who tolerates it', () => {
    const bench = new MachineBench()
    bench.do(
      made(0),
      made(1),
      made(2, { kind: 'view', inputs: [0, 1], tolerant: true }),
      identified(0),
      identified(1),
    )
    expect(bench.do(failed(0))).toEqual(['ended 0 failed/error as 0'])
    expect(bench.do(succeeded(1))).toEqual(['ended 1 succeeded/executed as 1', 'enter 2'])
  })

  it('of a task that says so skips what needs it, and does not fail the run', () => {
    const bench = new MachineBench()
    bench.do(made(0, { onFailure: 'skip' }), made(1, { inputs: [0] }), identified(0))
    expect(bench.do(failed(0))).toEqual(['ended 0 skipped/policy as 0', 'ended 1 skipped/upstream as 1'])
    expect(bench.do(settled(), rested)).toEqual(['finish'])
  })

  it.each([
    ['nobody awaited is unseen', [], 'finish unseen 0'],
    ['somebody awaited is seen', [observed(0)], 'finish'],
    ['somebody awaited through what it made impossible is seen', [observed(2)], 'finish'],
  ])('that %s', (_, awaited, end) => {
    const bench = new MachineBench()
    bench.do(made(0), made(1, { inputs: [0] }), made(2, { inputs: [1] }), identified(0), failed(0))
    expect(bench.do(...awaited, settled(), rested)).toEqual([end])
  })

  it('is seen by who tolerates it, awaited or not', () => {
    const bench = new MachineBench()
    bench.do(
      made(0),
      made(1, { kind: 'view', inputs: [0], tolerant: true }),
      identified(0),
      failed(0),
      left(1),
    )
    expect(bench.do(settled(), rested)).toEqual(['finish'])
  })

  it('of an entry is seen with its map', () => {
    const bench = new MachineBench()
    bench.do(
      made(0, { kind: 'map' }),
      identified(0),
      made(1, { kind: 'entry', parent: 0 }),
      identified(1),
      failed(1),
    )
    expect(bench.do({ kind: 'expanded', call: 0 })).toEqual(['gather 0'])
    bench.do(left(0, 'failed'))
    expect(bench.do(settled(), rested)).toEqual(['finish unseen 0'])
  })
})

describe('retries', () => {
  it('come after their delay, as often as the author says', () => {
    const bench = new MachineBench()
    bench.do(made(0, { retries: { count: 2 } }), identified(0))
    expect(bench.do(failed(0, 1, { at: 100 }))).toEqual(['spent 0.1 error', 'wake 0 at 1100'])
    expect(bench.status(0)).toBe('waiting/retry')
    expect(bench.do({ kind: 'woke', call: 0 })).toEqual(['start 0.2'])
    bench.do(started(0, 2))
    expect(bench.status(0)).toBe('running/retrying')
    expect(bench.do(failed(0, 2, { at: 200 }))).toEqual(['spent 0.2 error', 'wake 0 at 2200'])
    expect(bench.do({ kind: 'woke', call: 0 }, failed(0, 3))).toEqual([
      'start 0.3',
      'ended 0 failed/error as 0',
    ])
  })

  it('of an earlier life count', () => {
    const bench = new MachineBench()
    expect(bench.do(made(0, { retries: { count: 2 }, attempts: 2, spent: 2 }), identified(0))).toEqual([
      'identify 0',
      'start 0.3',
    ])
    expect(bench.do(failed(0, 3))).toEqual(['ended 0 failed/error as 0'])
  })

  it('get more memory where the author says so, in a later life too', () => {
    const bench = new MachineBench()
    const retries = { count: 3, memoryFactor: 2 }
    expect(
      bench.do(made(0, { memoryBytes: 100, retries }), identified(0), failed(0), { kind: 'woke', call: 0 }),
    ).toEqual(['identify 0', 'start 0.1 with 100', 'spent 0.1 error', 'wake 0 at 1000', 'start 0.2 with 200'])
    expect(bench.do(made(1, { memoryBytes: 100, retries, attempts: 2, spent: 2 }), identified(1))).toEqual([
      'identify 1',
      'start 1.3 with 400',
    ])
  })

  it('are none where trying again cannot help', () => {
    const bench = new MachineBench()
    bench.do(made(0, { retries: { count: 2 } }), identified(0))
    expect(bench.do(failed(0, 1, { retryable: false, reason: 'outputs' }))).toEqual([
      'ended 0 failed/outputs as 0',
    ])
  })
})

describe('a worker that dies', () => {
  it('costs none of the retries', () => {
    const bench = new MachineBench()
    bench.do(made(0), identified(0))
    expect(bench.do(lost(0))).toEqual(['spent 0.1 lost, not counted', 'start 0.2'])
    expect(bench.do(succeeded(0, 2))).toEqual(['ended 0 succeeded/executed as 0'])
  })

  it('four times in a row fails the call', () => {
    const bench = new MachineBench()
    bench.do(made(0), identified(0), lost(0, 1), lost(0, 2), lost(0, 3))
    expect(bench.do(lost(0, 4))).toEqual(['ended 0 failed/lost as 0'])
  })

  it('is forgotten when an attempt ended by itself', () => {
    const bench = new MachineBench()
    bench.do(made(0, { retries: { count: 1 } }), identified(0), lost(0, 1), lost(0, 2), lost(0, 3))
    bench.do(failed(0, 4), { kind: 'woke', call: 0 })
    expect(bench.do(lost(0, 5), lost(0, 6), lost(0, 7), lost(0, 8))).toContain('ended 0 failed/lost as 0')
  })
})

describe('a person who judges a failure', () => {
  const judging = (): MachineBench => {
    const bench = new MachineBench()
    bench.do(made(0, { onFailure: 'pause' }), made(1, { inputs: [0] }), identified(0))
    expect(bench.do(failed(0))).toEqual(['spent 0.1 error, not counted', 'judge 0'])
    expect(bench.status(0)).toBe('waiting/person')
    expect(bench.machine.isResting).toBe(true)
    return bench
  }

  it('lets it be tried again', () => {
    const bench = judging()
    expect(bench.do(judged(0, 'retry'), succeeded(0, 2))).toEqual([
      'start 0.2',
      'ended 0 succeeded/executed as 0',
      'identify 1',
    ])
  })

  it('has what needs it skipped', () => {
    expect(judging().do(judged(0, 'skip'))).toEqual([
      'ended 0 skipped/policy as 0',
      'ended 1 skipped/upstream as 1',
    ])
  })

  it('lets it fail', () => {
    expect(judging().do(judged(0, 'stop'))).toEqual([
      'ended 0 failed/error as 0',
      'ended 1 skipped/upstream as 1',
    ])
  })

  it('is asked when the retries are spent', () => {
    const bench = new MachineBench()
    bench.do(made(0, { onFailure: 'pause', retries: { count: 1 } }), identified(0), failed(0), {
      kind: 'woke',
      call: 0,
    })
    expect(bench.do(failed(0, 2))).toEqual(['spent 0.2 error, not counted', 'judge 0'])
  })
})

describe('what acts on the world', () => {
  it('starts when all is durable that it depends on', () => {
    const bench = new MachineBench()
    bench.do(...done(0), made(1, { inputs: [0] }))
    expect(bench.do(identified(1, { afterCommit: true }))).toEqual([])
    expect(bench.status(1)).toBe('waiting/inputs')
    expect(bench.do(committed(0))).toEqual(['start 1.1'])
  })

  it('waits for what the function had been given when it made the call', () => {
    const bench = new MachineBench()
    bench.do(...done(0), ...done(1), given(0), given(1), made(2), identified(2, { afterCommit: true }))
    expect(bench.do(committed(0))).toEqual([])
    expect(bench.do(committed(1))).toEqual(['start 2.1'])
  })

  it('does not wait for what is remembered: that is durable', () => {
    const bench = new MachineBench({}, 6)
    bench.do(made(0, { order: 5 }), remembered(0, 5), given(0), made(1, { inputs: [0] }))
    expect(bench.do(identified(1, { afterCommit: true }))).toEqual(['start 1.1'])
  })

  it('waits as an entry for what its map depends on', () => {
    const bench = new MachineBench()
    bench.do(
      ...done(0),
      made(1, { kind: 'map', inputs: [0] }),
      identified(1),
      made(2, { kind: 'entry', parent: 1 }),
    )
    expect(bench.do(identified(2, { afterCommit: true }))).toEqual([])
    expect(bench.do(committed(0))).toEqual(['start 2.1'])
  })

  it('passes the gate in order of what it waits for', () => {
    const bench = new MachineBench()
    bench.do(...done(0), ...done(1), made(2, { inputs: [1] }), made(3, { inputs: [0] }))
    bench.do(identified(2, { afterCommit: true }), identified(3, { afterCommit: true }))
    expect(bench.do(committed(0))).toEqual(['start 3.1'])
    expect(bench.do(committed(1))).toEqual(['start 2.1'])
  })
})

describe('a pause', () => {
  it('takes back what was not begun, which starts with the same attempt when it is over', () => {
    const bench = new MachineBench()
    bench.do(made(0), identified(0))
    bench.do({ kind: 'pause' })
    expect(bench.do({ kind: 'unbegun', call: 0, attempt: 1 })).toEqual([])
    expect(bench.machine.isResting).toBe(true)
    expect(bench.do({ kind: 'unpause' })).toEqual(['start 0.1'])
  })

  it('lets nothing new start, and what runs end', () => {
    const bench = new MachineBench()
    bench.do(made(0), identified(0))
    expect(bench.do({ kind: 'pause' }, made(1), identified(1))).toEqual(['identify 1'])
    expect(bench.status(1)).toBe('waiting/held')
    expect(bench.machine.isResting).toBe(false)
    expect(bench.do(succeeded(0))).toEqual(['ended 0 succeeded/executed as 0'])
    expect(bench.machine.isResting).toBe(true)
    expect(bench.do({ kind: 'unpause' })).toEqual(['start 1.1'])
  })
})

describe('a cancelled run', () => {
  it('stops what runs, ends what has not begun, and finishes when all has ended', () => {
    const bench = new MachineBench({ cpu: 1 })
    bench.do(made(0), made(1), made(2, { inputs: [0] }), identified(0), identified(1))
    expect(bench.do({ kind: 'cancel' })).toEqual([
      'stop 0.1',
      'ended 1 cancelled/request as 0',
      'ended 2 cancelled/request as 1',
      'cancelling 0',
    ])
    expect(bench.status(0)).toBe('running/cancelling')
    expect(bench.do(stopped(0))).toEqual(['ended 0 cancelled/request as 2'])
    expect(bench.do(settled(false), rested)).toEqual(['finish'])
  })

  it('that another process takes over gives up what was given up before, at its place, and nothing else', () => {
    const bench = new MachineBench({}, 5)
    bench.do({ kind: 'was-cancelled' })
    expect(bench.do({ ...made(0, { order: 3 }), givenUp: true })).toEqual([
      'ended 0 cancelled/request as 3, on record',
    ])
    expect(bench.do({ ...made(1), givenUp: true })).toEqual(['ended 1 cancelled/request as 5'])
    expect(bench.do(made(2), identified(2))).toEqual(['identify 2', 'start 2.1'])
    expect(bench.machine.graph.cancelling).toBe(true)
  })

  it('records as cancelled what is made once nothing may begin any more, whatever it had ended as before', () => {
    const bench = new MachineBench({}, 5)
    bench.do({ kind: 'cancel' }, { kind: 'cancel' })
    expect(bench.do(made(0, { order: 3 }))).toEqual(['ended 0 cancelled/request as 5'])
  })

  it('keeps what ended before it could be stopped', () => {
    const bench = new MachineBench()
    bench.do(made(0), identified(0), { kind: 'cancel' })
    expect(bench.do(succeeded(0))).toEqual(['ended 0 succeeded/executed as 0'])
  })

  it.each([
    ['failed', failed(0)],
    ['lost', lost(0)],
  ])('counts as cancelled what %s when it was to be stopped', (_, news) => {
    const bench = new MachineBench()
    bench.do(made(0, { retries: { count: 3 } }), identified(0), { kind: 'cancel' })
    expect(bench.do(news)).toEqual(['ended 0 cancelled/request as 0'])
  })

  it('runs what its function makes to clean up, with its retries', () => {
    const bench = new MachineBench()
    bench.do({ kind: 'cancel' })
    expect(bench.do(made(0, { retries: { count: 1 } }), identified(0), failed(0))).toEqual([
      'identify 0',
      'start 0.1',
      'spent 0.1 error',
      'wake 0 at 1000',
    ])
  })

  it('asks nobody what to do about a failure', () => {
    const bench = new MachineBench()
    bench.do({ kind: 'cancel' }, made(0, { onFailure: 'pause' }), identified(0))
    expect(bench.do(failed(0))).toEqual(['ended 0 cancelled/request as 0'])
  })

  it('starts nothing when it is cancelled again', () => {
    const bench = new MachineBench()
    bench.do({ kind: 'cancel' }, { kind: 'cancel' })
    expect(bench.do(made(0))).toEqual(['ended 0 cancelled/request as 0'])
  })

  it('goes on to its end if it was paused', () => {
    const bench = new MachineBench()
    bench.do({ kind: 'pause' }, { kind: 'cancel' })
    expect(bench.do(made(0), identified(0))).toEqual(['identify 0', 'start 0.1'])
  })
})

describe('a function that throws', () => {
  it('cancels what has not begun and lets the rest end', () => {
    const bench = new MachineBench({ cpu: 1 })
    bench.do(made(0), made(1), identified(0), identified(1))
    expect(bench.do(settled(false))).toEqual(['ended 1 cancelled/request as 0'])
    expect(bench.status(0)).toBe('running/starting')
    expect(bench.do(succeeded(0), rested)).toEqual(['ended 0 succeeded/executed as 1', 'finish'])
  })

  it('stops the rest too where that is wanted', () => {
    const bench = new MachineBench()
    bench.do(made(0), identified(0))
    expect(bench.do(settled(false, true))).toEqual(['stop 0.1'])
  })

  it.each([
    ['would be tried again', { retries: { count: 1 } }, failed(0)],
    ['would be judged', { onFailure: 'pause' } as const, failed(0)],
    ['lost its worker', {}, lost(0)],
  ])('leaves undecided what %s', (_, making, news) => {
    const bench = new MachineBench()
    bench.do(made(0, making), identified(0), settled(false))
    expect(bench.do(news)).toEqual(['ended 0 cancelled/request as 0'])
  })

  it('cancels what other functions make afterwards', () => {
    const bench = new MachineBench()
    bench.do(made(0, { kind: 'child' }), settled(false))
    expect(bench.do(made(1))).toEqual(['ended 1 cancelled/request as 0'])
  })
})

describe('a map', () => {
  it('is gathered when all its entries are made and have ended, not before', () => {
    const bench = new MachineBench({}, 1)
    bench.do(made(0, { kind: 'map' }), identified(0))
    // remembered entries end while others are still being made
    expect(bench.do(made(1, { kind: 'entry', parent: 0 }), remembered(1, 0))).toEqual([
      'identify 1',
      'ended 1 succeeded/executed as 0, on record',
    ])
    expect(
      bench.do(made(2, { kind: 'entry', parent: 0 }), identified(2), { kind: 'expanded', call: 0 }),
    ).toEqual(['identify 2', 'start 2.1'])
    expect(bench.do(succeeded(2))).toEqual(['ended 2 succeeded/executed as 1', 'gather 0'])
    expect(bench.do(left(0))).toEqual(['ended 0 succeeded/executed as 2'])
  })

  it('without entries is gathered at once', () => {
    const bench = new MachineBench()
    bench.do(made(0, { kind: 'map' }), identified(0))
    expect(bench.do({ kind: 'expanded', call: 0 })).toEqual(['gather 0'])
  })
})

describe('the end of a run', () => {
  it('comes once, when all has ended, the function has settled and no function goes on', () => {
    const bench = new MachineBench()
    bench.do(made(0), identified(0), settled())
    expect(bench.do(rested)).toEqual([])
    expect(bench.do(succeeded(0))).toEqual(['ended 0 succeeded/executed as 0'])
    // a branch that was given the outcome makes one more call
    expect(bench.do(given(0), made(1), rested)).toEqual(['identify 1'])
    bench.do(identified(1), succeeded(1), given(1))
    expect(bench.do(rested)).toEqual(['finish'])
    expect(bench.do(rested)).toEqual([])
  })

  it('cannot come twice for the function', () => {
    const bench = new MachineBench()
    bench.do(settled())
    expect(() => bench.do(settled())).toThrow('the workflow function settled twice')
  })
})
