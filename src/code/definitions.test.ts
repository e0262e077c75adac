import { expect, test } from 'vitest'
import type { SourcePlace, TaskSpec } from '../model/task.ts'
import type { CodeFingerprint } from '../ports/code.ts'
import { openCodeStage } from '../testing/code-stage.ts'
import { installed } from '../testing/project-folder.ts'
import { taskSpec } from '../testing/task-spec.ts'
import { openCodeSource } from './source.ts'

/** How a task's definition is found in the code, and what is said of code that cannot be counted well. */

const stage = openCodeStage(openCodeSource)

interface Defined {
  readonly name: string
  readonly definedAt: SourcePlace
}

const specOf = ({ name, definedAt }: Defined, more: Partial<TaskSpec> = {}): TaskSpec => ({
  ...taskSpec(name, { kind: 'function', name }),
  definedAt,
  ...more,
})

/** Loads `main.ts` and fingerprints what it exports as `tasks`, by name. */
async function fingerprints(
  more: Partial<TaskSpec> = {},
): Promise<Readonly<Record<string, CodeFingerprint>>> {
  const source = stage.opened()
  const { exports } = await source.load('main.ts')
  const tasks = exports['tasks'] as readonly (Defined | Readonly<Record<string, Defined>>)[]
  const flat = tasks.flatMap((one) => ('definedAt' in one ? [one as Defined] : Object.values(one)))
  const all = flat.map(async (task) => [task.name, await source.fingerprint(specOf(task, more))] as const)
  return Object.fromEntries(await Promise.all(all))
}

const partsOf = (
  found: Readonly<Record<string, CodeFingerprint>>,
): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(Object.entries(found).map(([name, { parts }]) => [name, Object.keys(parts).sort()]))

test('definitions are found in whatever form they are exported', async () => {
  stage.project.write({
    'main.ts': `import * as almanac from 'almanac'
import { task as define, workflow } from 'almanac'
import { library } from './library.ts'
const helper = () => 1
export const plain = define('plain', () => helper())
export const spread = define(
  'spread',
  { retries: 2 },
  () => 2,
), second = define('second', () => 3)
const renamed = define('renamed', () => 4)
export { renamed as other }
export const namespace = almanac.task('namespace', () => 5)
export const typed = define('typed', () => 6) as unknown as { name: string }
export const group = { one: define('one', () => 7), two: define('two', () => 8) }
export const tasks = [plain, spread, second, renamed, namespace, typed, group, library]
export default workflow('main', () => plain)
`,
    'library.ts':
      "import { task } from 'almanac'\nexport const library = task('library', () => 9)\nexport const unused = task('unused', () => 10)\n",
  })
  const found = await fingerprints()
  expect(partsOf(found)).toEqual({
    plain: ['main.ts:helper', 'main.ts:plain'],
    spread: ['main.ts:spread, second'],
    second: ['main.ts:spread, second'],
    renamed: ['main.ts:renamed'],
    namespace: ['main.ts:namespace'],
    typed: ['main.ts:typed'],
    one: ['main.ts:group'],
    two: ['main.ts:group'],
    library: ['library.ts:library'],
  })
  expect(found['spread']?.digest).not.toBe(found['second']?.digest)
  expect(Object.values(found).flatMap(({ warnings }) => warnings)).toEqual([])
})

test('a task may be the default export, and its file be renamed', async () => {
  const source = stage.opened()
  const text = "import { task } from 'almanac'\nexport default task('only', () => 1)\n"
  stage.project.write({ 'main.ts': text, 'moved.ts': text })
  const [one, two] = await Promise.all(
    ['main.ts', 'moved.ts'].map(async (file) => {
      const { exports } = await source.load(file)
      return source.fingerprint(specOf(exports['default'] as Defined))
    }),
  )
  expect(one?.digest).toBe(two?.digest)
  expect([one, two].map((found) => Object.keys(found?.parts ?? {}))).toEqual([
    ['main.ts:default'],
    ['moved.ts:default'],
  ])
})

test('a task that is no export counts with all of its file, and says so', async () => {
  const text =
    "import { task } from 'almanac'\nimport { x } from './x.ts'\nconst hidden = task('hidden', () => 1)\nexport const other = () => x\nexport const tasks = [hidden]\n"
  stage.project.write({ 'main.ts': text, 'x.ts': 'export const x = 1\nexport const y = 2\n' })
  const [before] = Object.values(await fingerprints())
  expect(before?.warnings).toEqual(['main.ts:3 task hidden is no export: it counts with all of main.ts'])
  stage.project.write({ 'main.ts': text.replace('=> x', '=>\n  // the same\n  x') })
  expect((await fingerprints())['hidden']?.digest).toBe(before?.digest)
  stage.project.write({ 'main.ts': text.replace('=> x', '=> x + 1') })
  expect((await fingerprints())['hidden']?.digest).not.toBe(before?.digest)
  stage.project.write({ 'main.ts': text, 'x.ts': 'export const x = 1\nexport const y = 3\n' })
  expect((await fingerprints())['hidden']?.digest).not.toBe(before?.digest)
})

test('a task that a function of another module makes counts with all that was loaded', async () => {
  const main =
    "import { make } from './make.ts'\nexport const three = make('three', 3)\nexport const tasks = [three]\n"
  stage.project.write({
    'main.ts': main,
    'make.ts':
      "import { task } from 'almanac'\nexport function make(name: string, n: number) {\n  return task(name, () => n)\n}\n",
  })
  const before = (await fingerprints())['three']
  expect(before?.warnings).toEqual(['make.ts:3 task three is no export: it counts with all of main.ts'])
  stage.project.write({ 'main.ts': main.replace(', 3)', ', 4)') })
  expect((await fingerprints())['three']?.digest).not.toBe(before?.digest)
})

test('a function counts as it was loaded, until it is loaded again', async () => {
  const text = "import { task } from 'almanac'\nexport const index = task('index', () => 1)\n"
  stage.project.write({ 'main.ts': text })
  const source = stage.opened()
  const index = specOf((await source.load('main.ts')).exports['index'] as Defined)
  const { digest } = await source.fingerprint(index)
  stage.project.write({ 'main.ts': text.replace('=> 1', '=> 2') })
  expect((await source.fingerprint(index)).digest).toBe(digest)
  await source.load('main.ts')
  expect((await source.fingerprint(index)).digest).not.toBe(digest)
})

test('without a file, a task needs a version', async () => {
  const source = stage.opened()
  const task = taskSpec('lost', { kind: 'function', name: 'lost' })
  await expect(source.fingerprint(task)).rejects.toMatchObject({
    code: 'ALM_TASK_NOT_FOUND',
    message: 'The code of task lost was not found: it was not defined in a file; give it a version',
  })
  const [one, two] = await Promise.all(['1', '2'].map((version) => source.fingerprint({ ...task, version })))
  expect(one).toEqual({ digest: one?.digest, parts: { version: one?.digest }, warnings: [] })
  expect(one?.digest).not.toBe(two?.digest)
})

test('a package counts by its version and by the versions of all that it needs', async () => {
  stage.project.write({
    'main.ts':
      "import { task } from 'almanac'\nimport { parse } from 'zod'\nexport const index = task('index', () => parse(1))\nexport const tasks = [index]\n",
    ...installed('zod', '1.0.0', ['dep', 'missing']),
    ...installed('dep', '1.0.0', ['zod']),
  })
  const before = (await fingerprints())['index']
  expect(Object.keys(before?.parts ?? {})).toEqual(['main.ts:index', 'package:zod'])
  stage.project.write(installed('dep', '1.0.1', ['zod']))
  const after = (await fingerprints())['index']
  expect(after?.digest).not.toBe(before?.digest)
  expect(after?.parts['main.ts:index']).toBe(before?.parts['main.ts:index'])
  stage.project.write(installed('missing', '1.0.0'))
  expect((await fingerprints())['index']?.digest).not.toBe(after?.digest)
})

test('a task that an installed package defines counts by the package', async () => {
  stage.project.write({
    'node_modules/library/package.json':
      '{ "name": "library", "version": "1.0.0", "type": "module", "exports": "./index.js" }',
    'node_modules/library/index.js': 'export const index = 1\n',
  })
  const source = stage.opened()
  const definedAt = { file: stage.project.path('node_modules/library/index.js'), line: 1 }
  const { parts, warnings } = await source.fingerprint(specOf({ name: 'index', definedAt }))
  expect([Object.keys(parts), warnings]).toEqual([['package:library'], []])
})

test('what is read from outside and not declared is said, where the task reaches it', async () => {
  stage.project.write({
    'main.ts': `import { task } from 'almanac'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { env } from 'node:process'
import { region } from './region.ts'
const name = 'table.csv'
export const variables = task('variables', () => [process.env.A, process.env['B'], env.C, region()])
export const any = task('any', (key: string) => [process.env[key], { ...process.env }])
export const files = task('files', () => [
  readFileSync('a.txt'),
  fs.readFileSync(new URL('./b.txt', import.meta.url)),
  readFile(join(import.meta.dirname, name)),
])
export const inputs = task('inputs', (file: { at: string }, key: string) => [
  readFileSync(file.at),
  fs.promises.readFile(join(file.at, key)),
])
export const computed = task('computed', (name: string) => import(name))
export const tasks = [variables, any, files, inputs, computed]
`,
    'region.ts':
      'const { REGION } = process.env\nexport const region = () => REGION\nexport const other = () => process.env.OTHER\n',
  })
  const declare = 'which does not count: name it in the option'
  const found = await fingerprints()
  const warnings = Object.fromEntries(Object.entries(found).map(([name, one]) => [name, one.warnings]))
  const region = `region.ts:1 reads REGION, ${declare} variables`
  expect(warnings).toEqual({
    variables: [
      `main.ts:9 reads A, ${declare} variables`,
      `main.ts:9 reads B, ${declare} variables`,
      `main.ts:9 reads C, ${declare} variables`,
      region,
    ],
    any: [`main.ts:10 reads the environment, ${declare} variables`],
    files: [
      `main.ts:12 reads a.txt, ${declare} reads`,
      `main.ts:13 reads ./b.txt, ${declare} reads`,
      `main.ts:14 reads a file of its own, ${declare} reads`,
    ],
    inputs: [],
    computed: ['main.ts:20 imports a module whose name is computed, which does not count'],
  })
  const declared = await fingerprints({
    env: ['A', 'B', 'C', 'REGION'],
    reads: ['/x/a.txt', '/x/b.txt', '/x/table.csv'],
  })
  expect([declared['variables']?.warnings, declared['files']?.warnings]).toEqual([[], []])
})

test('what is taken on import is told of tasks that use it, and of all where nobody can know', async () => {
  stage.project.write({
    'a.json': '{}',
    'b.txt': '',
    'c.txt': '',
    'main.ts': `import { task } from 'almanac'
import { readFileSync } from 'node:fs'
const table = JSON.parse(readFileSync(new URL('./a.json', import.meta.url), 'utf8'))
const rows = table.rows
export const shown = readFileSync(new URL('./b.txt', import.meta.url), 'utf8')
let set = ''
{ set = readFileSync(new URL('./c.txt', import.meta.url), 'utf8') }
export const direct = task('direct', () => table)
export const derived = task('derived', () => rows)
export const none = task('none', () => 1)
export const tasks = [direct, derived, none]
`,
  })
  const found = await fingerprints()
  const declare = 'which does not count: name it in the option reads'
  const table = `main.ts:3 reads ./a.json, ${declare}`
  const all = [`main.ts:5 reads ./b.txt, ${declare}`, `main.ts:7 reads ./c.txt, ${declare}`]
  expect(Object.fromEntries(Object.entries(found).map(([name, one]) => [name, one.warnings]))).toEqual({
    direct: [table, ...all],
    derived: [table, ...all],
    none: all,
  })
})
