import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensurePythonEnv } from '../src/executors/python/environment.ts'
import { alternately, type Cost, costOf, median } from './process-cost.ts'

/**
 * Start-up, tasks a second, the forecast example against the same steps as a plain script, resuming.
 * Everything is measured as whole processes of the built package, in turn, and the medians are printed.
 *
 *     npm run bench                          all, written to benchmarks/results.md
 *     npm run bench -- --times 5 --only forecast      more often, one part, only printed
 */

const { values: options } = parseArgs({
  options: { times: { type: 'string', default: '3' }, only: { type: 'string' } },
})
const times = Number(options.times)
const root = join(import.meta.dirname, '..')
const example = join(root, 'examples/forecast')
const folder = mkdtempSync(join(tmpdir(), 'almanac-bench-'))
const almanac = (...args: string[]): [string, ...string[]] => [
  process.execPath,
  join(root, 'bin/almanac.cjs'),
  ...args,
]

const lines: string[] = []
const parts: Readonly<Record<string, () => void | Promise<void>>> = { start, tasks, forecast, resume }

const loadBefore = load()
try {
  for (const [name, part] of Object.entries(parts)) {
    if (options.only === undefined || options.only === name) await part()
  }
} finally {
  rmSync(folder, { recursive: true })
}
const text = [...heading(), ...lines, ''].join('\n')
console.log(text)
if (options.only === undefined) writeFileSync(join(root, 'benchmarks/results.md'), text)

function heading(): string[] {
  const [cpu] = cpus()
  return [
    '# Figures of `npm run bench`',
    '',
    `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpu?.model ?? 'unknown'}, ` +
      `${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}. ` +
      `Each ${times} times in turn; the median, and in parentheses all. Load of the machine over a minute ` +
      `${loadBefore} before, ${load()} after: with a load over the number of processors, compare the ratios and the CPU seconds.`,
  ]
}

function load(): string {
  return (loadavg()[0] ?? 0).toFixed(1)
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
  readonly ms: number
  readonly cpuMs: number
}

function tasks(): void {
  const kinds = [
    ['inline', 'tasks in this process, together', 50_000],
    ['chain', 'the same, each awaits the one before', 20_000],
    ['threads', 'functions in threads, together', 50_000],
    ['python', 'Python functions, together', 10_000],
  ] as const
  lines.push(
    '',
    '## Tasks that do nothing',
    '',
    '| | journal | tasks/s | µs each | µs of CPU each |',
    '| --- | --- | --- | --- | --- |',
  )
  for (const [kind, title, count] of kinds) {
    const measure = (journal: string) => () =>
      costOf([process.execPath, join(root, 'benchmarks/tasks.ts'), kind, journal, String(count)], root)
    const costs = alternately(times, { memory: measure('memory'), sqlite: measure('sqlite') })
    for (const [journal, all] of Object.entries(costs)) {
      const runs = all.map(({ stdout }) => JSON.parse(stdout) as RunCost)
      const us = median(runs.map(({ ms }) => (1000 * ms) / count))
      const cpu = median(runs.map(({ cpuMs }) => (1000 * cpuMs) / count))
      lines.push(`| ${title} | ${journal} | ${Math.round(1e6 / us)} | ${us.toFixed(0)} | ${cpu.toFixed(0)} |`)
    }
  }
  lines.push('', "CPU is that of Node's process. Durable is `sqlite`: synced to disk.")
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
