import { describe, expect, it } from 'vitest'
import {
  deprived,
  failed,
  identified,
  lost,
  MachineBench,
  made,
  remembered,
  settled,
  stopped,
  succeeded,
} from '../../testing/machine-bench.ts'

const gone = (...calls: readonly number[]) => ({ kind: 'gone', calls }) as const

/** Call 0 has a held result; call 1 needs it. */
const holding = (policy: object = {}): MachineBench => {
  const bench = new MachineBench()
  bench.do(made(0, policy), identified(0), succeeded(0, 1, true), made(1, { inputs: [0] }))
  return bench
}

describe('a held result that is lost', () => {
  it('is made again when somebody needs it, and keeps its outcome', () => {
    const bench = holding()
    expect(bench.do(gone(0))).toEqual([])
    expect(bench.do(identified(1, { heldInputs: [0] }))).toEqual(['start 0.2'])
    expect([bench.status(0), bench.status(1)]).toEqual(['running/starting', 'waiting/inputs'])
    expect(bench.do(succeeded(0, 2, true))).toEqual(['rebuilt 0', 'start 1.1'])
    expect([bench.status(0), bench.machine.graph.call(0).order]).toEqual(['succeeded/executed', 0])
    expect(bench.do(succeeded(1))).toEqual(['ended 1 succeeded/executed as 1'])
  })

  it('is not made again when nobody needs it', () => {
    const bench = holding()
    expect(bench.do(identified(1, { heldInputs: [0] }), succeeded(1), gone(0))).toEqual([
      'start 1.1',
      'ended 1 succeeded/executed as 1',
    ])
  })

  it('is made again in the order in which results are needed, as at first', () => {
    const bench = new MachineBench({ cpu: 1 })
    const held = [0, 1, 2]
    for (const call of held) bench.do(made(call), identified(call), succeeded(call, 1, true))
    bench.do(made(3), identified(3), gone(...held))
    // the call that was made first takes what was made last
    for (const [call, input] of [
      [4, 2],
      [5, 1],
      [6, 0],
    ] as const)
      bench.do(made(call, { inputs: [input] }))
    for (const call of [6, 5, 4]) bench.do(identified(call, { heldInputs: [6 - call] }))
    expect(bench.do(succeeded(3))).toEqual(['ended 3 succeeded/executed as 3', 'start 2.2'])
    expect(bench.do(succeeded(2, 2, true))).toEqual(['rebuilt 2', 'start 4.1'])
    expect(bench.do(succeeded(4))).toEqual(['ended 4 succeeded/executed as 4', 'start 1.2'])
  })

  it('is made again for an attempt that could not begin without it', () => {
    const bench = holding()
    bench.do(identified(1, { heldInputs: [0] }))
    expect(bench.do(deprived(1, 1, [0]))).toEqual(['start 0.2'])
    expect(bench.do(succeeded(0, 2, true))).toEqual(['rebuilt 0', 'start 1.2'])
  })

  it('that is there again by now only costs another attempt, as often as it takes', () => {
    const bench = holding()
    bench.do(identified(1, { heldInputs: [0] }))
    for (let attempt = 1; attempt < 10; attempt++) {
      expect(bench.do(deprived(1, attempt, [], true))).toEqual([`start 1.${attempt + 1}`])
    }
  })

  it('that nobody lost fails who is said to want it, instead of trying for ever', () => {
    const bench = holding()
    bench.do(identified(1, { heldInputs: [0] }))
    const effects = [1, 2, 3, 4].flatMap((attempt) => bench.do(deprived(1, attempt, [])))
    expect(effects.at(-1)).toBe('ended 1 failed/lost as 1')
  })

  it('needs nothing of what it was made of where there is a copy of it, unless that is gone', () => {
    const bench = new MachineBench({}, 2)
    bench.do(made(0, { order: 0 }), remembered(0, 0, { lost: true }))
    const one = remembered(1, 1, { lost: true, copied: true, heldInputs: [0] })
    bench.do(made(1, { inputs: [0], order: 1 }), one, made(2, { inputs: [1] }))
    expect(bench.do(identified(2, { heldInputs: [1] }))).toEqual(['start 1.1'])
    expect(bench.do(deprived(1, 1, [0]))).toEqual(['start 0.1'])
    expect(bench.do(succeeded(0, 1, true))).toEqual(['rebuilt 0', 'start 1.2'])
    expect(bench.do(succeeded(1, 2, true))).toEqual(['rebuilt 1', 'start 2.1'])
  })

  it('takes with it what it was made of, if that is lost too, after a crash as well', () => {
    const bench = new MachineBench({}, 2)
    bench.do(made(0, { order: 0 }), remembered(0, 0, { lost: true }))
    bench.do(made(1, { inputs: [0], order: 1 }), remembered(1, 1, { lost: true, heldInputs: [0] }))
    expect(bench.do(made(2, { inputs: [1] }), identified(2, { heldInputs: [1] }))).toEqual([
      'identify 2',
      'start 0.1',
    ])
    expect(bench.do(succeeded(0, 1, true))).toEqual(['rebuilt 0', 'start 1.1'])
    expect(bench.do(succeeded(1, 1, true))).toEqual(['rebuilt 1', 'start 2.1'])
  })

  it('is made once for all who wait for it', () => {
    const bench = holding()
    bench.do(made(2, { inputs: [0] }), gone(0), identified(1, { heldInputs: [0] }))
    expect(bench.do(identified(2, { heldInputs: [0] }))).toEqual([])
    expect(bench.do(succeeded(0, 2, true))).toEqual(['rebuilt 0', 'start 1.1', 'start 2.1'])
  })

  it('is waited for together with the others', () => {
    const bench = new MachineBench()
    for (const call of [0, 1]) bench.do(made(call), identified(call), succeeded(call, 1, true))
    bench.do(gone(0, 1), made(2, { inputs: [0, 1] }))
    expect(bench.do(identified(2, { heldInputs: [0, 1] }))).toEqual(['start 0.2', 'start 1.2'])
    expect(bench.do(succeeded(0, 2, true))).toEqual(['rebuilt 0'])
    // lost again while the other one is made
    expect(bench.do(gone(0), succeeded(1, 2, true))).toEqual(['rebuilt 1', 'start 0.3'])
    expect(bench.do(succeeded(0, 3, true))).toEqual(['rebuilt 0', 'start 2.1'])
  })

  it('keeps to the retries of its task', () => {
    const bench = holding({ retries: { count: 1 } })
    bench.do(gone(0), identified(1, { heldInputs: [0] }))
    expect(bench.do(failed(0, 2))).toEqual(['spent 0.2 error', 'wake 0 at 1000'])
    expect(bench.do({ kind: 'woke', call: 0 }, failed(0, 3))).toEqual([
      'start 0.3',
      'spent 0.3 error, not counted',
      'ended 1 failed/lost as 1 because of 0',
    ])
    expect(bench.status(0)).toBe('succeeded/executed')
  })

  it.each([
    ['acts on the world', { effect: true }],
    ['may give something else', { random: true }],
  ])('fails who needs it if its task %s', (_, policy) => {
    const bench = holding(policy)
    bench.do(gone(0))
    expect(bench.do(identified(1, { heldInputs: [0] }))).toEqual(['ended 1 failed/lost as 1'])
    expect(bench.status(0)).toBe('succeeded/executed')
  })

  it('fails all who need it when its workers die again and again', () => {
    const bench = holding()
    bench.do(gone(0), identified(1, { heldInputs: [0] }))
    const effects = [2, 3, 4, 5].flatMap((attempt) => bench.do(lost(0, attempt)))
    expect(effects.slice(-2)).toEqual([
      'spent 0.5 lost, not counted',
      'ended 1 failed/lost as 1 because of 0',
    ])
  })

  it('fails with what it was to be made of, and all who need it know which call did not give that again', () => {
    const bench = new MachineBench()
    bench.do(made(0), identified(0), succeeded(0, 1, true))
    bench.do(made(1, { inputs: [0] }), identified(1, { heldInputs: [0] }), succeeded(1, 1, true))
    bench.do(made(2, { inputs: [1] }), gone(0, 1))
    expect(bench.do(identified(2, { heldInputs: [1] }))).toEqual(['start 0.2'])
    expect(bench.do(failed(0, 2))).toEqual([
      'spent 0.2 error, not counted',
      'ended 2 failed/lost as 2 because of 0',
    ])
    expect([0, 1].map((call) => bench.status(call))).toEqual(['succeeded/executed', 'succeeded/executed'])
  })
})

describe('what a lost result is made of', () => {
  /** Call 1 took the held result of call 0 and ended, call 2 needs that of call 1, and the last is lost. */
  const chain = (): MachineBench => {
    const bench = new MachineBench()
    bench.do(made(0), identified(0), succeeded(0, 1, true))
    bench.do(made(1, { inputs: [0] }), identified(1, { heldInputs: [0] }), succeeded(1, 1, true))
    bench.do(made(2, { inputs: [1] }), gone(1))
    return bench
  }
  const unneeded = ({ machine: { graph } }: MachineBench): number[] => graph.unneeded.splice(0)
  const users = ({ machine: { graph } }: MachineBench): number[] =>
    [0, 1].map((call) => graph.call(call).users)

  it('is needed while it is made again, and no longer', () => {
    const bench = chain()
    expect([users(bench), unneeded(bench)]).toEqual([[0, 1], [0]])
    expect(bench.do(identified(2, { heldInputs: [1] }))).toEqual(['start 1.2'])
    expect([users(bench), unneeded(bench)]).toEqual([[1, 1], []])
    expect(bench.do(succeeded(1, 2, true))).toEqual(['rebuilt 1', 'start 2.1'])
    expect([users(bench), unneeded(bench)]).toEqual([[0, 1], [0]])
  })

  it('is needed as often as workers die under that', () => {
    const bench = chain()
    bench.do(identified(2, { heldInputs: [1] }), lost(1, 2), lost(1, 3), gone(0))
    expect(bench.do(deprived(1, 4, [0]))).toEqual(['start 0.2'])
    expect(bench.do(succeeded(0, 2, true))).toEqual(['rebuilt 0', 'start 1.5'])
    expect([users(bench), unneeded(bench)]).toEqual([[1, 1], [0]])
  })

  it('is not used up by another call that takes it meanwhile', () => {
    const bench = chain()
    const { graph } = bench.machine
    bench.do(made(3, { inputs: [0] }), identified(3, { heldInputs: [0] }))
    expect(graph.usesUp(graph.call(3))).toBe(true)
    bench.do(identified(2, { heldInputs: [1] }))
    expect([1, 3].map((call) => graph.usesUp(graph.call(call)))).toEqual([false, false])
  })

  it.each([
    { what: 'that fails', events: [failed(1, 2)] },
    { what: 'the run is cancelled', events: [{ kind: 'cancel' } as const, stopped(1, 2)] },
  ])('is needed no more when $what', ({ events }) => {
    const bench = chain()
    bench.do(identified(2, { heldInputs: [1] }), ...events)
    expect(users(bench)).toEqual([0, 0])
  })
})

describe('a result that is being made again', () => {
  it('G2: stays as it had ended when the run is cancelled', () => {
    const bench = holding()
    bench.do(gone(0), identified(1, { heldInputs: [0] }))
    expect(bench.do({ kind: 'cancel' })).toEqual(['stop 0.2', 'ended 1 cancelled/request as 1', 'cancelling'])
    expect(bench.do(stopped(0, 2))).toEqual([])
    expect(bench.status(0)).toBe('succeeded/executed')
    expect(bench.do(settled(false), { kind: 'rested' })).toEqual(['finish'])
  })

  it('is begun again when a clean-up needs it after all', () => {
    const bench = holding()
    bench.do(gone(0), identified(1, { heldInputs: [0] }), { kind: 'cancel' }, made(2, { inputs: [0] }))
    expect(bench.do(identified(2, { heldInputs: [0] }))).toEqual([])
    expect(bench.do(stopped(0, 2))).toEqual(['start 0.3'])
    expect(bench.do(succeeded(0, 3, true))).toEqual(['rebuilt 0', 'start 2.1'])
  })

  it('is given up with its retry, whose alarm then means nothing', () => {
    const bench = holding({ retries: { count: 2 } })
    bench.do(gone(0), identified(1, { heldInputs: [0] }), failed(0, 2))
    bench.do({ kind: 'cancel' }, made(2, { inputs: [0] }))
    expect(bench.do(identified(2, { heldInputs: [0] }))).toEqual(['start 0.3'])
    expect(bench.do({ kind: 'woke', call: 0 })).toEqual([])
  })

  it('starts nothing more when the function has thrown', () => {
    const bench = new MachineBench()
    bench.do(
      made(0),
      identified(0),
      succeeded(0, 1, true),
      made(1, { inputs: [0] }),
      identified(1, { heldInputs: [0] }),
    )
    bench.do(settled(false))
    expect(bench.do(deprived(1, 1, [0]))).toEqual(['ended 1 cancelled/request as 1'])
  })
})
