import { spawnSync } from 'node:child_process'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Printer } from '../output/printer.ts'
import { reportToParent } from './parent-process.ts'
import type { Snapshot } from './progress.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('how far a run is, is told when it has changed, and once a second while nothing does', () => {
  const told: object[] = []
  const printer = { object: (one: object) => told.push(one) } as unknown as Printer
  let snapshot: Snapshot & { readonly id: string } = {
    id: 'r1',
    state: 'running',
    counts: { running: 1 },
    executed: 0,
    reused: 2,
  }
  const said = (counts: object) => ({
    kind: 'progress',
    counts,
    executed: 0,
    reused: 2,
    limits: {},
    asks: [],
    next: null,
    tasks: [],
    downloads: null,
  })
  const leave = reportToParent(printer, process.pid, () => snapshot)
  const after = (ms: number): object[] => {
    vi.advanceTimersByTime(ms)
    return told.splice(0)
  }
  expect(after(250)).toEqual([said({ running: 1 })])
  expect(after(750)).toEqual([])
  expect(after(250)).toEqual([said({ running: 1 })])
  snapshot = { ...snapshot, counts: { succeeded: 1 } }
  expect(after(250)).toEqual([said({ succeeded: 1 })])
  expect(after(10_000)).toEqual(Array.from({ length: 10 }, () => said({ succeeded: 1 })))
  snapshot = { ...snapshot, asks: ['Good?'] }
  expect(after(250)).toEqual([
    { ...said({ succeeded: 1 }), asks: ['Good?'], next: expect.stringMatching(/almanac answer r1$/) },
  ])
  leave()
  expect(after(10_000)).toEqual([])
})

it('when the program is gone it is stopped once, without clean-up 10 minutes later, and left after another one', () => {
  const printer = { object: () => undefined } as unknown as Printer
  const snapshot = { id: 'r1', state: 'running' as const, counts: {}, executed: 0, reused: 0 }
  const { pid } = spawnSync('true')
  const stops: number[] = []
  const began = Date.now()
  const leave = reportToParent(
    printer,
    pid,
    () => snapshot,
    () => stops.push(Date.now() - began),
  )
  vi.advanceTimersByTime(60 * 60_000)
  leave()
  expect(stops).toEqual([250, 600_000, 660_000])
})
