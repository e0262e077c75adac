import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensurePythonEnv } from '../../src/executors/python/environment.ts'
import { Goals } from '../goals.ts'
import { load, machine, minute, pythonVersions } from '../machine.ts'
import { median } from '../process-cost.ts'
import type { Cell } from './cell.ts'
import { closedForm, givenCell, grids, overheadPercent } from './cell.ts'
import { touchMemory } from './fresh-memory.ts'
import { checkSeedGoals } from './goals.ts'
import { KeptLines } from './kept-lines.ts'
import type { Measured } from './measure.ts'
import { measure } from './measure.ts'
import { type EngineName, options } from './options.ts'
import { type Line, originOf, seedTable } from './table.ts'

/**
 * The benchmark of the ALMA team: n tasks in parallel, each sleeping and giving an array, summed by a binary tree.
 * Engines take turns, each time in a process of its own; one JSON line for each engine and cell, with medians.
 *
 *     npm run bench:seed -- --n 1000 --sleep-mean 0.1 --sleep-spread 0.05 --size-mb 10 --parallel 16 \
 *       --engines almanac-inline,almanac-threads,almanac-python,almanac-pyflow,dask,prefect,floor --repeat 3
 *     npm run bench:seed -- --grid small
 *     npm run bench:seed -- --grid seed --append seed.jsonl
 *
 * With `--append` the lines are kept in a file too, and what is there already is not measured again, but for what
 * failed; `--page` writes them all as a page with a table.
 */

const here = import.meta.dirname
const { parallel, repeat, engines } = options
const bounds = { maxBytes: options['max-gb'] * 1e9, maxMs: options['max-minutes'] * 60_000 }
const lines = new KeptLines(options.append)
const folder = mkdtempSync(join(tmpdir(), 'almanac-seed-'))
const { python } = await ensurePythonEnv(
  { requirements: join(here, 'requirements.txt') },
  { onProgress: (line) => process.stderr.write(`${line}\n`) },
)

const installed = pythonVersions(python, ['NumPy', 'Dask', 'Prefect'])

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

const programs: Readonly<Record<EngineName, Program>> = {
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
    // on a busy machine its server takes longer to start than the 20 s that it has
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS: '90',
  }),
  floor: script('floor.py'),
}

try {
  for (const cell of cells()) await runCell(cell)
  if (options.page !== undefined) writeFileSync(options.page, page())
} finally {
  rmSync(folder, { recursive: true })
}

function page(): string {
  const goals = new Goals()
  checkSeedGoals(goals, lines.all)
  return [
    '# Figures of `npm run bench:seed`',
    '',
    `${machine()}. ${originOf(lines.all)} ${parallel} in parallel, each engine ${repeat} times in turn, medians. Of each: wall time, that as a multiple`,
    "of the bare thread pool's (`floor`), what it is over the sleeps spread evenly (without sleep: tasks a second), CPU a task,",
    'and the peak of the whole process tree, shared memory counted once.',
    '',
    ...goals.lines(),
    '',
    '## Cells',
    '',
    ...seedTable(lines.all),
    '',
  ].join('\n')
}

function cells(): Cell[] {
  const { grid, n, 'sleep-mean': sleepMean, 'sleep-spread': sleepSpread, 'size-mb': sizeMb } = options
  if (grid === undefined) return [{ n, sleepMean, sleepSpread, sizeMb, parallel }]
  return (grids[grid] ?? []).map((cell) => ({ ...cell, parallel }))
}

async function runCell(cell: Cell): Promise<void> {
  const file = join(folder, 'cell.json')
  writeFileSync(file, JSON.stringify(givenCell(cell)))
  const before = { load: load(), minute: minute() }
  const wanted = engines.filter((name) => !lines.has(name, cell))
  const runs = new Map<string, Measured[]>()
  const stopped = new Map<string, string>()
  for (let round = 0; round < repeat; round++) {
    for (const name of wanted) {
      const program = programs[name]
      const refused = stopped.get(name) ?? program.refuses?.(cell)
      if (refused !== undefined) {
        stopped.set(name, refused)
        continue
      }
      if (cell.sizeMb >= 1) await touchMemory()
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
  before: { readonly load: number; readonly minute: string },
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
  lines.add({
    engine,
    ...cell,
    ...figures,
    ...(stopped !== undefined && { stopped }),
    load: { before: before.load, after: load() },
    taken: { from: before.minute, to: minute() },
    versions: versionsOf(engine),
  })
}

function versionsOf(engine: string): NonNullable<Line['versions']> {
  const { Python = '', NumPy = '', Dask = '', Prefect = '' } = installed
  return { Python, NumPy, ...(engine === 'dask' && { Dask }), ...(engine === 'prefect' && { Prefect }) }
}

function rounded(number: number, digits: number): number {
  return Number(number.toFixed(digits))
}
