import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { removeTree } from '../../src/data/files/remove-tree.ts'
import { type Almanac, json, open, python, workflow } from '../../src/index.ts'
import { killProcess } from '../../src/testing/executors/executor-bench.ts'
import { patience } from '../../src/testing/patience.ts'

/** Arrays whose workers are killed again and again, also while what was lost is made again. */

const input = { folder: json<string>(), name: json<string>() }
const output = { array: json<unknown>() }
const leaf = python.task({ run: 'lost_arrays.py:leaf', input: { ...input, n: json<number>() }, output })
const add = python.task({
  run: 'lost_arrays.py:add',
  input: { ...input, a: json<unknown>(), b: json<unknown>() },
  output,
})
const total = python.task({
  run: 'lost_arrays.py:total',
  input: { ...input, a: json<unknown>() },
  output: { sum: json<number>() },
})

const sums = workflow('sums', { input: { folder: json<string>() } }, async ({ folder }) => {
  const [a, b, c, d] = [1, 2, 3, 4].map((n) => leaf({ folder, name: `leaf${n}`, n }).array)
  const left = add({ folder, name: 'left', a, b }).array
  const right = add({ folder, name: 'right', a: c, b: d }).array
  const both = add({ folder, name: 'both', a: left, b: right }).array
  return await total({ folder, name: 'total', a: both }).sum
})

let folder: string
let almanac: Almanac
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lost-arrays-'))
  begun = new Map()
})
afterEach(async () => {
  await almanac.close()
  removeTree(folder)
})

/** Each time that a task began: its name, and the process. */
const log = (): (readonly [name: string, pid: number])[] =>
  readFileSync(join(folder, 'log'), { encoding: 'utf8', flag: 'a+' })
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(' '))
    .map(([name, pid]) => [name as string, Number(pid)])
const times = (name: string): number => log().filter(([began]) => began === name).length

const set = (mark: string): void => writeFileSync(join(folder, mark), '')
const unset = (mark: string): void => rmSync(join(folder, mark))

/** How often a task had begun when it was told to stop. */
let begun: Map<string, number>

/** Kills the process of each of these tasks in turn, in the middle of the next attempt that begins of it. */
async function killIn(names: readonly string[]): Promise<void> {
  for (const [at, name] of names.entries()) {
    const seen = begun.get(name) ?? 0
    await vi.waitFor(() => expect(times(name)).toBeGreaterThan(seen), patience)
    const next = names[at + 1]
    if (next !== undefined) {
      begun.set(next, times(next))
      set(`stop-${next}`)
    }
    killProcess(log().findLast(([began]) => began === name)?.[1] ?? 0)
    if (next !== name) unset(`stop-${name}`)
  }
}
it.each([
  // all is lost each time: every task is made again
  { processes: 1, points: ['total', 'leaf3', 'left', 'both', 'leaf1', 'total', 'right', 'both'] },
  // what the other holds is not, and moves
  { processes: 2, points: ['total', 'both', 'both', 'total', 'both', 'total'] },
])('are made again as often as $processes processes are killed, and the sum is right', async (kills) => {
  const { processes, points } = kills
  const [first = ''] = points
  almanac = await open({ project: folder, parallel: 4, python: { processes } })
  set(`stop-${first}`)
  const run = almanac.run(sums, { folder })
  await killIn(points)
  expect(await run).toBe(10_000)
})

it('fail the run with the error of the task that cannot make one again, and the run goes on once it can', async () => {
  almanac = await open({ project: folder, parallel: 4, python: { processes: 1 } })
  set('stop-total')
  const failed = await almanac.start(sums, { folder })
  await vi.waitFor(() => expect(times('total')).toBe(1), patience)
  set('fail-leaf2')
  await killIn(['total'])
  const message =
    'A result of leaf that only lived in a worker’s memory was lost, and could not be made again: no leaf2 any more'
  const file = fileURLToPath(new URL('lost_arrays.py', import.meta.url))
  expect(await failed.result).toMatchObject({
    state: 'failed',
    error: {
      code: 'ALM_REBUILD_FAILED',
      message,
      type: 'ValueError',
      file,
      line: 22,
      call: expect.any(Number),
    },
  })
  unset('fail-leaf2')
  const again = await almanac.resume(failed.id, sums)
  expect(await again.result).toMatchObject({ state: 'succeeded', output: 10_000 })
})
