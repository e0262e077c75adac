import { expect, it } from 'vitest'
import { Goals } from './goals.ts'
import { checkSeedGoals } from './seed/goals.ts'
import type { Line } from './seed/table.ts'

const rows = (goals: Goals): string[] => goals.lines().slice(6)

it('says which goals are missed, with what, and by how many figures it is reached', () => {
  const goals = new Goals()
  goals.check('tasks a second', { least: 150_000 }, 71_953.2)
  goals.check('a step, µs', { most: 20 }, 45.18, 'the first time')
  goals.check('a step, µs', { most: 20 }, 18.7, 'a second time')
  goals.check('heap of a task, B', { most: 400 }, 176)
  goals.check('resume, s', { most: 1 }, Number.NaN)
  expect(goals.lines()[2]).toMatch(/^3 of 4 goals are missed /)
  expect(rows(goals)).toEqual([
    '| tasks a second: 150000 or more | 71953 | 0 of 1 |',
    '| a step, µs: 20 or less | the first time: 45.18 | 1 of 2 |',
    '| resume, s: 1 or less | no figure | 0 of 1 |',
  ])
})

it("compares cells of the seed's benchmark with the pool's and Dask's", () => {
  const cell = (n: number, sizeMb: number, sleepMean: number) => ({
    n,
    sizeMb,
    sleepMean,
    sleepSpread: 0,
    parallel: 16,
    load: { before: 0, after: 0 },
  })
  const of = (one: ReturnType<typeof cell>, wallS: Readonly<Record<string, number>>): Line[] =>
    Object.entries(wallS).map(([engine, seconds]) => ({
      engine,
      ...one,
      wallS: seconds,
      tasksPerS: 2000 / seconds,
      ...(one.sleepMean > 0 && { overheadPercent: 100 * (seconds / 10 - 1) }),
    }))
  const goals = new Goals()
  checkSeedGoals(goals, [
    ...of(cell(1000, 0.1, 0.16), { floor: 10, 'almanac-python': 10.5, dask: 11 }),
    ...of(cell(1000, 10, 0.16), { floor: 10, 'almanac-threads': 10.5, dask: 11 }),
    ...of(cell(1000, 0.1, 0), { floor: 1, 'almanac-python': 2, dask: 10 }),
    ...of(cell(1000, 10, 0), { floor: 1, 'almanac-python': 1.25 }),
    ...of(cell(128_000, 10, 0.01), { floor: 100, 'almanac-python': 112 }).map((one) => ({
      ...one,
      peakMb: 1443,
    })),
  ])
  expect(rows(goals)).toEqual([
    '| overhead at 0.1 MB, points over the pool: 3 or less | almanac-python, 1 000 at 0.16 s: 5 | 0 of 1 |',
    '| (t - pool) / (Dask - pool) with sleeps: 0.25 or less | almanac-python, 1 000 × 0.1 MB at 0.16 s: 0.5; almanac-threads, 1 000 × 10 MB at 0.16 s: 0.5 | 0 of 2 |',
    '| tasks a second at 0.1 MB without sleep, × Dask: 10 or more | almanac-python, 1 000: 5 | 0 of 1 |',
    '| time at 10 MB without sleep, × the pool: 1.2 or less | almanac-python, 1 000: 1.25 | 0 of 1 |',
    '| most memory of 128 000 × 10 MB, MB: 1000 or less | almanac-python: 1443 | 0 of 1 |',
  ])
})
