import { afterAll, expect, test } from 'vitest'
import type { CodeSource } from '../ports/code.ts'
import { installed, ProjectFolder } from '../testing/project-folder.ts'
import { openCodeSource } from './source.ts'

/**
 * Which edits change the fingerprint of the task `index` in `main.ts`. Each case is the files that an edit replaces
 * (null: removes) in the project below, and says whether the task is then the same.
 */

const main = `import { python, task, workflow } from 'almanac'
import { z } from 'zod'
import { Mode, scale } from './lib/scale.ts'
import { limit } from './lib/limits.json'
import { Grid } from './lib/barrel.ts'

/** Where things begin. */
const offset = 10

function shift(x: number): number {
  return x + offset // by how much
}

function unrelated(x: number): number {
  return x - 1
}

export const steps = python.task({ run: 'steps.py:qc' })

export const index = task('index', async (x: number) => {
  const shifted = shift(x)
  const grid = new Grid(Mode.Fine)
  return scale(shifted) + limit + grid.size()
}, { retries: 1 })

export const combine = task('combine', async (x: number) => unrelated(x))

export default workflow('main', { input: z.object({ x: z.string() }) }, async ({ x }: { x: number }) => {
  return combine(await index(x))
})
`
const files: Readonly<Record<string, string>> = {
  'main.ts': main,
  'lib/scale.ts': `export enum Mode { Fine = 'fine', Coarse = 'coarse' }
export const scale = (x: number): number => half(x) * 4
const half = (x: number): number => x / 2
export const other = (x: number): number => x
`,
  'lib/limits.json': '{ "limit": 5, "elsewhere": 6 }',
  'lib/barrel.ts': "export { Grid } from './grid.ts'\nexport { Unused } from './unused.ts'\n",
  'lib/grid.ts': `export class Grid {
  readonly #mode: string
  scale = 2
  constructor(mode: string) {
    this.#mode = mode
  }
  size(): number {
    return this.#mode.length * this.scale
  }
}
`,
  'lib/unused.ts': 'export class Unused {\n  static count = 0\n}\n',
  'tsconfig.json': '{ "compilerOptions": { "useDefineForClassFields": true } }',
  'package.json': '{ "type": "module" }',
  ...installed('zod', '1.0.0', ['dep']),
  ...installed('dep', '1.0.0'),
}

const edited = (from: string, to: string, file = 'main.ts'): Record<string, string> => {
  const text = files[file] as string
  if (!text.includes(from)) throw new TypeError(`${file} has no ${from}`)
  return { [file]: text.replace(from, to) }
}

const usesPackage = edited('return scale(shifted)', 'z.string()\n  return scale(shifted)')

type Edit = Readonly<Record<string, string | null>>

const same: Readonly<Record<string, Edit>> = {
  'a comment is changed': edited('// by how much', '// by an offset'),
  'a documentation comment is removed': edited('/** Where things begin. */\n', ''),
  'blank lines are added': edited('const shifted', '\n\n  const shifted'),
  'the layout is another': edited('return x + offset // by how much', 'return (\n    x +\n    offset\n  );'),
  'quotes are changed': edited("task('index'", 'task("index"'),
  'a type is changed': edited('shift(x: number): number', 'shift(x: 1 | 2): unknown'),
  'a type is added': edited(
    'const offset = 10',
    'interface Offset { readonly by: number }\nconst offset = 10 as const',
  ),
  'a type assertion is added': edited('shift(x)\n', 'shift(x satisfies number)!\n'),
  'an equal expression is written for a constant': edited('offset = 10', 'offset = 5 * 2'),
  'a function that is not reached is changed': edited('return x - 1', 'return x - 2'),
  'a function is added before': edited(
    'function shift',
    'function added() {\n  return 1\n}\n\nfunction shift',
  ),
  'a constant is added': edited('const offset', "const added = 'added'\nconst offset"),
  'another task is changed': edited('unrelated(x))', 'unrelated(x) + 1)'),
  'a task is added': edited(
    'export const index',
    "export const added = task('added', async () => 1)\n\nexport const index",
  ),
  'a task is removed': edited(/export const combine.*\n/.exec(main)?.[0] ?? '-', ''),
  'a Python task of the module is changed': edited('steps.py:qc', 'steps.py:quality'),
  'an environment is added': edited(
    'export const steps',
    "const env = python.env('requirements.txt')\nexport const steps",
  ),
  "the workflow's function is changed": edited('combine(await index(x))', 'index(await combine(x))'),
  "the workflow's input is changed": edited(
    'z.object({ x: z.string() })',
    'z.object({ x: z.string(), y: z.string() })',
  ),
  'an option is changed': edited('retries: 1', 'retries: 3'),
  'options are removed': edited(', { retries: 1 })', ')'),
  'options are added': edited('retries: 1', "retries: 1, timeout: '1h', memory: '1GiB', priority: 2"),
  'options of another task are added': edited(
    'unrelated(x))',
    "unrelated(x), { retries: Number('2'), output: { x: z.string() } })",
  ),
  'an import of a builtin is added': edited(
    'const offset',
    "import { readFile } from 'node:fs/promises'\nconst offset",
  ),
  'an import is used elsewhere': edited(
    'function unrelated(x: number): number {',
    'function unrelated(x: number): number {\n  z.string()',
  ),
  'a function that is not reached of another module is changed': edited(
    '=> x\n',
    '=> x * 3\n',
    'lib/scale.ts',
  ),
  'a member that is not used is added to an enumeration': edited(
    "Coarse = 'coarse'",
    "Coarse = 'rough', None = 'none'",
    'lib/scale.ts',
  ),
  'a named value of a JSON file that is not used is changed': edited('6', '7', 'lib/limits.json'),
  'a module behind a barrel that is not reached is changed': edited(
    'count = 0',
    'count = 1',
    'lib/unused.ts',
  ),
  'a barrel gives more': edited(
    'export { Grid }',
    "export { other } from './scale.ts'\nexport { Grid }",
    'lib/barrel.ts',
  ),
  'the configuration of TypeScript is changed': {
    'tsconfig.json': '{ "compilerOptions": { "useDefineForClassFields": false, "target": "es5" } }',
  },
  'a package that is not reached is updated': installed('zod', '2.0.0'),
  'the project is said to be something else': { 'package.json': '{ "type": "module", "version": "2.0.0" }' },
  'a reached function moves to another module': {
    'main.ts': main
      .replace(/const offset[\s\S]*?\n}\n/, '')
      .replace("'./lib/barrel.ts'\n", "'./lib/barrel.ts'\nimport { shift } from './lib/shift.ts'\n"),
    'lib/shift.ts': 'const offset = 10\nexport function shift(x: number) {\n  return x + offset\n}\n',
  },
  'functions change places': {
    'lib/scale.ts': (files['lib/scale.ts'] as string).replace(
      /(export const scale.*\n)(const half.*\n)/,
      '$2$1',
    ),
  },
  'its lines end as on another system': { 'main.ts': main.replaceAll('\n', '\r\n') },
  'what is not reached has names of its own': {
    'main.ts': main
      .replace(
        'return x - 1',
        'const shifted = fs.x + fs.shifted + fs.grid\n  const grid = (scale: number) => scale\n  return x - grid(shifted)',
      )
      .replace('import { z }', "import * as fs from 'node:fs'\nimport { z }"),
  },
  'imports change places': {
    'main.ts': main.replace(/(import { Mode.*\n)(import { limit.*\n)(import { Grid.*\n)/, '$3$2$1'),
  },
  'all modules move to another folder': {
    'lib/scale.ts': null,
    'lib/limits.json': null,
    'lib/barrel.ts': null,
    'lib/grid.ts': null,
    'lib/unused.ts': null,
    'main.ts': main.replaceAll("'./lib/", "'./shared/code/"),
    ...Object.fromEntries(
      Object.entries(files).flatMap(([name, text]) =>
        name.startsWith('lib/') ? [[name.replace('lib/', 'shared/code/'), text]] : [],
      ),
    ),
  },
}

const different: Readonly<Record<string, Edit>> = {
  'its function is changed': edited('const shifted = shift(x)', 'const shifted = shift(x + 1)'),
  'a text in it is changed': edited('Mode.Fine', "'finer'"),
  'it becomes another kind of function': edited("task('index', async (x", "task('index', (x"),
  'a function that it calls is changed': edited('x + offset', 'x - offset'),
  'a constant behind that is changed': edited('offset = 10', 'offset = 11'),
  'a default is added to an argument': edited('shift(x: number)', 'shift(x = 3)'),
  'a function of another module is changed': edited('half(x) * 4', 'half(x) * 8', 'lib/scale.ts'),
  'a function behind that is changed': edited('x / 2', 'x / 3', 'lib/scale.ts'),
  'the member of an enumeration that is used is changed': edited(
    "Fine = 'fine'",
    "Fine = 'finest'",
    'lib/scale.ts',
  ),
  'the value of a JSON file that is used is changed': edited('5', '50', 'lib/limits.json'),
  'a method of a class is changed': edited('this.scale\n', 'this.scale + 1\n', 'lib/grid.ts'),
  'a field of a class is changed': edited('scale = 2', 'scale = 3', 'lib/grid.ts'),
  'a name is imported for another one': edited('{ Mode, scale }', '{ Mode, other as scale }'),
  'its output is checked in another way': edited('retries: 1', 'retries: 1, output: { x: z.string() }'),
  'a statement is added that is executed at import': edited(
    'const offset',
    'Math.random = () => 4\nconst offset',
  ),
  'a module is imported for what it does': {
    ...edited('const offset', "import './lib/patch.ts'\nconst offset"),
    'lib/patch.ts': 'Math.random = () => 4\n',
  },
  'a package is imported for what it does': edited('const offset', "import 'zod'\nconst offset"),
  'a package is used': usesPackage,
  'it is given another name': edited("task('index'", "task('indexing'"),
}

/** Nothing that is reached changes, and yet the task runs again: what a bundler cannot know to be free of effects. */
const conservative: Readonly<Record<string, Edit>> = {
  'a local name is changed': { 'main.ts': main.replaceAll('shifted', 'moved') },
  'an unknown call initialises something': edited(
    'const offset',
    'const table = new Map(Object.entries({ a: 1 }))\nconst offset',
  ),
  'a place is asked for': edited('const offset', 'const here = import.meta.url\nconst offset'),
}

const projects: ProjectFolder[] = []
const sources: CodeSource[] = []

afterAll(async () => {
  for (const source of sources) await source.close()
  for (const project of projects) project.remove()
})

async function digestAfter(edits: readonly Edit[], task = 'index', file = 'main.ts'): Promise<string> {
  const project = new ProjectFolder().write(files)
  for (const edit of edits) project.write(edit)
  projects.push(project)
  const source = openCodeSource({
    home: project.path('home'),
    project: project.root,
    almanacUrl: 'file:///almanac/index.js',
  })
  sources.push(source)
  return (await source.fingerprint(project.task(file, task))).digest
}

const before = digestAfter([])

test.each(Object.entries(same))('a task is the same where %s', async (_, edit) => {
  expect(await digestAfter([edit])).toBe(await before)
})

test.each(Object.entries(different))('a task is another where %s', async (_, edit) => {
  expect(await digestAfter([edit])).not.toBe(await before)
})

test.each(Object.entries(conservative))(
  'a task counts as another where %s, although it is the same',
  async (_, edit) => {
    expect(await digestAfter([edit])).not.toBe(await before)
  },
)
