import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensurePythonEnv } from '../../src/executors/python/environment.ts'
import { machine } from '../machine.ts'
import { median } from '../process-cost.ts'
import type { Cell } from './cell.ts'
import { closedForm, givenCell, grids, overheadPercent } from './cell.ts'
import { KeptLines } from './kept-lines.ts'
import type { Measured } from './measure.ts'
import { measure } from './measure.ts'
import { seedTable } from './table.ts'

/**
 * The benchmark of the ALMA team: n tasks in parallel, each sleeping and giving an array, summed by a binary tree.
 * Engines take turns, each time in a process of its own; one JSON line for each engine and cell, with medians.
 *
 *     npm run bench:seed -- --n 1000 --sleep-mean 0.1 --sleep-spread 0.05 --size-mb 10 --parallel 16 \
 *       --engines almanac-inline,almanac-threads,almanac-python,almanac-pyflow,dask,prefect,floor --repeat 3
 *     npm run bench:seed -- --grid small
 *     npm run bench:seed -- --grid seed --append seed.jsonl
 *
 * With `--append` the lines are kept in a file too, and what is there already is not measured again; `--page` writes
 * them all as a page with a table.
 */

const { values } = parseArgs({
  options: {
    n: { type: 'string', default: '1000' },
    'sleep-mean': { type: 'string', default: '0.1' },
    'sleep-spread': { type: 'string', default: '0.05' },
    'size-mb': { type: 'string', default: '0.1' },
    parallel: { type: 'string', default: '16' },
    engines: { type: 'string', default: 'almanac-python,dask,floor' },
    repeat: { type: 'string', default: '3' },
    grid: { type: 'string' },
    /** an engine that takes more is stopped */
    'max-gb': { type: 'string', default: '12' },
    'max-minutes': { type: 'string', default: '60' },
    /** a file for the lines: cells and engines that are in it are left out */
    append: { type: 'string' },
    page: { type: 'string' },
  },
})

const here = import.meta.dirname
const parallel = Number(values.parallel)
const repeat = Number(values.repeat)
const bounds = {
  maxBytes: Number(values['max-gb']) * 1e9,
  maxMs: Number(values['max-minutes']) * 60_000,
}
const lines = new KeptLines(values.append)
const folder = mkdtempSync(join(tmpdir(), 'almanac-seed-'))
const { python } = await ensurePythonEnv(
  { requirements: join(here, 'requirements.txt') },
  { onProgress: (line) => process.stderr.write(`${line}\n`) },
)

/** What an engine is started as. */
interface Program {
  readonly command: (cell: string) => [string, ...string[]]
  readonly env?: Readonly<Record<string, string>>
  /** why it does not run a cell */
  readonly refuses?: (cell: Cell) => string | undefined
}

const script = (name: string, env: Readonly<Record<string, string>> = {}): Program => ({
  command: (cell) => [python, join(here, name), cell],
  env: { OMP_NUM_THREADS: '1', ...env },
})
const almanac = (engine: string, refuses?: Program['refuses']): Program => ({
  command: (cell) => [process.execPath, join(here, 'almanac.ts'), cell, engine],
  ...(refuses !== undefined && { refuses }),
})

const programs: Readonly<Record<string, Program>> = {
  'almanac-inline': almanac('inline', ({ sizeMb }) =>
    sizeMb > 0 ? 'results of inline tasks are kept in the journal: it runs with --size-mb 0' : undefined,
  ),
  'almanac-threads': almanac('threads'),
  'almanac-python': almanac('python'),
  'almanac-pyflow': almanac('pyflow'),
  dask: script('dask_run.py'),
  prefect: script('prefect_run.py', {
    PREFECT_HOME: join(folder, 'prefect'),
    PREFECT_LOGGING_LEVEL: 'ERROR',
    PREFECT_SERVER_ANALYTICS_ENABLED: 'false',
    PREFECT_SERVER_ALLOW_EPHEMERAL_MODE: 'true',
  }),
  floor: script('floor.py'),
}

const engines = values.engines.split(',')
for (const name of engines) if (programs[name] === undefined) throw new Error(`there is no engine ${name}`)

try {
  for (const cell of cells()) await runCell(cell)
  if (values.page !== undefined) writeFileSync(values.page, page())
} finally {
  rmSync(folder, { recursive: true })
}

function page(): string {
  return [
    '# Figures of `npm run bench:seed`',
    '',
    `${machine()}. ${parallel} in parallel, each engine ${repeat} times in turn, medians. Of each: wall time, that as a multiple`,
    "of the bare thread pool's (`floor`), what it is over the sleeps spread evenly (without sleep: tasks a second), CPU a task,",
    'and the peak of the whole process tree, shared memory counted once.',
    '',
    ...seedTable(lines.all),
    '',
  ].join('\n')
}

function cells(): Cell[] {
  if (values.grid === undefined) {
    return [
      {
        n: Number(values.n),
        sleepMean: Number(values['sleep-mean']),
        sleepSpread: Number(values['sleep-spread']),
        sizeMb: Number(values['size-mb']),
        parallel,
      },
    ]
  }
  const grid = grids[values.grid]
  if (grid === undefined) throw new Error(`there is no grid ${values.grid}: ${Object.keys(grids).join(', ')}`)
  return grid.map((cell) => ({ ...cell, parallel }))
}

async function runCell(cell: Cell): Promise<void> {
  const file = join(folder, 'cell.json')
  writeFileSync(file, JSON.stringify(givenCell(cell)))
  const before = load()
  const wanted = engines.filter((name) => !lines.has(name, cell))
  const runs = new Map<string, Measured[]>()
  const stopped = new Map<string, string>()
  for (let round = 0; round < repeat; round++) {
    for (const name of wanted) {
      const program = programs[name] as Program
      const refused = stopped.get(name) ?? program.refuses?.(cell)
      if (refused !== undefined) {
        stopped.set(name, refused)
        continue
      }
      const one = await measure(program.command(file), { cwd: here, ...bounds, env: program.env ?? {} })
      if ('stopped' in one) {
        stopped.set(name, one.stopped)
        continue
      }
      if (JSON.stringify(one.found) !== JSON.stringify(closedForm(cell))) {
        throw new Error(`${name} gave ${JSON.stringify(one.found)}, not ${JSON.stringify(closedForm(cell))}`)
      }
      process.stderr.write(`${name}: ${one.seconds.toFixed(2)} s\n`)
      runs.set(name, [...(runs.get(name) ?? []), one])
    }
  }
  for (const name of wanted) report(name, cell, runs.get(name) ?? [], stopped.get(name), before)
}

function report(
  engine: string,
  cell: Cell,
  runs: readonly Measured[],
  stopped: string | undefined,
  before: number,
): void {
  const seconds = median(runs.map((one) => one.seconds))
  const overhead = overheadPercent(seconds, givenCell(cell))
  const tasks = 2 * cell.n - 1
  const figures = runs.length > 0 && {
    wallS: rounded(seconds, 3),
    allWallS: runs.map((one) => rounded(one.seconds, 3)),
    ...(overhead !== undefined && { overheadPercent: rounded(overhead, 2) }),
    tasksPerS: Math.round(tasks / seconds),
    cpuMsPerTask: rounded((1000 * median(runs.map((one) => one.cpuSeconds))) / tasks, 4),
    peakMb: Math.round(median(runs.map((one) => one.peakBytes)) / 1e6),
  }
  const load1 = { before, after: load() }
  lines.add({ engine, ...cell, ...figures, ...(stopped !== undefined && { stopped }), load: load1 })
}

function load(): number {
  return rounded(loadavg()[0] ?? 0, 2)
}

function rounded(number: number, digits: number): number {
  return Number(number.toFixed(digits))
}
