import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { root } from '../source-files.ts'
import { crossings } from './check.ts'
import { adapters, folders } from './table.ts'

let tree: string

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'almanac-boundaries-'))
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
  write(
    'package.json',
    JSON.stringify({
      name: 'x',
      type: 'module',
      dependencies: { esbuild: '*', zod: '*' },
      devDependencies: { knip: '*' },
    }),
  )
})

afterEach(() => rmSync(tree, { recursive: true }))

function write(path: string, text: string): void {
  mkdirSync(join(tree, dirname(path)), { recursive: true })
  writeFileSync(join(tree, path), text)
}

async function brokenRules(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  for (const [path, text] of Object.entries(files)) write(path, text)
  return (await crossings(tree)).map((one) => one.rule).sort()
}

test('imports that the table allows are let through', async () => {
  const rules = await brokenRules({
    'src/util/text.ts': 'export const a = 1\n',
    'src/model/value.ts': "export { a } from '../util/text.ts'\n",
    'src/ports/journal.ts': "import type { a } from '../model/value.ts'\nexport type A = typeof a\n",
    'src/journal/sqlite/journal.ts':
      "import { DatabaseSync } from 'node:sqlite'\nimport type { A } from '../../ports/journal.ts'\nexport const b: A = 1\nexport const c = DatabaseSync\n",
    'src/executors/jobs/job.ts': 'export const d = 1\n',
    'src/executors/inline/executor.ts': "export { d } from '../jobs/job.ts'\n",
    'src/code/load.ts': "export { build } from 'esbuild'\n",
    'src/testing/index.ts': "export { a } from '../model/value.ts'\n",
    'src/journal/sqlite/journal.test.ts':
      "import { a } from '../../testing/index.ts'\nimport { test } from 'vitest'\ntest('x', () => a)\n",
    'src/main.ts': "export { b } from './journal/sqlite/journal.ts'\n",
    'examples/main.ts': "import { open } from 'almanac'\nawait open()\n",
    'src/open.ts': "export const open = async () => (await import('./main.ts')).b\n",
  })
  expect(rules).toEqual([])
})

test.each<readonly [string, Readonly<Record<string, string>>, string]>([
  [
    'an import upward',
    { 'src/model/a.ts': "export { b } from '../core/b.ts'\n", 'src/core/b.ts': 'export const b = 1\n' },
    'model may import util',
  ],
  [
    'an import upward of a type',
    {
      'src/core/a.ts': "import type { B } from '../ports/b.ts'\nexport type A = B\n",
      'src/ports/b.ts': 'export type B = 1\n',
    },
    'core may import model, util',
  ],
  [
    'an import upward of a type, written in place',
    {
      'src/core/a.ts': "export type A = import('../ports/b.ts').B\n",
      'src/ports/b.ts': 'export type B = 1\n',
    },
    'core may import model, util',
  ],
  [
    'an adapter that imports the engine',
    { 'src/data/a.ts': "export { b } from '../engine/b.ts'\n", 'src/engine/b.ts': 'export const b = 1\n' },
    'data may import core, ports, model, util',
  ],
  [
    'an adapter that imports another kind',
    {
      'src/executors/inline/a.ts': "export { b } from '../../data/b.ts'\n",
      'src/data/b.ts': 'export const b = 1\n',
    },
    'executors may import ports, model, util',
  ],
  [
    'an adapter that imports its neighbour',
    {
      'src/executors/inline/a.ts': "export { b } from '../python/b.ts'\n",
      'src/executors/python/b.ts': 'export const b = 1\n',
    },
    'an adapter in executors knows no other one',
  ],
  [
    'what adapters share that imports one of them',
    {
      'src/executors/jobs/a.ts': "export { b } from '../python/b.ts'\n",
      'src/executors/python/b.ts': 'export const b = 1\n',
    },
    'an adapter in executors knows no other one',
  ],
  [
    'a layer that imports one above it',
    {
      'src/journal/sqlite/database/a.ts': "export { b } from '../tables/b.ts'\n",
      'src/journal/sqlite/tables/b.ts': 'export const b = 1\n',
    },
    'journal/sqlite/database stands below salvage, calls, tables, packs',
  ],
  [
    "a layer that is led to one above it by the folder's own files",
    {
      'src/data/files/a.ts': "import type { B } from '../b.ts'\nexport type A = B\n",
      'src/data/b.ts': "export type { C as B } from './c.ts'\n",
      'src/data/c.ts': "export type { D as C } from './shared/d.ts'\n",
      'src/data/shared/d.ts': 'export type D = 1\n',
    },
    'data/files is led to no layer above it or beside it',
  ],
  [
    'a layer that imports its neighbour, of a type',
    {
      'src/engine/maps/a.ts': "import type { B } from '../messages/b.ts'\nexport type A = B\n",
      'src/engine/messages/b.ts': 'export type B = 1\n',
    },
    'engine/maps, documents, datasets, messages, triggers know nothing of each other',
  ],
  [
    'what adapters share, in no folder of its own, that imports one of them',
    {
      'src/executors/a.ts': "export { b } from './python/b.ts'\n",
      'src/executors/python/b.ts': 'export const b = 1\n',
    },
    'what adapters in executors share knows none of them',
  ],
  [
    'a source that imports the fakes',
    {
      'src/engine/a.ts': "export { b } from '../testing/b.ts'\n",
      'src/testing/b.ts': 'export const b = 1\n',
    },
    'engine may import flow, core, ports, model, util',
  ],
  [
    'a test that imports upward',
    {
      'src/core/a.test.ts': "export { b } from '../engine/b.ts'\n",
      'src/engine/b.ts': 'export const b = 1\n',
    },
    'tests of core may import model, util, testing',
  ],
  [
    'I/O in a pure folder',
    { 'src/core/a.ts': "export { readFileSync } from 'node:fs'\n" },
    'core is pure: no I/O, and of packages picomatch',
  ],
  [
    'SQL elsewhere',
    { 'src/data/a.ts': "export { DatabaseSync } from 'node:sqlite'\n" },
    'SQL stays in the journal',
  ],
  [
    'a package where the table does not name it',
    { 'src/data/a.ts': "export { build } from 'esbuild'\n" },
    'esbuild is imported where the table says so',
  ],
  [
    'a development dependency in what is shipped',
    { 'src/data/a.ts': "export { default } from 'knip'\n" },
    'what is shipped needs no development dependency',
  ],
  [
    'a file that is not there',
    { 'src/util/a.ts': "export { b } from './b.ts'\n" },
    'what is imported is there',
  ],
  [
    'main loaded at once',
    { 'src/open.ts': "export { b } from './main.ts'\n", 'src/main.ts': 'export const b = 1\n' },
    'src/open.ts loads what runs workflows when it is called',
  ],
  [
    'an example that reaches inside',
    { 'examples/a.ts': "export { b } from '../src/util/b.ts'\n", 'src/util/b.ts': 'export const b = 1\n' },
    'examples see what users see',
  ],
])('%s is found', async (_, files, rule) => {
  expect(await brokenRules(files)).toEqual([rule])
})

test.each<readonly [string, string, string]>([
  [
    'of values',
    "export { b } from './b.ts'\nexport const c = 1\n",
    "export { c } from './a.ts'\nexport const b = 1\n",
  ],
  [
    'of types',
    "import type { B } from './b.ts'\nexport type A = B\n",
    "import type { A } from './a.ts'\nexport type B = A\n",
  ],
  [
    'of a value and a type',
    "import { b } from './b.ts'\nexport type A = typeof b\n",
    "import type { A } from './a.ts'\nexport const b = (a: A) => a\n",
  ],
  [
    'through an import when called',
    "export const a = () => import('./b.ts')\n",
    "export { a } from './a.ts'\n",
  ],
])('a cycle %s is found from both ends', async (_, a, b) => {
  const rules = await brokenRules({ 'src/util/a.ts': a, 'src/util/b.ts': b })
  expect(new Set(rules)).toEqual(new Set(['no cycle, of types neither']))
})

test('a pure folder imports no package but those that it is given', async () => {
  const rules = await brokenRules({
    'src/flow/a.ts': "export { z } from 'zod'\n",
    'src/model/b.ts': "import type { z } from 'zod'\nexport type B = z.ZodType\n",
  })
  expect(rules).toEqual([
    'model is pure: no I/O, and of packages @standard-schema/spec',
    'zod is imported where the table says so',
  ])
})

test('a cycle names the way round', async () => {
  write('src/util/a.ts', "import type { B } from './b.ts'\nexport type A = B\n")
  write('src/util/b.ts', "import type { C } from './c.ts'\nexport type B = C\n")
  write('src/util/c.ts', "import type { A } from './a.ts'\nexport type C = A\n")
  const [first] = await crossings(tree)
  expect([...(first?.cycle ?? [])].sort()).toEqual(['src/util/a.ts', 'src/util/b.ts', 'src/util/c.ts'])
})

test('a folder without a row in the table is refused', async () => {
  write('src/helpers/a.ts', 'export const a = 1\n')
  await expect(crossings(tree)).rejects.toThrow('no row of the table holds src/helpers/a.ts')
})

test('ARCHITECTURE.md says of each folder what the table holds it to', () => {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')
  const rows = [...text.matchAll(/^\| `src\/(\S+)` +\|.*\| ([^|]+?) +\|$/gm)].map(
    ([, name, allowed = '']) => {
      const names = allowed === 'nothing of ours' ? [] : allowed.split(', ')
      return [name, names.flatMap((one) => (one === 'adapters' ? adapters : [one])).sort()]
    },
  )
  expect(rows).toEqual(folders.map(({ name, mayImport }) => [name, [...mayImport].sort()]))
})
