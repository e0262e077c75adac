import type { Goals } from '../goals.ts'
import { type Line, sleepOf, thousands } from './table.ts'

/** What cells are asked for beside the bare pool and Dask, of every engine of ours that took part. */
export function checkSeedGoals(goals: Goals, lines: readonly Line[]): void {
  const ours = lines.filter(({ engine }) => engine.startsWith('almanac-') && engine !== 'almanac-inline')
  for (const line of ours) {
    const beside = (engine: string): Line | undefined =>
      lines.find((one) => one.engine === engine && isSameCell(one, line))
    checkCell(goals, line, beside('floor'), beside('dask'))
  }
}

function checkCell(goals: Goals, line: Line, pool: Line | undefined, dask: Line | undefined): void {
  const { engine, n, sizeMb, wallS = Number.NaN } = line
  const slept = line.sleepMean === 0 ? '' : ` at ${sleepOf(line)} s`
  const which = `${engine}, ${thousands(n)}${slept}`
  const times = wallS / (pool?.wallS ?? Number.NaN)
  if (n === 128_000 && sizeMb === 10) {
    goals.check('time of 128 000 × 10 MB, × the pool', { most: 1.25 }, times, engine)
    goals.check('most memory of 128 000 × 10 MB, MB', { most: 1000 }, line.peakMb ?? Number.NaN, engine)
    return
  }
  if (slept === '') {
    if (sizeMb === 10) goals.check('time at 10 MB without sleep, × the pool', { most: 1.2 }, times, which)
    else if (dask !== undefined) {
      const ratio = (line.tasksPerS ?? Number.NaN) / (dask.tasksPerS ?? Number.NaN)
      goals.check('tasks a second at 0.1 MB without sleep, × Dask', { least: 10 }, ratio, which)
    }
    return
  }
  if (sizeMb === 10) goals.check("time at 10 MB with sleeps, × the pool's", { most: 1.1 }, times, which)
  else {
    const points = (line.overheadPercent ?? Number.NaN) - (pool?.overheadPercent ?? Number.NaN)
    goals.check('overhead at 0.1 MB, points over the pool', { most: 3 }, points, which)
  }
  if (dask?.wallS === undefined || pool?.wallS === undefined) return
  const share = (wallS - pool.wallS) / (dask.wallS - pool.wallS)
  const cell = `${engine}, ${thousands(n)} × ${sizeMb} MB${slept}`
  goals.check('(t - pool) / (Dask - pool) with sleeps', { most: 0.25 }, share, cell)
}

const isSameCell = (a: Line, b: Line): boolean =>
  a.n === b.n && a.sizeMb === b.sizeMb && a.sleepMean === b.sleepMean && a.sleepSpread === b.sleepSpread
