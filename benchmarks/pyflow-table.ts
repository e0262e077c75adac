import { cpSync } from 'node:fs'
import { join } from 'node:path'
import type { Goals } from './goals.ts'
import { alternately, type Cost, costOf, median } from './process-cost.ts'

const root = join(import.meta.dirname, '..')
const steps = 3000
const calls = 128_000

/** What a workflow in Python costs beside the same in TypeScript; lines of a table. `folder` is an empty project. */
export function pyflowTable(folder: string, times: number, goals: Goals): string[] {
  for (const name of ['pyflow.py', 'pyflow-chain.ts']) {
    cpSync(join(import.meta.dirname, name), join(folder, name))
  }
  const almanac = (file: string, count: number) => (): Cost =>
    costOf(
      [process.execPath, join(root, 'bin/almanac.cjs'), 'run', file, '--input', `count=${count}`, '--json'],
      folder,
    )
  const program = (): Cost =>
    costOf(
      ['env', `PYTHONPATH=${join(root, 'python')}`, 'python3', 'pyflow.py', String(Date.now() / 1000)],
      folder,
    )
  // workers' environments, fingerprints and compiled files are there from now on
  almanac('pyflow.py:chain', 10)()
  almanac('pyflow-chain.ts:chain', 10)()
  program()
  const costs = alternately(times, {
    'chain in Python': almanac('pyflow.py:chain', steps),
    'chain in TypeScript': almanac('pyflow-chain.ts:chain', steps),
    'bare relay': () =>
      costOf([process.execPath, join(root, 'benchmarks/bare.ts'), 'relay', String(steps)], folder),
    'calls submitted': almanac('pyflow.py:submit', calls),
    'first call': program,
  })
  const [chain, later] = chainOf(costs['chain in Python'])
  const [typescript, typescriptLater] = chainOf(costs['chain in TypeScript'])
  const relay = costs['bare relay'].map(
    ({ stdout }) => (1000 * (JSON.parse(stdout) as { readonly ms: number }).ms) / steps,
  )
  const first = costs['first call'].map(({ stdout }) => stdout.trim().split(' ').map(Number))
  const cpu = costs['chain in Python'].map(({ cpuSeconds }) => (1e6 * cpuSeconds) / (5 * steps))
  const figures: readonly (readonly [string, readonly number[], number])[] = [
    [`a step of a chain of Python tasks, workflow in Python, the first ${steps}, µs`, chain, 0],
    [`the same, ${steps} steps after ${4 * steps}, µs`, later, 0],
    [`workflow in TypeScript, the first ${steps}, µs`, typescript, 0],
    [`the same, ${steps} steps after ${4 * steps}, µs`, typescriptLater, 0],
    ['Python over TypeScript, the first', chain.map((us, i) => us / (typescript[i] as number)), 2],
    ['three processes that pass a line each (`bare.ts relay`), µs', relay, 0],
    [
      'the first, workflow in Python, as a multiple of that',
      chain.map((us, i) => us / (relay[i] as number)),
      2,
    ],
    ['the later as a multiple of that', later.map((us, i) => us / (relay[i] as number)), 2],
    ['CPU a step, workflow in Python, all processes with their starts, µs', cpu, 0],
    [`calls submitted a second, of ${calls}`, costs['calls submitted'].map(outputOf<number>), 0],
    ['first call after `import almanac`, s', first.map(([one]) => one as number), 2],
    ['the same from the start of the interpreter, s', first.map(([, one]) => one as number), 2],
  ]
  checkSteps(goals, chain, later)
  return [
    '',
    '## Workflows in Python',
    '',
    '| | median | all |',
    '| --- | --- | --- |',
    ...figures.map(([title, all, digits]) => {
      const shown = (one: number): string => one.toFixed(digits)
      return `| ${title} | ${shown(median(all))} | ${all.map(shown).join(', ')} |`
    }),
    '',
    'Tasks do nothing.',
  ]
}

function checkSteps(goals: Goals, first: readonly number[], later: readonly number[]): void {
  const goal = 'a step of a chain of Python tasks, workflow in Python, µs'
  goals.check(goal, { most: 150 }, median(first), `the first ${steps}`)
  goals.check(goal, { most: 150 }, median(later), `${steps} steps after ${4 * steps}`)
}

/** Of the first steps, and of later ones, by run. */
function chainOf(costs: readonly Cost[]): [first: number[], later: number[]] {
  const outputs = costs.map(outputOf<[number, number]>)
  return [outputs.map(([first]) => first), outputs.map(([, later]) => later)]
}

/** What the workflow gave. */
function outputOf<T>({ stdout }: Cost): T {
  const last = stdout.trimEnd().split('\n').at(-1) as string
  return (JSON.parse(last) as { readonly output: T }).output
}
