/**
 * Forecast ingest: files that a centre delivers go through quality control, a compliance check, indexing by kerchunk
 * and a catalogue. The steps are plain Python functions in `steps.py`; this says what follows from what.
 *
 *   almanac run ingest.ts                           54 months of sea-surface temperature, from a package
 *   almanac run ingest.ts --input raw=./my-files    NetCDF or GRIB files of your own
 */
import { dir, file, json, python, run, workflow, z } from 'almanac'

/** What quality control finds about one file. */
interface Quality {
  readonly ok: boolean
  readonly reason: string | null
}

/** Findings of the compliance checker about one file, by priority; checks that crashed count as findings. */
interface Findings {
  readonly high: number
  readonly crashed: readonly string[]
}

interface Combined {
  readonly files: number
  readonly times: number
}

const env = python.env('requirements.txt')

export const acquire = python.task({
  env,
  run: 'steps.py:acquire',
  output: { raw: dir(), summary: json() },
  // it reads a package, which the requirements pin: the same each time
  cache: true,
})

export const qualityControl = python.task({
  env,
  run: 'steps.py:quality_control',
  input: { file: file() },
  output: { quality: json<Quality>() },
  timeout: '10m',
})

export const compliance = python.task({
  env,
  run: 'steps.py:compliance',
  input: { file: file() },
  output: { report: file('report.json'), findings: json<Findings>() },
  timeout: '10m',
})

export const index = python.task({
  env,
  run: 'steps.py:index',
  input: { file: file() },
  output: { refs: file('refs.json'), summary: json() },
  timeout: '10m',
})

export const combine = python.task({
  env,
  run: 'steps.py:combine',
  input: { refs: dir(), raw: dir() },
  output: { index: file('index.json'), summary: json<Combined>() },
})

export const toZarr = python.task({
  env,
  run: 'steps.py:to_zarr',
  input: { index: file(), raw: dir() },
  output: { store: dir(), summary: json() },
})

export const catalogue = python.task({
  env,
  run: 'steps.py:catalogue',
  input: { reports: dir(), compliance: dir(), index: file(), max_high: json<number | null>() },
  output: { db: file('catalogue.sqlite'), summary: json() },
})

export const plots = python.task({
  env,
  run: 'steps.py:plots',
  input: { index: file(), raw: dir(), reports: dir(), compliance: dir(), max_high: json<number | null>() },
  output: {
    page: file('page.html'),
    mean_map: file('mean-map.png'),
    area_mean: file('area-mean.png'),
    summary: json(),
  },
})

const input = z.object({
  raw: dir()
    .optional()
    .describe('NetCDF or GRIB files; the sea-surface temperature record of a package if absent'),
  maxHigh: z
    .number()
    .int()
    .optional()
    .describe('findings of high priority that a file may have; no limit if absent'),
  zarr: z.boolean().default(false).describe('write the data as a Zarr store too'),
})

export default workflow('forecast', { input }, async ({ raw: given, maxHigh, zarr }) => {
  const raw = given ?? acquire({}).raw
  const checked = qualityControl.map(raw)
  const sound = raw.filter(checked.quality, (quality) => quality.ok)
  const complied = compliance.map(sound)
  const passed =
    maxHigh === undefined
      ? sound
      : sound.filter(complied.findings, ({ high, crashed }) => high + crashed.length <= maxHigh)
  const found = { reports: checked.quality, compliance: complied.findings, max_high: maxHigh ?? null }

  const indexed = index.map(passed)
  const combined = combine({ refs: indexed.refs, raw: passed })
  const listed = catalogue({ index: combined.index, ...found })
  const drawn = plots({ ...found, index: combined.index, raw: passed })
  const store = zarr ? { zarr: toZarr({ index: combined.index, raw: passed }).store } : {}

  const { files, times } = await combined.summary
  const all = await checked.quality.all()
  run.metric('files', all.length)
  run.metric('quarantined', all.length - files)
  run.artifact('mean over time', { kind: 'image', path: await drawn.mean_map })
  run.artifact('area mean', { kind: 'image', path: await drawn.area_mean })
  return {
    files: all.length,
    quarantined: all.length - files,
    times,
    index: combined.index,
    catalogue: listed.db,
    page: drawn.page,
    meanMap: drawn.mean_map,
    areaMean: drawn.area_mean,
    references: indexed.refs,
    compliance: complied.report,
    ...store,
  }
})
