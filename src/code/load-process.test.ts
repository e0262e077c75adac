import { execFile } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { almanacStub, installed, ProjectFolder } from '../testing/project-folder.ts'

/** Loading in a process of its own, as it is: a test runner imports in its own way. */

let project: ProjectFolder
const projects: ProjectFolder[] = []

beforeEach(() => {
  project = new ProjectFolder()
  projects.push(project)
  project.write({
    'almanac-stub.js': almanacStub,
    'package.json': '{ "type": "module" }',
    'program.ts': program,
    'no-tools.js': noTools,
  })
})

afterAll(() => {
  for (const one of projects) one.remove()
})

const source = JSON.stringify(new URL('source.ts', import.meta.url).href)

/** Loads a file, fingerprints what it exports and says what it found as JSON. */
const program = `import { openCodeSource } from ${source}
import { taskSpec } from ${JSON.stringify(new URL('../testing/task-spec.ts', import.meta.url).href)}
const [file] = process.argv.slice(2)
const root = import.meta.dirname
const code = openCodeSource({ home: root + '/home', project: root, almanacUrl: new URL('almanac-stub.js', import.meta.url) })
const said = {}
try {
  const { exports } = await code.load(file)
  said.exports = Object.keys(exports)
  said.digests = {}
  for (const [name, { kind, definedAt }] of Object.entries(exports)) {
    if (kind !== 'task') continue
    const { digest } = await code.fingerprint({ ...taskSpec(name, { kind: 'function', name }), definedAt })
    said.digests[name] = [definedAt.line, digest]
  }
  if (exports.run) exports.run()
} catch (error) {
  said.error = { code: error.code, message: error.message, stack: error.stack }
}
await code.close()
console.log(JSON.stringify(said))
`

/** Makes the tools that build and parse fail when they are imported. */
const noTools = `import { registerHooks } from 'node:module'
registerHooks({
  resolve(specifier, context, next) {
    if (/^(?:esbuild|esbuild-fingerprint|oxc-parser)$/.test(specifier)) throw new Error('imported ' + specifier)
    return next(specifier, context)
  },
})
`

interface Said {
  readonly exports?: readonly string[]
  readonly digests?: Readonly<Record<string, readonly [line: number, digest: string]>>
  readonly error?: { readonly code?: string; readonly message: string; readonly stack: string }
}

async function run(file: string, ...options: readonly string[]): Promise<Said> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...options,
    project.path('program.ts'),
    file,
  ])
  return JSON.parse(stdout) as Said
}

const main = `import { task } from 'almanac'
import { half } from './half.ts'

type Size = { readonly x: number }

export const index = task('index', (size: Size) => half(size.x))

export const other = task('other', (size: Size) => size.x)

export function run(): void {
  half(0)
}
`

test('a second load and its fingerprints need neither bundler nor parser', async () => {
  project.write({ 'main.ts': main, 'half.ts': 'export const half = (x: number): number => x / 2\n' })
  const first = await run('main.ts')
  expect(first.digests).toMatchObject({ index: [6, expect.any(String)], other: [8, expect.any(String)] })
  const noToolsUrl = pathToFileURL(project.path('no-tools.js')).href
  expect(await run('main.ts', '--import', noToolsUrl)).toEqual(first)
  project.write({ 'half.ts': 'export const half = (x: number): number => x / 3\n' })
  expect((await run('main.ts', '--import', noToolsUrl)).error?.message).toBe('imported oxc-parser')
  const after = await run('main.ts')
  expect(after.digests?.['other']).toEqual(first.digests?.['other'])
  expect(after.digests?.['index']).not.toEqual(first.digests?.['index'])
})

test("a stack names the author's files and lines", async () => {
  project.write({
    'main.ts': main,
    'half.ts':
      'interface A {\n  x: 1\n}\nexport function half(x: number): number {\n  throw new Error(String(x))\n}\n',
  })
  const { error } = await run('main.ts')
  expect(error?.stack.split('\n').slice(0, 3)).toEqual([
    'Error: 0',
    `    at half (${project.path('half.ts')}:5:9)`,
    `    at Module.run (${project.path('main.ts')}:11:3)`,
  ])
})

test('a name that a package does not export is an error with file, line and reason', async () => {
  project.write({
    ...installed('zod', '1.0.0'),
    'main.ts': "type A = 1\nimport { none } from 'zod'\nexport const a: A | undefined = none\n",
  })
  const { error } = await run('main.ts')
  expect(error?.code).toBe('ALM_LOAD_FAILED')
  expect(error?.message).toMatch(
    /^main\.ts could not be loaded: main\.ts:2:\d+: The requested module '.*zod.*' does not provide an export named 'none'$/,
  )
})

test('a module that throws when it is imported is named with its line', async () => {
  project.write({
    'main.ts': "import './deep.ts'\n",
    'deep.ts': "interface A {\n  x: 1\n}\nconst a: A = { x: 1 }\nthrow new RangeError('not ' + a.x)\n",
  })
  const { error } = await run('main.ts')
  expect(error?.message).toBe('main.ts could not be loaded: deep.ts:5:7: not 1')
})
