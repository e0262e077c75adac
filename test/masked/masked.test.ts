import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SeasonProject } from './season-project.ts'

/**
 * What the README promises of the season example. The tests of a group are steps of one story, in one project: what an
 * earlier one left is what the next one finds.
 */

let project: SeasonProject

beforeAll(async () => {
  project = await SeasonProject.make()
}, 600_000)
afterAll(() => project.remove())

const july = ['--input', 'until=2012-07-31']
const corrected = ['--input', 'corrections={"2012-03-14":{"temp_max":9.4}}']
const wind = ['--input', 'corrections={"2012-03-14":{"temp_max":9.4},"2012-04-02":{"wind":3.3}}']

describe('a directory of days that grows', () => {
  it('is checked by day, described by month and reported by season', async () => {
    expect(await project.run()).toEqual({
      executed: 190,
      reused: 0,
      tasks: { release: 1, check: 182, features: 6, report: 1 },
    })
    expect((await readFile(project.output('seasons.csv'), 'utf8')).split('\n')).toEqual([
      'season,days,mean,rain,frost_days,growing_degrees',
      'winter 2012,60,5.24,265.6,12,2.0',
      'spring 2012,92,9.85,303.3,3,132.2',
      'summer 2012,30,14.59,75.1,0,137.6',
      '',
    ])
    expect((await readFile(project.output('seasons.png'))).subarray(1, 4).toString('latin1')).toBe('PNG')
    expect(await readdir(project.output('months'))).toHaveLength(6)
  })

  it('runs nothing when nothing changed, and says what was saved', async () => {
    expect(await project.run()).toEqual({ executed: 0, reused: 190, tasks: {} })
    expect(await project.says()).toMatch(/0 executed · 190 reused .*saved/)
  })

  it('grown by a month, looks at the days of that month, and computes that month', async () => {
    expect(await project.run(...july)).toEqual({
      executed: 34,
      reused: 188,
      tasks: { release: 1, check: 31, features: 1, report: 1 },
    })
  })

  it('with one old day corrected, looks at that day, and computes its month', async () => {
    expect(await project.run(...july, ...corrected)).toEqual({
      executed: 4,
      reused: 218,
      tasks: { release: 1, check: 1, features: 1, report: 1 },
    })
  })

  it('stops where a correction changes no feature of its month', async () => {
    expect(await project.run(...july, ...wind)).toMatchObject({
      executed: 3,
      tasks: { release: 1, check: 1, features: 1 },
    })
  })

  it('with the code of one step changed, runs that step, and what follows if its results changed', async () => {
    await project.edit(
      'steps.py',
      '(values["max"] + values["min"]) / 2',
      '0.5 * (values["max"] + values["min"])',
    )
    expect(await project.run(...july, ...wind)).toMatchObject({ executed: 7, tasks: { features: 7 } })
    await project.edit('steps.py', 'WARM = 10.0', 'WARM = 8.0')
    expect(await project.run(...july, ...wind)).toMatchObject({
      executed: 8,
      tasks: { features: 7, report: 1 },
    })
  })
})

describe('a directory of your own', () => {
  const own = ['--input', 'days=days']
  const path = (name: string): string => join(project.folder, 'days', name)

  it('may have the names and columns of another network; a day that is not sound is left out', async () => {
    await mkdir(path('2016'), { recursive: true })
    for (const day of ['01', '02', '03']) {
      await writeFile(
        path(`2016/maricopa_2016-01-${day}.csv`),
        `date,Tmax,Tmin,Wndsp,Rain\n2016-01-${day},18,2,1,0\n`,
      )
    }
    await writeFile(path('2016/maricopa_2016-01-04.csv'), 'date,Tmax,Tmin,Wndsp,Rain\n2016-01-04,1,12,1,0\n')
    await writeFile(path('README.md'), 'not a day')
    expect((await project.run(...own)).tasks).toEqual({ check: 4, features: 1, report: 1 })
    expect(await readFile(project.output('seasons.csv'), 'utf8')).toMatch(/^winter 2016,3,10\.0,/m)
  })

  it('reuses days that were moved into folders, and drops days that were deleted', async () => {
    await mkdir(path('2016/01'))
    await rename(path('2016/maricopa_2016-01-01.csv'), path('2016/01/maricopa_2016-01-01.csv'))
    expect((await project.run(...own)).tasks).toEqual({ features: 1 })
    await rm(path('2016/maricopa_2016-01-02.csv'))
    expect((await project.run(...own)).tasks).toEqual({ features: 1, report: 1 })
  })

  it('of which a copy elsewhere runs nothing', async () => {
    await cp(join(project.folder, 'days'), join(project.folder, 'copied'), { recursive: true })
    expect((await project.run('--input', 'days=copied')).executed).toBe(0)
  })
})

it('of a directory without a sound day, says so', async () => {
  await mkdir(join(project.folder, 'none'))
  await expect(project.run('--input', 'days=none')).rejects.toThrow(/there is no sound day to report/)
})
