import { copyFile, cp, mkdir, open, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ForecastProject } from './forecast-project.ts'

/**
 * What the README promises of the forecast example. The tests of a group are steps of one story, in one project:
 * what an earlier one left is what the next one finds.
 */

let project: ForecastProject

beforeAll(async () => {
  project = await ForecastProject.make()
  await project.centre('acquire', project.beside('raw'))
}, 600_000)
afterAll(() => project.remove())

const nothing = { state: 'succeeded', executed: 0, tasks: {} }
const fanIn = { combine: 1, catalogue: 1, plots: 1 }

describe('the forecast example', () => {
  it('ingests the 54 months of the package, and leaves an index, a catalogue, plots and reports', async () => {
    expect(await project.ingest('-j', '2')).toEqual({
      state: 'succeeded',
      executed: 166,
      reused: 0,
      tasks: { acquire: 1, quality_control: 54, compliance: 54, index: 54, ...fanIn },
      figures: { files: 54, quarantined: 0, times: 54 },
      error: null,
    })
    const { times, shape, mean } = await project.read(
      'references',
      project.output('index.json'),
      project.beside('raw'),
    )
    expect({ first: times[0], last: times.at(-1), shape, mean }).toEqual({
      first: '2006-04',
      last: '2010-09',
      shape: [54, 18, 432],
      mean: 300.8,
    })
    expect(
      project.catalogue('SELECT count(*) AS files, sum(cf_high) AS high, min(first) AS first FROM file'),
    ).toEqual([{ files: 54, high: 0, first: '2006-04-16T00:00:00' }])
    for (const name of ['mean-map.png', 'area-mean.png']) {
      expect((await readFile(project.output(name))).subarray(0, 4).toString('latin1')).toBe('\x89PNG')
    }
    expect(await readFile(project.output('page.html'), 'utf8')).toMatch(/<html[\s\S]*data:image\/png;base64,/)
    expect((await project.list('compliance')).length).toBe(54)
    expect((await project.list('references'))[0]).toBe('ostia_sst_2006-04.nc')
  })

  it('executes nothing when it is run again', async () => {
    expect(await project.ingest()).toMatchObject({ ...nothing, reused: 166 })
  })

  it('executes nothing after a comment, a new function, or a change of a function that nothing called', async () => {
    await project.edit('steps.py', 'import json\n', '# what a step may need\nimport json\n')
    await project.edit(
      'steps.py',
      '\ndef verdicts(',
      '\ndef unused() -> int:\n    return 1\n\n\ndef verdicts(',
    )
    await project.edit('steps.py', 'BLOCK // max(1, bytes_a_step)', 'BLOCK // max(8, bytes_a_step)')
    expect(await project.ingest()).toMatchObject({ ...nothing, reused: 166 })
  })

  it('executes nothing in another directory, whose name has spaces and accents', async () => {
    await project.move('prévisions d’été')
    expect(await project.ingest()).toMatchObject({ ...nothing, reused: 166 })
  })

  it('executes only the task whose function is changed', async () => {
    await project.edit('steps.py', '"files": len(reports),', '"files": 0 + len(reports),')
    expect(await project.ingest()).toMatchObject({ executed: 1, tasks: { catalogue: 1 } })
  })

  it('stops after the index tasks where their function is changed and its bytes are not', async () => {
    await project.edit(
      'steps.py',
      '    found = grib_references(file) if',
      '    file = Path(file)\n    found = grib_references(file) if',
    )
    expect(await project.ingest('-j', '2')).toMatchObject({ executed: 54, reused: 112, tasks: { index: 54 } })
  })

  it('stops after quality control where a module that it reaches is changed and its findings are not', async () => {
    await project.edit('forecast_judge.py', 'def judge_missing(', 'COUNTED = 1\n\n\ndef judge_missing(')
    expect(await project.ingest()).toMatchObject(nothing)
    await project.edit('steps.py', 'times = sorted(found["times"])', 'times = sorted(list(found["times"]))')
    expect(await project.ingest('-j', '2')).toMatchObject({ executed: 54, tasks: { quality_control: 54 } })
  })
})

describe('the forecast example on a directory of files', () => {
  let raw: string
  const ingest = () => project.ingest('--input', `raw=${raw}`, '-j', '1')

  beforeAll(() => {
    raw = project.beside('raw')
  })

  it('takes what it knows of the same files', async () => {
    expect(await ingest()).toMatchObject({ ...nothing, reused: 165 })
  })

  it('executes the steps of a new file, and the fan-in', async () => {
    await project.centre('follow', join(raw, 'ostia_sst_2010-09.nc'), join(raw, 'ostia_sst_2010-10.nc'), '30')
    expect(await ingest()).toMatchObject({
      executed: 6,
      tasks: { quality_control: 1, compliance: 1, index: 1, ...fanIn },
      figures: { files: 55, quarantined: 0, times: 55 },
    })
  })

  it('executes the steps of a changed file, and the fan-in', async () => {
    await project.centre('revise', join(raw, 'ostia_sst_2008-03.nc'))
    expect(await ingest()).toMatchObject({
      executed: 6,
      tasks: { quality_control: 1, compliance: 1, index: 1, ...fanIn },
      figures: { files: 55, quarantined: 0, times: 55 },
    })
  })

  it('executes the fan-in where a file is gone', async () => {
    await rm(join(raw, 'ostia_sst_2006-04.nc'))
    expect(await ingest()).toMatchObject({
      executed: 3,
      tasks: fanIn,
      figures: { files: 54, quarantined: 0, times: 54 },
    })
  })

  it('quarantines a truncated, an empty and a foreign file with their reasons, and goes on', async () => {
    await copyFile(join(raw, 'ostia_sst_2006-05.nc'), join(raw, 'ostia_sst_2010-11.nc'))
    await truncate(join(raw, 'ostia_sst_2010-11.nc'), 30_000)
    await (await open(join(raw, 'ostia_sst_2010-12.nc'), 'w')).close()
    await writeFile(join(raw, 'notes.txt'), 'no data\n')
    expect(await ingest()).toMatchObject({
      state: 'succeeded',
      executed: 5,
      tasks: { quality_control: 3, catalogue: 1, plots: 1 },
      figures: { files: 57, quarantined: 3, times: 54 },
    })
    expect(project.quarantined()).toEqual({
      'notes.txt': expect.stringMatching(/^is neither NetCDF nor GRIB/),
      'ostia_sst_2010-11.nc': 'is cut short: 30000 of 61772 bytes',
      'ostia_sst_2010-12.nc': 'is empty: 0 bytes',
    })
  })

  it('takes files by any name, spaces, accents and line breaks too', async () => {
    await rename(join(raw, 'ostia_sst_2007-01.nc'), join(raw, 'mer d’été 2007-01.nc'))
    await rename(join(raw, 'ostia_sst_2007-02.nc'), join(raw, 'sea\nsurface 2007-02.nc'))
    expect(await ingest()).toMatchObject({
      executed: 9,
      tasks: { quality_control: 2, compliance: 2, index: 2, ...fanIn },
      figures: { files: 57, quarantined: 3, times: 54 },
    })
    const { times } = await project.read('references', project.output('index.json'), raw)
    expect(times.length).toBe(54)
    expect(times.slice(8, 10)).toEqual(['2007-01', '2007-02'])
  })
})

describe('the options of the forecast example', () => {
  let few: string

  beforeAll(async () => {
    few = project.beside('few')
    await mkdir(few)
    for (const month of ['01', '02', '03']) {
      const name = `ostia_sst_2009-${month}.nc`
      await copyFile(join(project.beside('raw'), name), join(few, name))
    }
    await project.centre('mislabel', join(few, 'ostia_sst_2009-02.nc'))
  })

  it('quarantines by the gate on compliance', async () => {
    const { state, figures } = await project.ingest('--input', `raw=${few}`, '--input', 'maxHigh=0')
    expect({ state, figures }).toEqual({
      state: 'succeeded',
      figures: { files: 3, quarantined: 1, times: 2 },
    })
    expect(project.quarantined()).toEqual({
      'ostia_sst_2009-02.nc': 'compliance: 1 findings of high priority, at most 0 allowed',
    })
    const { times } = await project.read('references', project.output('index.json'), few)
    expect(times).toEqual(['2009-01', '2009-03'])
  })

  it('writes a Zarr store that xarray opens', async () => {
    const ran = await project.ingest('--input', `raw=${few}`, '--input', 'maxHigh=0', '--input', 'zarr=true')
    expect(ran).toMatchObject({ state: 'succeeded', executed: 1, tasks: { to_zarr: 1 } })
    const { times, shape } = await project.read('store', project.output('zarr'))
    expect({ times, shape }).toEqual({ times: ['2009-01', '2009-03'], shape: [2, 18, 432] })
  })

  it('fails with a reason where no file is fit, and for a directory without a file', async () => {
    const none = project.beside('none')
    await mkdir(none)
    expect((await project.ingest('--input', `raw=${none}`)).error?.message).toMatch(/no file was indexed/)
    await writeFile(join(none, 'a.nc'), '')
    expect((await project.ingest('--input', `raw=${none}`)).error?.message).toMatch(/no file was indexed/)
  })
})

describe('the forecast example in Python', () => {
  it('is the same pipeline: what the one has made, the other takes', async () => {
    const few = ['--input', `raw=${project.beside('few')}`, '--input', 'zarr=true']
    expect(await project.run('ingest.py', ...few, '--input', 'max_high=0')).toMatchObject({
      ...nothing,
      figures: { files: 3, quarantined: 1, times: 2 },
    })
  })

  describe('by itself', () => {
    let own: ForecastProject
    let raw: string
    const ingest = (...more: string[]) => own.run('ingest.py', '--input', `raw=${raw}`, '-j', '2', ...more)

    beforeAll(async () => {
      own = await ForecastProject.make()
      raw = own.beside('raw')
      await mkdir(raw)
      for (const month of ['01', '02', '03', '04', '05', '06']) {
        const name = `ostia_sst_2009-${month}.nc`
        await copyFile(join(project.beside('raw'), name), join(raw, name))
      }
    })
    afterAll(() => own.remove())

    it('ingests files, and leaves an index, a catalogue, plots and reports', async () => {
      expect(await ingest()).toEqual({
        state: 'succeeded',
        executed: 21,
        reused: 0,
        tasks: { quality_control: 6, compliance: 6, index: 6, ...fanIn },
        figures: { files: 6, quarantined: 0, times: 6 },
        error: null,
      })
      const { times, shape } = await own.read('references', own.output('index.json'), raw)
      expect({ times: times.length, shape }).toEqual({ times: 6, shape: [6, 18, 432] })
      for (const name of ['mean-map.png', 'area-mean.png'])
        expect((await readFile(own.output(name))).subarray(0, 4).toString('latin1')).toBe('\x89PNG')
      expect((await own.list('compliance')).length).toBe(6)
    })

    it('executes nothing when it is run again, nor after comments in workflow and steps', async () => {
      expect(await ingest()).toMatchObject({ ...nothing, reused: 21 })
      await own.edit('steps.py', 'import json\n', '# what a step may need\nimport json\n')
      await own.edit('ingest.py', 'steps = module(', '# the steps\nsteps = module(')
      expect(await ingest()).toMatchObject({ ...nothing, reused: 21 })
    })

    it('executes only the task whose function is changed, and stops where its results are what they were', async () => {
      await own.edit('steps.py', '"files": len(reports),', '"files": 0 + len(reports),')
      expect(await ingest()).toMatchObject({ executed: 1, tasks: { catalogue: 1 } })
      await own.edit('steps.py', 'times = sorted(found["times"])', 'times = sorted(list(found["times"]))')
      expect(await ingest()).toMatchObject({ executed: 6, tasks: { quality_control: 6 } })
    })

    it('executes the steps of a new file, and the fan-in', async () => {
      await copyFile(join(project.beside('raw'), 'ostia_sst_2009-07.nc'), join(raw, 'ostia_sst_2009-07.nc'))
      expect(await ingest()).toMatchObject({
        executed: 6,
        tasks: { quality_control: 1, compliance: 1, index: 1, ...fanIn },
        figures: { files: 7, quarantined: 0, times: 7 },
      })
    })

    it('quarantines a bad file with its reason, and goes on', async () => {
      await truncate(join(raw, 'ostia_sst_2009-06.nc'), 30_000)
      expect(await ingest()).toMatchObject({
        state: 'succeeded',
        tasks: { quality_control: 1, ...fanIn },
        figures: { files: 7, quarantined: 1, times: 6 },
      })
      expect(own.quarantined()).toEqual({
        'ostia_sst_2009-06.nc': expect.stringMatching(/^is cut short: 30000 of /),
      })
    })
  })
})

it('the steps of the forecast example pass their own tests', async () => {
  expect(await project.unittest()).toMatch(/\nOK/)
})

const data = process.env['ALMANAC_TEST_DATA']

// only where the files are: they are not part of the repository
describe.runIf(data !== undefined)('the forecast example on real files of centres', () => {
  it('ingests GRIB by the hour beside NetCDF and GRIB that it refuses', async () => {
    const raw = project.beside('hours')
    await mkdir(raw)
    for (let hour = 0; hour < 24; hour++) {
      const name = `era5_2t_20190301T${String(hour).padStart(2, '0')}.grib`
      await copyFile(join(data as string, 'era5-uk-2019-03/hourly', name), join(raw, name))
    }
    for (const name of [
      'nc/bad_data_type.nc',
      'nc/lateral_search_example.nc',
      'grib/era5-levels-corrupted.grib',
      'grib/regular_gg_wrong_increment.grib',
      'grib/regular_ll_wrong_increment.grib',
    ]) {
      await cp(join(data as string, 'defects', name), join(raw, name), { recursive: true })
    }
    expect(await project.ingest('--input', `raw=${raw}`, '-j', '2')).toMatchObject({
      state: 'succeeded',
      executed: 80,
      tasks: { quality_control: 29, compliance: 24, index: 24, ...fanIn },
      figures: { files: 29, quarantined: 5, times: 24 },
    })
    expect(project.quarantined()).toEqual({
      'grib/era5-levels-corrupted.grib': 'message 1 is cut short or corrupted (Wrong message length)',
      'grib/regular_gg_wrong_increment.grib':
        'message 1 cannot be decoded (Grid description is wrong or inconsistent)',
      'grib/regular_ll_wrong_increment.grib':
        'its grid of 72 points over 355 degrees disagrees with its increment of 2',
      'nc/bad_data_type.nc': 'temp holds no value at all; really_bad holds no value at all',
      'nc/lateral_search_example.nc': 'has no variable with data',
    })
    const { times, shape } = await project.read('references', project.output('index.json'), raw)
    expect({ times: times.length, shape }).toEqual({ times: 24, shape: [24, 33, 49] })
    const [before] = project.catalogue('SELECT count(*) AS checked FROM file WHERE cf_score IS NOT NULL')
    expect(before).toEqual({ checked: 0 })
  })

  // those that are refused are known from the test before
  it.each([
    [
      'nc',
      { quality_control: 1, compliance: 1, index: 1 },
      'bad_missing_data.nc has no coordinate of time along a dimension: it cannot be combined',
    ],
    [
      'grib',
      { quality_control: 2, compliance: 2, index: 2 },
      'regular_ll_sfc.grib and fields_with_missing_values.grib do not hold the same variables: skt, t2m',
    ],
  ])('says which sound files of defects/%s cannot be one record', async (kind, tasks, message) => {
    const raw = join(data as string, 'defects', kind)
    const ran = await project.ingest('--input', `raw=${raw}`)
    expect({ state: ran.state, error: ran.error?.message, tasks: ran.tasks }).toEqual({
      state: 'failed',
      error: message,
      tasks,
    })
  })
})
