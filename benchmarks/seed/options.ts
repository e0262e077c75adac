import { amount, oneOf, someOf, text, whole } from '../../scripts/options/option.ts'
import { scriptOptions } from '../../scripts/options/script-options.ts'
import { grids } from './cell.ts'

export const engineNames = [
  'almanac-inline',
  'almanac-threads',
  'almanac-python',
  'almanac-pyflow',
  'dask',
  'prefect',
  'floor',
] as const

export type EngineName = (typeof engineNames)[number]

/** What the benchmark is asked for. */
export const options = scriptOptions({
  command: 'npm run bench:seed --',
  does: 'Tasks in parallel, each sleeping and giving an array, summed by a binary tree: one JSON line an engine and cell.',
  options: {
    n: whole('tasks', 1000),
    'sleep-mean': amount('seconds', 0.1),
    'sleep-spread': amount('seconds more or less', 0.05),
    'size-mb': amount('of each array; 0 is one number, as inline tasks can give', 0.1),
    parallel: whole('tasks at once', 16),
    repeat: whole('times each engine runs', 3),
    'max-gb': amount('an engine that takes more memory is stopped', 12),
    'max-minutes': amount('and one that takes longer', 60),
    engines: someOf(engineNames, ['almanac-python', 'dask', 'floor'], 'of'),
    grid: oneOf(Object.keys(grids), 'all cells of a table'),
    append: text('FILE', 'keeps the lines, and measures only what is not there or failed'),
    page: text('FILE', 'writes them as a table'),
  },
})
