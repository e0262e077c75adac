import { expect, it } from 'vitest'
import { type Line, seedTable } from './table.ts'

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
