import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json, open, python, task, type Workflow, workflow } from 'almanac'
import type { Workbench } from '../../src/workbench.ts'
import type { GivenCell } from './cell.ts'
import * as inThreads from './thread-tasks.ts'

/**
 * Almanac in the seed's benchmark, as one process: `node benchmarks/seed/almanac.ts CELL inline|threads|python|pyflow`.
 * Everything is durable: the journal is on disk.
 */

const env = python.env('requirements.txt')
/** sleeping and adding arrays bears threads; Dask's tasks run in threads as well */
const threads = 16

const leaf = python.task({
  env,
  threads,
  run: 'steps.py:leaf',
  input: { index: json<number>(), seconds: json<number>(), length: json<number>() },
  output: { array: json<unknown>() },
})
const add = python.task({
  env,
  threads,
  run: 'steps.py:add',
  input: { a: json<unknown>(), b: json<unknown>() },
  output: { array: json<unknown>() },
})
const check = python.task({
  env,
  threads,
  run: 'steps.py:check',
  input: { total: json<unknown>() },
  output: { found: json<number[]>() },
})

const inlineLeaf = task('leaf', async (index: number, seconds: number) => {
  if (seconds > 0) {
    await new Promise<void>((resolve) => {
      setTimeout(resolve, seconds * 1000)
    })
  }
  return index
})
const inlineAdd = task('add', (a: number, b: number) => a + b)

/** Pairs are added, level by level, until one is left. */
function tree<T>(leaves: readonly T[], plus: (a: T, b: T) => T): T {
  let items = leaves
  while (items.length > 1) {
    const pairs: T[] = []
    for (let at = 0; at + 1 < items.length; at += 2) pairs.push(plus(items[at] as T, items[at + 1] as T))
    items = items.length % 2 === 0 ? pairs : [...pairs, items.at(-1) as T]
  }
  return items[0] as T
}

const input = { times: json<number[]>(), length: json<number>() }

const workflows = {
  python: workflow('python', { input }, async ({ times, length }) => {
    const leaves = times.map((seconds, index) => leaf({ index, seconds, length }).array)
    return await check({ total: tree(leaves, (a, b) => add({ a, b }).array) }).found
  }),
  threads: workflow('threads', { input }, async ({ times, length }) => {
    const leaves = times.map((seconds, index) => inThreads.leaf(index, seconds, length))
    return await inThreads.check(tree(leaves, inThreads.add))
  }),
  inline: workflow('inline', { input }, async ({ times, length }) => {
    const leaves = times.map((seconds, index) => inlineLeaf(index, seconds))
    const sum = await tree(leaves, inlineAdd)
    return [sum, sum, length]
  }),
}

const [file, engine] = process.argv.slice(2) as [string, keyof typeof workflows | 'pyflow']
const { parallel, length, times } = JSON.parse(readFileSync(file, 'utf8')) as GivenCell
const project = mkdtempSync(join(tmpdir(), 'almanac-seed-'))
// what it has besides: the command loads workflows in Python by it
const almanac = (await open({ project, parallel })) as Workbench
try {
  const chosen =
    engine === 'pyflow'
      ? (await almanac.load(join(import.meta.dirname, 'flow.py'), { named: 'main' })).workflow
      : (workflows[engine] as Workflow<unknown, unknown>)
  // workers are started and modules are imported by the first, as the peers' are before they are measured
  await almanac.run(chosen, { times: times.slice(0, 64).map(() => 0), length: 1000 })
  process.stdout.write('begin\n')
  const found = await almanac.run(chosen, { times: [...times], length })
  process.stdout.write(`end ${JSON.stringify(found)}\n`)
} finally {
  await almanac.close()
  rmSync(project, { recursive: true })
}
