import { describe, expect, it } from 'vitest'
import { identified, MachineBench, made, succeeded } from '../../testing/machine-bench.ts'
import type { RunEvent } from './events.ts'

const gpfs = { limits: { key: 'gpfs', needs: [{ name: 'gpfs', units: 1 }] } }

/** Calls that are ready at once. */
const ready = (call: number, policy: object = {}): RunEvent[] => [made(call, policy), identified(call)]

const admitted = (calls: number, blockedBy?: string, isShared = false): RunEvent => ({
  kind: 'admitted',
  limits: 'gpfs',
  calls,
  isShared,
  blockedBy,
})

const told = (effects: readonly string[]): string[] => effects.filter((effect) => !/^identify/.test(effect))

describe('a call that names a limit', () => {
  it('starts when it is admitted; the admission serves the next one while nobody else waits', () => {
    const bench = new MachineBench()
    expect(told(bench.do(...ready(0, gpfs)))).toEqual(['admission gpfs back 0 unused 0 wanted 1'])
    expect(bench.status(0)).toBe('waiting/limit')
    expect(bench.do(admitted(1))).toEqual(['start 0.1'])
    bench.do(...ready(1, gpfs), admitted(0, 'gpfs'))
    expect(bench.do(succeeded(0))).toEqual([
      'ended 0 succeeded/executed as 0',
      'start 1.1',
      'admission gpfs back 0 unused 0 wanted 0',
    ])
    expect(bench.do(succeeded(1))).toEqual([
      'ended 1 succeeded/executed as 1',
      'admission gpfs back 0 unused 1 wanted 0',
    ])
  })

  it('gives its admission back where others wait, and stands in line again', () => {
    const bench = new MachineBench()
    bench.do(...ready(0, gpfs), admitted(1), ...ready(1, gpfs), admitted(0, 'gpfs', true))
    expect(bench.do(succeeded(0))).toEqual([
      'ended 0 succeeded/executed as 0',
      'admission gpfs back 1 unused 0 wanted 1',
    ])
    expect(bench.status(1)).toBe('waiting/limit')
  })

  it('has its place kept while it is asked for, and not while it stands in line', () => {
    const bench = new MachineBench({ cpu: 1 })
    bench.do(...ready(9))
    bench.do(...ready(0, { ...gpfs, priority: 1 }), ...ready(1))
    // the processor is free, and the better call is asked for
    expect(bench.do(succeeded(9))).toEqual([
      'ended 9 succeeded/executed as 0',
      'admission gpfs back 0 unused 0 wanted 1',
    ])
    expect(bench.status(1)).toBe('waiting/slot')
    expect(bench.do(admitted(0, 'gpfs'))).toEqual(['start 1.1'])
    expect(bench.machine.graph.slots.admissions.waits()).toEqual({ gpfs: 1 })
    // it comes while the processor is taken: the next place is for it
    bench.do(...ready(2), admitted(1))
    expect(bench.do(succeeded(1))).toEqual(['ended 1 succeeded/executed as 1', 'start 0.1'])
  })

  it('asks for as many as there is room for, and gives back what nobody wants any more', () => {
    const bench = new MachineBench({ cpu: 3 })
    const effects = bench.do(...[0, 1, 2, 3].flatMap((call) => ready(call, gpfs)))
    expect(told(effects).at(-1)).toBe('admission gpfs back 0 unused 0 wanted 3')
    bench.do(admitted(1, 'gpfs'))
    expect(bench.do({ kind: 'pause' })).toEqual(['admission gpfs back 0 unused 0 wanted 0'])
    // what was under way comes all the same
    expect(bench.do(admitted(2))).toEqual(['admission gpfs back 0 unused 2 wanted 0'])
    expect(bench.do({ kind: 'unpause' })).toEqual(['admission gpfs back 0 unused 0 wanted 2'])
    const cancelled = bench.do({ kind: 'cancel' })
    expect(cancelled).toContain('stop 0.1')
    expect(cancelled.at(-1)).toBe('admission gpfs back 0 unused 0 wanted 0')
  })

  it('leaves the line while the run is paused, and asks anew after it', () => {
    const bench = new MachineBench()
    const waits = () => bench.machine.graph.slots.admissions.waits()
    bench.do(...ready(0, gpfs), admitted(0, 'gpfs'))
    expect(waits()).toEqual({ gpfs: 1 })
    expect(bench.do({ kind: 'pause' })).toEqual(['admission gpfs back 0 unused 0 wanted 0'])
    expect(waits()).toEqual({})
    expect(bench.do({ kind: 'unpause' })).toEqual(['admission gpfs back 0 unused 0 wanted 1'])
    expect(bench.do(admitted(1))).toEqual(['start 0.1'])
  })

  it('has an admission for itself however little else is free', () => {
    const bench = new MachineBench({ cpu: 2 })
    expect(told(bench.do(...ready(0, { ...gpfs, cpu: 8 })))).toEqual([
      'admission gpfs back 0 unused 0 wanted 1',
    ])
    expect(bench.do(admitted(1))).toEqual(['start 0.1'])
  })
})
