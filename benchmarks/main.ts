import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { oneOf, whole } from '../scripts/options/option.ts'
import { scriptOptions } from '../scripts/options/script-options.ts'
import { ensurePythonEnv } from '../src/executors/python/environment.ts'
import { cancelTable } from './cancel-table.ts'
import { chainTable } from './chain-table.ts'
import { Goals } from './goals.ts'
import { machine, pythonVersions, taking, versionText } from './machine.ts'
import { alternately, type Cost, costOf, median } from './process-cost.ts'
import { pyflowTable } from './pyflow-table.ts'
import { checkSeedGoals } from './seed/goals.ts'
import { KeptLines } from './seed/kept-lines.ts'
import { originOf, seedTable } from './seed/table.ts'

/**
 * Start-up, tasks a second, what durability costs, runs up to a million tasks, cancelling one, workflows in Python, the forecast
 * example against the same steps as a plain script, resuming, and the seed's benchmark in a few cells, beside Dask.
 * Everything is measured as whole processes of the built package, in turn, and the medians are printed.
 *
 *     npm run bench                          all, written to benchmarks/results.md
 *     npm run bench -- --times 5 --only forecast      more often, one part, only printed
 */

const root = join(import.meta.dirname, '..')
const example = join(root, 'examples/forecast')
const almanac = (...args: string[]): [string, ...string[]] => [
  process.execPath,
  join(root, 'bin/almanac.cjs'),
  ...args,
]

const lines: string[] = []
const goals = new Goals()
const parts: Readonly<Record<string, () => void | Promise<void>>> = {
  start,
  tasks,
  chains: () => void lines.push(...chainTable(root, project('chains', {}), times, goals)),
  durability,
  scale,
  cancel: () => void lines.push(...cancelTable(root, times, goals)),
  pyflow: () => void lines.push(...pyflowTable(project('pyflow', {}), times, goals)),
  forecast,
  resume,
  seed,
}
const { times, only } = scriptOptions({
  command: 'npm run bench --',
  does: 'Start-up, tasks a second, and the forecast example against a plain script; written to benchmarks/results.md.',
  options: {
    times: whole('each is measured so often', 3),
    only: oneOf(Object.keys(parts), 'one part, only printed'),
  },
})
const folder = mkdtempSync(join(tmpdir(), 'almanac-bench-'))

try {
  for (const [name, part] of Object.entries(parts)) {
    if (only !== undefined && only !== name) continue
    const taken = taking()
    const before = lines.length
    await part()
    const tables = lines.splice(before)
    lines.push(...tables.flatMap((line) => (line.startsWith('## ') ? [line, '', taken()] : [line])))
  }
} finally {
  rmSync(folder, { recursive: true })
}
const missed = only === undefined ? ['', ...goals.lines()] : []
const text = [...heading(), ...missed, ...lines, ''].join('\n')
console.log(text)
if (only === undefined) writeFileSync(join(root, 'benchmarks/results.md'), text)

function heading(): string[] {
  return [
    '# Figures of `npm run bench`',
    '',
    `${machine()}, ${versionText(pythonVersions('python3'))}. Each ${times} times in turn; the median, and in parentheses all. ` +
      'Loads are over a minute: with a load over the number of processors, compare the ratios and the CPU seconds.',
  ]
}

/** A table of whole processes; ratios are medians of the ratios round by round. */
function table(title: string, costs: Readonly<Record<string, readonly Cost[]>>, reference: string): void {
  const ratio = (of: (cost: Cost) => number, name: string): string => {
    const all = costs[name]?.map((cost, i) => of(cost) / of(costs[reference]?.[i] as Cost)) ?? []
    return median(all).toFixed(2)
  }
  lines.push('', `## ${title}`, '', `| | wall, s | × | CPU, s | × |`, '| --- | --- | --- | --- | --- |')
  for (const [name, all] of Object.entries(costs)) {
    const wall = all.map((cost) => cost.seconds)
    const cpu = all.map((cost) => cost.cpuSeconds)
    lines.push(
      `| ${name} | ${shown(wall)} | ${ratio((one) => one.seconds, name)} ` +
        `| ${shown(cpu)} | ${ratio((one) => one.cpuSeconds, name)} |`,
    )
  }
}

function shown(numbers: readonly number[]): string {
  return `${median(numbers).toFixed(2)} (${numbers.map((one) => one.toFixed(2)).join(', ')})`
}

function project(name: string, files: Readonly<Record<string, string>>): string {
  const path = join(folder, name)
  mkdirSync(path)
  for (const [file, content] of Object.entries({ 'package.json': '{}', ...files })) {
    writeFileSync(join(path, file), content)
  }
  return path
}

function start(): void {
  const empty = project('empty', {
    'empty.ts':
      "import { workflow } from 'almanac'\nexport default workflow('empty', async () => undefined)\n",
  })
  costOf(almanac('run', 'empty.ts'), empty)
  const costs = alternately(Math.max(times, 5), {
    '`node -e 0`': () => costOf([process.execPath, '-e', '0'], empty),
    '`almanac --version`': () => costOf(almanac('--version'), empty),
    'a run that calls nothing': () => costOf(almanac('run', 'empty.ts'), empty),
  })
  table('Start-up', costs, '`node -e 0`')
}

interface RunCost {
  /** CPU of the thread that the workflow runs in */
  readonly mainMs: number
  readonly ms: number
  readonly cpuMs: number
}

/** `againMs`: of a second such run in the process. */
type TasksCost = RunCost & { readonly againMs?: number }

function tasks(): void {
  const kinds = [
    ['inline', 'tasks in this process, together', 100_000],
    ['chain', 'the same, each awaits the one before', 20_000],
    ['threads', 'functions in threads, together', 100_000],
    ['python', 'Python functions, together', 100_000],
  ] as const
  lines.push(
    '',
    '## Tasks that do nothing',
    '',
    '| | tasks | journal | tasks/s | µs each | µs of CPU each | × bare | tasks/s, a second time | µs each, a second time |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  )
  for (const [kind, title, count] of kinds) {
    const measure = (...words: string[]) => costOf([process.execPath, ...words, String(count)], root)
    const ours = join(root, 'benchmarks/tasks.ts')
    const durable = {
      memory: () => measure(ours, kind, 'memory'),
      sqlite: () => measure(ours, kind, 'sqlite'),
    }
    const withBare = { ...durable, bare: () => measure(join(root, 'benchmarks/bare.ts'), kind) }
    const costs: Readonly<Record<string, readonly Cost[]>> = alternately(
      times,
      kind === 'threads' ? durable : withBare,
    )
    const bare = costs['bare']?.map(runCost)
    for (const [journal, all] of Object.entries(costs)) {
      const runs = all.map(runCost)
      const us = median(runs.map(({ ms }) => (1000 * ms) / count))
      if (journal === 'sqlite') checkTasks(kind, us)
      const cpu = median(runs.map(({ cpuMs }) => (1000 * cpuMs) / count))
      const times = bare && median(runs.map(({ ms }, i) => ms / (bare[i] as RunCost).ms)).toFixed(2)
      const again = median(runs.map(({ againMs = Number.NaN }: TasksCost) => (1000 * againMs) / count))
      if (journal === 'sqlite') checkTasks(kind, again, 'a second time')
      const second = Number.isNaN(again) ? ' | ' : `${Math.round(1e6 / again)} | ${again.toFixed(1)}`
      lines.push(
        `| ${title} | ${count} | ${journal} | ${Math.round(1e6 / us)} | ${us.toFixed(1)} | ${cpu.toFixed(1)} | ${times ?? ''} | ${second} |`,
      )
    }
  }
  lines.push(
    '',
    "CPU is that of Node's process. Durable is `sqlite`: synced to disk. `bare` is what the same takes on this machine with nothing built " +
      'around it (`benchmarks/bare.ts`): a key, a row that is synced, Python through pipes. The second time is another run in the same ' +
      'process: V8 has compiled what the first one took, as in a long run, or a program that runs many.',
  )
}

function checkTasks(kind: string, us: number, of = 'the first time'): void {
  const perSecond = 1e6 / us
  if (kind === 'inline')
    goals.check('durable tasks in this process, a second', { least: 150_000 }, perSecond, of)
  if (kind === 'chain') goals.check('a step of a chain in this process, µs', { most: 20 }, us, of)
  if (kind === 'python') goals.check('durable Python tasks, a second', { least: 60_000 }, perSecond, of)
}

function runCost({ stdout }: Cost): RunCost {
  return JSON.parse(stdout) as RunCost
}

function durability(): void {
  const count = 100_000
  const measure = (journal: string) => () =>
    costOf([process.execPath, join(root, 'benchmarks/tasks.ts'), 'inline', journal, String(count)], root)
  const costs = alternately(Math.max(times, 5), { memory: measure('memory'), sqlite: measure('sqlite') })
  const each = (journal: 'memory' | 'sqlite', of: keyof RunCost): number[] =>
    costs[journal].map(({ stdout }) => (1000 * (JSON.parse(stdout) as RunCost)[of]) / count)
  const prices = (of: keyof RunCost): number[] =>
    each('sqlite', of).map((us, i) => us - (each('memory', of)[i] as number))
  const price = (of: keyof RunCost): string => shown(prices(of))
  goals.check('price of durability, µs a task', { most: 1.5 }, median(prices('ms')), 'time')
  goals.check('price of durability, µs a task', { most: 1.5 }, median(prices('cpuMs')), 'CPU')
  lines.push(
    '',
    `## The price of durability, ${count} tasks`,
    '',
    'The journal on disk, synced, less the journal in memory, round by round:',
    '',
    `- ${price('ms')} µs a task`,
    `- ${price('cpuMs')} µs of CPU a task, of all threads`,
    `- ${price('mainMs')} µs of CPU a task on the thread that the workflow runs in`,
  )
}

interface ScaleCost extends RunCost {
  readonly heapBytes: number
  readonly peakBytes: number
  readonly journalBytes: number
}

function scale(): void {
  const part = (what: 'make' | 'resume', path: string, count: number): string =>
    costOf(
      [process.execPath, '--expose-gc', join(root, 'benchmarks/scale.ts'), what, path, String(count)],
      root,
    ).stdout
  lines.push(
    '',
    '## Runs of many tasks that do nothing',
    '',
    '| tasks | µs each | × of 10 000 | µs of CPU each | × of 10 000 | heap, B each | most memory, MB | journal, B each |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
  )
  let first: ScaleCost | undefined
  for (const count of [10_000, 100_000, 1_000_000]) {
    const made = JSON.parse(part('make', project(`scale-${count}`, {}), count)) as ScaleCost
    first ??= made
    const least = first
    const by = (of: keyof RunCost): string =>
      `${((1000 * made[of]) / count).toFixed(1)} | ${((made[of] / least[of]) * (10_000 / count)).toFixed(2)}`
    lines.push(
      `| ${count} | ${by('ms')} | ${by('cpuMs')} | ${made.heapBytes.toFixed(0)} | ${(made.peakBytes / 1e6).toFixed(0)} ` +
        `| ${made.journalBytes.toFixed(0)} |`,
    )
    if (count === 1_000_000) {
      goals.check('heap of 1 000 000 tasks, B each', { most: 400 }, made.heapBytes)
      goals.check('most memory of 1 000 000 tasks, MB', { most: 1000 }, made.peakBytes / 1e6)
      goals.check('time of 1 000 000 tasks, × 10 000', { most: 1.3 }, (made.ms / first.ms) * (10_000 / count))
    }
  }
  const million = join(folder, 'scale-1000000')
  listing(million)
  lines.push(
    '',
    '## Resuming, to the first new task',
    '',
    '| completed tasks | s | s of CPU | executed | reused |',
    '| --- | --- | --- | --- | --- |',
  )
  part('make', project('scale-128000', {}), 128_000)
  for (const count of [128_000, 1_000_000]) {
    const { ms, cpuMs, executed, reused } = JSON.parse(
      part('resume', join(folder, `scale-${count}`), count),
    ) as RunCost & { readonly executed: number; readonly reused: number }
    goals.check(`resume of ${count} calls, s`, { most: count === 128_000 ? 1 : 8 }, ms / 1000)
    lines.push(
      `| ${count} | ${(ms / 1000).toFixed(2)} | ${(cpuMs / 1000).toFixed(2)} | ${executed} | ${reused} |`,
    )
  }
}

/** Of a run of a million calls. */
function listing(path: string): void {
  const commands = ['runs', 'status', 'show last', 'show last noop', 'show last 999999', 'graph last']
  const more = ['why last noop', 'why last 999999', 'logs last', 'logs last noop']
  const costs = alternately(
    times,
    Object.fromEntries(
      [...commands, ...more].map((words) => [
        `\`almanac ${words}\``,
        () => costOf(almanac(...words.split(' ')), path),
      ]),
    ),
  )
  table('Looking at a run of 1 000 000 calls', costs, '`almanac runs`')
}

async function forecast(): Promise<void> {
  const { python } = await ensurePythonEnv(
    { requirements: join(example, 'requirements.txt') },
    { onProgress: (line) => process.stderr.write(`${line}\n`) },
  )
  let copies = 0
  const copy = (): string => {
    const path = join(folder, `forecast-${copies++}`)
    const left = /\/(\.almanac|data|__pycache__|test_steps\.py)$/
    cpSync(example, path, { recursive: true, filter: (source) => !left.test(source) })
    writeFileSync(join(path, 'package.json'), '{}')
    return path
  }
  const script = (): Cost => costOf([python, 'baseline.py', 'raw', 'out'], copy())
  const first = (parallel: string) => (): Cost => costOf(almanac('run', 'ingest.ts', '-j', parallel), copy())
  script()
  const known = copy()
  costOf(almanac('run', 'ingest.ts'), known)
  const costs = alternately(times, {
    'the steps as a script, one process': script,
    'first run, one Python worker (`-j 1`)': first('1'),
    'first run, two (`-j 2`)': first('2'),
    'second run, nothing changed': () => costOf(almanac('run', 'ingest.ts'), known),
  })
  table('The forecast example, 54 files, 166 calls', costs, 'the steps as a script, one process')
  lines.push('', `With ${versionText(pythonVersions(python, ['NumPy']))}.`)
}

function resume(): void {
  const calls = 10_000
  const path = project('resume', {
    'many.ts': `import { existsSync } from 'node:fs'
import { task, workflow } from 'almanac'
export const noop = task('noop', (n: number) => n)
export const last = task('last', (go: string) => {
  if (!existsSync(go)) throw new Error('not yet')
})
export default workflow('many', async () => {
  for (let n = 0; n < ${calls}; n++) noop(n)
  await last('go')
})
`,
  })
  // fails, which is no error here
  costOf(['sh', '-c', `! '${almanac().join("' '")}' run many.ts >&2`], path)
  cpSync(join(path, '.almanac'), join(path, 'kept'), { recursive: true })
  writeFileSync(join(path, 'go'), '')
  const costs = alternately(times, {
    '`node -e 0`': () => costOf([process.execPath, '-e', '0'], path),
    resume: () => {
      rmSync(join(path, '.almanac'), { recursive: true })
      cpSync(join(path, 'kept'), join(path, '.almanac'), { recursive: true })
      return costOf(almanac('resume', 'last'), path)
    },
  })
  table(`Resuming a run of ${calls} calls, of which one is left`, costs, '`node -e 0`')
}

/** The small grid of `npm run bench:seed`, as it prints it. */
function seed(): void {
  const kept = join(folder, 'seed.jsonl')
  const engines = 'almanac-threads,almanac-python,almanac-pyflow,dask,floor'
  const args = ['--grid', 'small', '--engines', engines, '--repeat', String(times), '--append', kept]
  costOf([process.execPath, join(root, 'benchmarks/seed/main.ts'), ...args], folder)
  const { all } = new KeptLines(kept)
  checkSeedGoals(goals, all)
  lines.push('', "## The seed's benchmark, 16 in parallel", '', originOf(all), '', ...seedTable(all))
}
