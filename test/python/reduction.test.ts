import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { removeTree } from '../../src/data/files/remove-tree.ts'
import { type Almanac, json, open, python, workflow } from '../../src/index.ts'
import { killProcess } from '../../src/testing/executors/executor-bench.ts'

/** A reduction of many arrays through the whole of Almanac, as a program runs it. */

const env = python.env('requirements.txt')
const length = 131_072

const leaf = python.task({
  env,
  threads: 8,
  run: 'reduction.py:leaf',
  input: { index: json<number>(), length: json<number>(), log: json<string>() },
  output: { array: json<unknown>() },
})
const add = python.task({
  env,
  threads: 8,
  run: 'reduction.py:add',
  input: { a: json<unknown>(), b: json<unknown>() },
  output: { array: json<unknown>() },
})
const check = python.task({
  env,
  run: 'reduction.py:check',
  input: { total: json<unknown>() },
  output: { found: json<number[]>() },
})

const reduction = workflow(
  'reduction',
  { input: { n: json<number>(), log: json<string>() } },
  async ({ n, log }) => {
    let items = Array.from({ length: n }, (_, index) => leaf({ index, length, log }).array)
    while (items.length > 1) {
      const pairs: typeof items = []
      for (let at = 0; at < items.length; at += 2) {
        const [a, b] = [items[at], items[at + 1]] as [
          (typeof items)[number],
          (typeof items)[number] | undefined,
        ]
        pairs.push(b === undefined ? a : add({ a, b }).array)
      }
      items = pairs
    }
    return await check({ total: items[0] }).found
  },
)

let folder: string
let almanac: Almanac
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reduction-'))
})
afterEach(async () => {
  await almanac.close()
  removeTree(folder)
  expect(
    readdirSync(tmpdir()).filter((name) => /^almanac-\d+-/.test(name) && name.includes(`-${process.pid}-`)),
  ).toEqual([])
})

const sum = (n: number): number => (n * (n - 1)) / 2
const made = (log: string): string[] => readFileSync(log, 'utf8').trim().split('\n')

it('gives the right sum though a worker is killed in the middle: what it held is made again', async () => {
  almanac = await open({ project: folder, parallel: 16, python: { processes: 2 } })
  const [n, log] = [2000, join(folder, 'log')]
  const run = almanac.run(reduction, { n, log })
  const pid = await vi.waitFor(
    () => {
      const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1)
      if (lines.length < n / 3) throw new Error('not yet')
      return Number(lines.at(-1)?.split(' ')[1])
    },
    { timeout: 240_000, interval: 5 },
  )
  killProcess(pid)
  expect(await run).toEqual([sum(n), sum(n), length])
  const indexes = made(log).map((line) => Number(line.split(' ')[0]))
  expect(new Set(indexes).size).toBe(n)
  // what only it held, and not all
  expect(indexes.length).toBeGreaterThan(n)
  expect(indexes.length).toBeLessThan(2 * n)
})

it('gives the right sum where there is memory for few of them, and leaves nothing on disk', async () => {
  almanac = await open({ project: folder, parallel: 4, memoryBytes: 12 * 2 ** 20, python: { processes: 2 } })
  const [n, log] = [300, join(folder, 'log')]
  expect(await almanac.run(reduction, { n, log })).toEqual([sum(n), sum(n), length])
  expect(made(log)).toHaveLength(n)
})
