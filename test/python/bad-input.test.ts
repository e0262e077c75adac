import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { removeTree } from '../../src/data/files/remove-tree.ts'
import { type Almanac, AlmanacError, json, open, python, workflow } from '../../src/index.ts'

/** What tasks do wrong, beside others that do nothing wrong: an error on each, and nothing else is lost. */

const input = { n: json<number>() }
const output = { it: json<number>() }
const tasks = [1, 8].flatMap((threads) =>
  ['good', 'gives_a_lock', 'raises', 'writes_to_1', 'leaves', 'not_there'].map((name) => ({
    name,
    threads,
    call: python.task({ name: `${name}-${threads}`, threads, run: `bad_input.py:${name}`, input, output }),
  })),
)
const elsewhere = python.task({ run: 'bad_input_import.py:f', input, output })

const mixed = workflow('mixed', async () => {
  const told: Record<string, unknown> = {}
  const wrong = [...tasks, { name: 'elsewhere', threads: 1, call: elsewhere }]
  const good = tasks.filter(({ name }) => name === 'good')
  const ends = wrong.map(async ({ name, threads, call }) => {
    try {
      told[`${name} ${threads}`] = await call({ n: 7 }).it
    } catch (error) {
      told[`${name} ${threads}`] = error instanceof AlmanacError ? error.message : String(error)
    }
  })
  const squares = Array.from({ length: 200 }, (_, n) => good[n % 2]?.call({ n: n + 100 }).it)
  await Promise.all(ends)
  return { told, sum: (await Promise.all(squares)).reduce((a: number, b) => a + Number(b), 0) }
})

let folder: string
let almanac: Almanac
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bad-input-'))
  almanac = await open({ project: folder, parallel: 6, python: { processes: 2 } })
})
afterAll(async () => {
  await almanac.close()
  removeTree(folder)
})

it('each has its error, and what does nothing wrong its result', async () => {
  const { told, sum } = await almanac.run(mixed)
  const file = join(import.meta.dirname, 'bad_input.py')
  const each = {
    good: 49,
    gives_a_lock: expect.stringMatching(
      /^The result of the task cannot be kept: at .*: it is an instance of (_thread\.)?lock\.$/,
    ),
    raises: 'the effect',
    writes_to_1: 7,
    leaves: 'The process of the task ended: it ended with exit code 3.',
    not_there: `${file}:not_there was not found: the file has no such function`,
  }
  expect(told).toEqual({
    ...Object.fromEntries(
      [1, 8].flatMap((n) => Object.entries(each).map(([name, end]) => [`${name} ${n}`, end])),
    ),
    'elsewhere 1': "No module named 'nobody_has_this'",
  })
  expect(sum).toBe(Array.from({ length: 200 }, (_, n) => (n + 100) ** 2).reduce((a, b) => a + b))
})
