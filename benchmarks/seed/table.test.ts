import { expect, it } from 'vitest'
import { type Line, originOf, seedTable } from './table.ts'

const line: Line = {
  engine: 'floor',
  n: 4000,
  sleepMean: 0.1,
  sleepSpread: 0.05,
  sizeMb: 10,
  parallel: 16,
  wallS: 20,
  overheadPercent: 1.25,
  tasksPerS: 400,
  cpuMsPerTask: 0.5,
  peakMb: 600,
  load: { before: 1, after: 2 },
}

it('has a row for each cell and a column for each engine', () => {
  const { overheadPercent: _, ...still } = line
  expect(
    seedTable([
      line,
      { ...line, engine: 'dask', wallS: 25 },
      { ...still, sleepMean: 0, sleepSpread: 0 },
      {
        ...line,
        sleepMean: 0,
        sleepSpread: 0,
        engine: 'prefect',
        wallS: undefined,
        stopped: 'more than 12 GB',
      } as never,
    ]),
  ).toEqual([
    '| n | MB | sleep, s | floor | dask | prefect |',
    '| --- | --- | --- | --- | --- | --- |',
    '| 4 000 | 10 | 0.1 ± 0.05 | 20.00 s, 1.3 %, 0.5 ms CPU, 600 MB | 25.00 s, 1.25 ×, 1.3 %, 0.5 ms CPU, 600 MB |  |',
    '| 4 000 | 10 | 0 | 20.00 s, 400 tasks/s, 0.5 ms CPU, 600 MB |  | more than 12 GB |',
  ])
})

it('says with what its lines were measured, when, and beside how much else', () => {
  const taken = { from: '2026-03-01 10:00', to: '2026-03-01 10:20' }
  const later = { from: '2026-03-02 09:00', to: '2026-03-02 09:05' }
  expect(
    originOf([
      { ...line, taken, versions: { Python: '3.11.7', NumPy: '2.4.6' } },
      {
        ...line,
        taken: later,
        versions: { Python: '3.13.1', Dask: '2026.8.0' },
        load: { before: 0.5, after: 9 },
      },
    ]),
  ).toBe(
    'With Python 3.11.7 and 3.13.1, NumPy 2.4.6, Dask 2026.8.0. Taken from 2026-03-01 10:00 to 2026-03-02 09:05 UTC. ' +
      'Load of the machine 0.5 to 9.',
  )
  expect(originOf([line, { ...line, taken }])).toBe(
    'Taken from 2026-03-01 10:00 to 2026-03-01 10:20 UTC. 1 of 2 figures do not say when they were taken. ' +
      'Load of the machine 1 to 2.',
  )
})
