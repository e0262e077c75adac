import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { openCodeStage } from '../testing/code-stage.ts'
import { installed } from '../testing/project-folder.ts'
import { openCodeSource } from './source.ts'

const stage = openCodeStage(openCodeSource)

type Run = () => unknown

async function value(file: string, name = 'value'): Promise<unknown> {
  const { exports } = await stage.opened().load(file)
  return exports[name]
}

test('a file is loaded with all that it imports, and says what it read', async () => {
  stage.project.write({
    'main.ts': `import { task } from 'almanac'
import { half } from './lib/half.ts'
import data from './lib/data.json'
export const index = task('index', (x: number) => half(x))
export const value: number = half(4) + data.x
`,
    'lib/half.ts': 'export const half = (x: number): number => x / 2\n',
    'lib/data.json': '{ "x": 40 }',
  })
  const { file, exports, inputs, digest } = await stage.opened().load('main.ts')
  expect(file).toBe(stage.project.path('main.ts'))
  expect(exports['value']).toBe(42)
  expect(exports['index']).toMatchObject({
    name: 'index',
    definedAt: { file: stage.project.path('main.ts'), line: 4, column: 22 },
  })
  expect(inputs).toEqual(['lib/data.json', 'lib/half.ts', 'main.ts'].map((name) => stage.project.path(name)))
  expect(digest).toMatch(/^[0-9a-f]{64}$/)
})

test.each<readonly [string, string, unknown]>([
  ['main.mts', 'export const value: number = 1', 1],
  ['main.js', 'export const value = 2', 2],
  ['main.mjs', 'export const value = 3', 3],
  ['main.cjs', 'exports.value = 4', undefined],
  ['enum.ts', 'enum A { B = 5 }\nexport const value = A.B', 5],
  ['parameters.ts', 'class A { constructor(readonly x: number) {} }\nexport const value = new A(6).x', 6],
  [
    'decorator.ts',
    'const seven = (_: unknown) => class { static x = 7 } as never\n@seven class A { static x = 0 }\nexport const value = A.x',
    7,
  ],
  ['await.ts', 'export const value = await Promise.resolve(8)', 8],
  ['hashbang.mjs', '#!/usr/bin/env node\nexport const value = 9', 9],
  ['bom.ts', '\uFEFFexport const value: number = 10', 10],
])('%s is code', async (file, text, expected) => {
  stage.project.write({ [file]: text })
  expect(await value(file)).toBe(expected)
})

test('a CommonJS module is the default export', async () => {
  stage.project.write({ 'main.cjs': 'exports.value = 4' })
  expect(await value('main.cjs', 'default')).toEqual({ value: 4 })
})

test('a module knows where it lies, although it is bundled', async () => {
  stage.project.write({
    'main.ts': `import { dirname } from 'node:path'
import { places } from './lib/places.ts'
import commonJs from './lib/common.cjs'
const __dirname = import.meta.dirname
export const value = [import.meta.url, import.meta.filename, __dirname, new URL('./x', import.meta.url).pathname, ...places, ...commonJs]
`,
    'lib/places.ts': 'export const places = [import.meta.url]\n',
    'lib/common.cjs': 'module.exports = [__dirname, __filename]\n',
  })
  const at = (name: string): string => stage.project.path(name)
  expect(await value('main.ts')).toEqual([
    pathToFileURL(at('main.ts')).href,
    at('main.ts'),
    stage.project.root,
    at('x'),
    pathToFileURL(at('lib/places.ts')).href,
    at('lib'),
    at('lib/common.cjs'),
  ])
})

test('packages are found from the file that imports them, wherever the home lies', async () => {
  stage.project.write({
    ...installed('zod', '1.0.0'),
    'packages/inner/main.ts': `import { version } from 'zod'
import { z as again } from '@scope/pkg/sub'
import common from 'common'
import { named } from 'common'
import { join } from 'path'
import fs = require('node:fs')
export const value = [version, again, common.named, named, join('a', 'b'), typeof fs.readFileSync]
`,
    'packages/inner/node_modules/@scope/pkg/package.json':
      '{ "name": "@scope/pkg", "version": "2.0.0", "exports": { "./sub": { "import": "./es.mjs", "require": "./cjs.cjs" } } }',
    'packages/inner/node_modules/@scope/pkg/es.mjs': "export const z = 'es'",
    'packages/inner/node_modules/@scope/pkg/cjs.cjs': "exports.z = 'cjs'",
    'packages/inner/node_modules/common/package.json':
      '{ "name": "common", "version": "1.0.0", "main": "./main.js", "module": "./never.js" }',
    'packages/inner/node_modules/common/main.js': "exports.named = 'main'",
  })
  expect(await value('packages/inner/main.ts')).toEqual(['1.0.0', 'es', 'main', 'main', 'a/b', 'function'])
})

test('a package of the workspace is code of the author', async () => {
  stage.project.write({
    'shared/package.json': '{ "name": "shared", "version": "1.0.0", "exports": "./src/index.ts" }',
    'shared/src/index.ts': 'enum A { B = 5 }\nexport const shared: number = A.B\n',
    'main.ts': "import { shared } from 'shared'\nexport const value = shared\n",
  })
  mkdirSync(stage.project.path('node_modules'))
  symlinkSync(stage.project.path('shared'), stage.project.path('node_modules/shared'))
  const { exports, inputs } = await stage.opened().load('main.ts')
  expect(exports['value']).toBe(5)
  expect(inputs).toEqual([stage.project.path('main.ts'), stage.project.path('shared/src/index.ts')])
})

test('CommonJS modules of the author may require packages, builtins and each other', async () => {
  stage.project.write({
    ...installed('zod', '1.0.0'),
    'node_modules/old/package.json': '{ "name": "old", "version": "3.0.0" }',
    'node_modules/old/index.js': "exports.version = '3.0.0'",
    'main.ts':
      "import all from './all.cjs'\nconst require = 'a name of its own'\nexport const value = [...all, require]\n",
    'all.cjs':
      "const name = 'os'\nmodule.exports = [require('old').version, typeof require('fs').readFileSync, require('./next.cjs'), typeof require(name).cpus]\n",
    'next.cjs': "module.exports = 'next'",
  })
  expect(await value('main.ts')).toEqual(['3.0.0', 'function', 'next', 'function', 'a name of its own'])
})

test("a stack names the author's files and lines", async () => {
  stage.project.write({
    'main.ts': "import { fail } from './lib/fail.ts'\n\nexport const value = () => fail('x')\n",
    'lib/fail.ts':
      'interface Long {\n  readonly x: number\n}\n\nexport function fail(text: string): Long {\n  throw new Error(text)\n}\n',
  })
  const run = (await value('main.ts')) as Run
  let stack = ''
  try {
    run()
  } catch (error) {
    stack = (error as Error).stack ?? ''
  }
  expect(stack).toMatch(/lib\/fail\.ts:6:9\)\n.*main\.ts:3:28/)
  expect(stack).toContain(stage.project.path('lib/fail.ts'))
})

test('an unchanged file gives the same exports; an edited one others', async () => {
  stage.project.write({
    'main.ts': "import { x } from './x.ts'\nexport const value = { x }\n",
    'x.ts': 'export const x = 1\n',
  })
  const [first, again] = [await value('main.ts'), await value('main.ts')]
  expect(again).toBe(first)
  stage.project.write({ 'x.ts': 'export const x = 2\n' })
  expect(await value('main.ts')).toEqual({ x: 2 })
})

test('a file that now stands before another is found', async () => {
  stage.project.write({
    'main.ts': "import { x } from './x'\nexport const value = x\n",
    'x/index.ts': "export const x = 'folder'\n",
  })
  expect(await value('main.ts')).toBe('folder')
  stage.project.write({ 'x.ts': "export const x = 'file'\n" })
  expect(await value('main.ts')).toBe('file')
})

test('a package that is installed anew is found', async () => {
  stage.project.write({
    ...installed('zod', '1.0.0'),
    'lib/main.ts': "import { version } from 'zod'\nexport const value = version\n",
  })
  expect(await value('lib/main.ts')).toBe('1.0.0')
  const nearer = Object.entries(installed('zod', '2.0.0')).map(([name, text]) => [`lib/${name}`, text])
  stage.project.write(Object.fromEntries(nearer))
  expect(await value('lib/main.ts')).toBe('2.0.0')
})

test('what is kept may be damaged or gone', async () => {
  const folder = stage.project.path('home')
  stage.project.write({ 'main.ts': 'export const value = 1\n' })
  const load = async (): Promise<unknown> =>
    (await stage.opened({ home: folder }).load('main.ts')).exports['value']
  expect(await load()).toBe(1)
  const [kept, bundle] = ['.json', '.mjs'].map((end) =>
    join(folder, 'code', readdirSync(join(folder, 'code')).find((name) => name.endsWith(end)) ?? ''),
  ) as [string, string]
  for (const damage of [
    (text: string) => text.slice(0, 40),
    () => '',
    (text: string) => text.replace('main', 'mian'),
    () => '{}',
  ]) {
    writeFileSync(kept, damage(readFileSync(kept, 'utf8')))
    expect(await load()).toBe(1)
  }
  rmSync(bundle)
  expect(await load()).toBe(1)
})

test('a home that cannot be written is named', async () => {
  stage.project.write({ 'main.ts': 'export const value = 1\n', home: 'a file' })
  await expect(stage.opened({ home: stage.project.path('home') }).load('main.ts')).rejects.toMatchObject({
    code: 'ALM_STORE_FAILED',
    details: { path: stage.project.path('home/code') },
  })
})

test.each<readonly [string, Readonly<Record<string, string>>, string, number | undefined]>([
  ['a syntax error', { 'main.ts': 'const a = 1\nconst b = ;\n' }, 'main.ts:2:11: Unexpected ";"', 2],
  [
    'a syntax error in a module',
    { 'main.ts': "import './lib/x.ts'\n", 'lib/x.ts': '\n\nfunction {\n' },
    'lib/x.ts:3:10: Expected identifier but found "{"',
    3,
  ],
  [
    'a module that is not there',
    { 'main.ts': "import './none.ts'\n" },
    'main.ts:1:8: Could not resolve "./none.ts"',
    1,
  ],
  [
    'a package that is not there',
    { 'main.ts': "\nimport 'none'\n" },
    'main.ts:2:8: Could not resolve "none"',
    2,
  ],
  [
    'a name that a module does not export',
    { 'main.ts': "import { y } from './x.ts'\nconsole.log(y)\n", 'x.ts': 'export const x = 1\n' },
    'main.ts:1:10: No matching export in "x.ts" for import "y"',
    1,
  ],
  [
    'a file that throws',
    { 'main.ts': 'const a = 1\n\nthrow new TypeError(String(a))\n' },
    'main.ts:3:7: 1',
    3,
  ],
  [
    'a module that throws',
    {
      'main.ts': "import './x.ts'\n",
      'x.ts': 'type A = 1\nnull as A as unknown as { b: { c: 1 } }.b.c\n'.replace(
        'null as A as unknown as { b: { c: 1 } }.b.c',
        '(null as unknown as { b: 1 }).b',
      ),
    },
    "x.ts:2:31: Cannot read properties of null (reading 'b')",
    2,
  ],
  ['a file that throws no error', { 'main.ts': "throw 'text'\n" }, 'it threw text', undefined],
])('%s is an error with file, line and reason', async (_, files, why, line) => {
  stage.project.write(files)
  const error: unknown = await stage
    .opened()
    .load('main.ts')
    .then(
      () => undefined,
      (reason: unknown) => reason,
    )
  expect(error).toMatchObject({ code: 'ALM_LOAD_FAILED', message: `main.ts could not be loaded: ${why}` })
  const file = why.includes(':') ? why.slice(0, why.indexOf(':')) : 'main.ts'
  expect(error).toMatchObject({
    record: { code: 'ALM_LOAD_FAILED', file: stage.project.path(file), ...(line !== undefined && { line }) },
  })
})

test.each<readonly [string, string]>([
  ['none.ts', 'there is no such file.'],
  ['folder.ts', 'it is no file.'],
  ['steps.py', '.py is neither TypeScript nor JavaScript.'],
])('%s is no workflow file', async (name, why) => {
  stage.project.write({ 'folder.ts/x': '', 'steps.py': '' })
  await expect(stage.opened().load(name)).rejects.toMatchObject({
    code: 'ALM_LOAD_FAILED',
    message: `${name} could not be loaded: ${why}`,
  })
})
