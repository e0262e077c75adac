/**
 * Daily records of a weather station, one file a day, in a directory that grows: each day is checked, each month has its
 * features, and the seasons are reported with a plot. On a later run only new and corrected days are looked at, and only
 * their months are computed anew.
 *
 *   almanac run season.ts                                    Seattle, the first half of 2012, from a package
 *   almanac run season.ts --input until=2012-07-31           a month more
 *   almanac run season.ts --input days=./my-days             files of your own: `date` and weather, named by their day
 */
import { dir, file, json, python, run, workflow, z } from 'almanac'

/** What is found about one day; a day that is not sound is left out. */
interface Quality {
  readonly ok: boolean
  readonly reason: string | null
}

interface Season {
  readonly season: string
  readonly days: number
  readonly mean: number
  readonly rain: number
}

const env = python.env('requirements.txt')

export const release = python.task({
  env,
  run: 'steps.py:release',
  input: { until: json<string>(), corrections: json<Record<string, Record<string, number>>>() },
  output: { days: dir(), released: json<number>() },
  // it reads a package, which the requirements pin: the same each time
  cache: true,
})

export const check = python.task({
  env,
  run: 'steps.py:check',
  input: { day: file() },
  output: { quality: json<Quality>() },
})

export const features = python.task({
  env,
  run: 'steps.py:features',
  input: { days: dir() },
  output: { features: json() },
})

export const report = python.task({
  env,
  run: 'steps.py:report',
  input: { months: dir() },
  output: { table: file('seasons.csv'), plot: file('seasons.png'), seasons: json<Season[]>() },
})

const input = z.object({
  days: dir()
    .optional()
    .describe('one CSV file a day, its name ends with the date; a record of a package if absent'),
  until: z.string().default('2012-06-30').describe('last day that has arrived, of the record of the package'),
  corrections: z
    .record(z.string(), z.record(z.string(), z.number()))
    .default({})
    .describe('what the station corrected afterwards: values by day and column'),
})

export default workflow('season', { input }, async ({ days: given, until, corrections }) => {
  const days = given ?? release({ until, corrections }).days
  const checked = check.map(days, { include: '*.csv' })
  const sound = days.filter(checked.quality, (quality) => quality.ok)
  const months = features.map(sound, { by: /(\d{4}-\d{2})-\d{2}\.csv$/ })
  const { table, plot, seasons } = report({ months: months.features })

  const found = await checked.quality.all()
  run.metric('days', found.length)
  run.metric('left out', found.filter(({ ok }) => !ok).length)
  run.artifact('seasons', { kind: 'image', path: await plot })
  return { days: found.length, seasons: await seasons, table, plot, months: months.features }
})
