import { parseArgs } from 'node:util'
import { grids } from './cell.ts'

/** What the benchmark is asked for. */
export interface SeedOptions {
  readonly n: number
  readonly sleepMean: number
  readonly sleepSpread: number
  readonly sizeMb: number
  readonly parallel: number
  readonly engines: readonly string[]
  readonly repeat: number
  readonly grid?: string
  /** an engine that takes more is stopped */
  readonly maxGb: number
  readonly maxMinutes: number
  /** a file for the lines: cells and engines that are in it are left out, but for those that failed */
  readonly append?: string
  readonly page?: string
}

const numbers = {
  n: ['1000', 'tasks'],
  'sleep-mean': ['0.1', 'seconds'],
  'sleep-spread': ['0.05', 'seconds more or less'],
  'size-mb': ['0.1', 'of each array; 0 is one number, as inline tasks can give'],
  parallel: ['16', 'tasks at once'],
  repeat: ['3', 'times each engine runs'],
  'max-gb': ['12', 'an engine that takes more memory is stopped'],
  'max-minutes': ['60', 'and one that takes longer'],
} as const
const whole: readonly string[] = ['n', 'parallel', 'repeat']

/** The options, or a text for whoever asked: help, or what is wrong with them. */
export function seedOptions(args: readonly string[], engines: readonly string[]): SeedOptions | string {
  let values: Readonly<Record<string, unknown>>
  try {
    const text = { type: 'string' } as const
    const named = Object.keys(numbers).map((name) => [name, text])
    const options = { ...Object.fromEntries(named), engines: text, grid: text, append: text, page: text }
    values = parseArgs({ args: [...args], options: { ...options, help: { type: 'boolean' } } }).values
  } catch (error) {
    return `${(error as Error).message}\n${help(engines)}`
  }
  if (values['help'] === true) return help(engines)
  const found = new Map<string, number>()
  for (const [name, [standard]] of Object.entries(numbers)) {
    const number = Number(values[name] ?? standard)
    const least = whole.includes(name) ? 1 : 0
    if (!(number >= least && Number.isFinite(number)) || (whole.includes(name) && !Number.isInteger(number)))
      return `--${name} is ${least === 1 ? 'a whole number from 1' : 'a number from 0'}, not ${values[name]}`
    found.set(name, number)
  }
  const { grid, append, page } = values as Readonly<Record<string, string | undefined>>
  if (grid !== undefined && grids[grid] === undefined)
    return `there is no grid ${grid}: ${Object.keys(grids).join(', ')}`
  const chosen = String(values['engines'] ?? 'almanac-python,dask,floor').split(',')
  const unknown = chosen.find((name) => !engines.includes(name))
  if (unknown !== undefined) return `there is no engine ${unknown}: ${engines.join(', ')}`
  const number = (name: keyof typeof numbers): number => found.get(name) as number
  return {
    n: number('n'),
    sleepMean: number('sleep-mean'),
    sleepSpread: number('sleep-spread'),
    sizeMb: number('size-mb'),
    parallel: number('parallel'),
    engines: chosen,
    repeat: number('repeat'),
    maxGb: number('max-gb'),
    maxMinutes: number('max-minutes'),
    ...(grid !== undefined && { grid }),
    ...(append !== undefined && { append }),
    ...(page !== undefined && { page }),
  }
}

const help = (engines: readonly string[]): string =>
  [
    'npm run bench:seed -- [options]',
    ...Object.entries(numbers).map(([name, [standard, is]]) => `  --${name} ${standard}`.padEnd(24) + is),
    `  --engines a,b         of ${engines.join(', ')}`,
    `  --grid ${Object.keys(grids).join('|')}`.padEnd(24).concat('  all cells of a table'),
    '  --append FILE         keeps the lines, and measures only what is not there or failed',
    '  --page FILE           writes them as a table',
  ].join('\n')
