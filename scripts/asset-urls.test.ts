import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { assetsOf, bundleName, rewriteAssets } from './asset-urls.ts'

let tree: string

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'almanac-assets-'))
  mkdirSync(join(tree, 'src/journal/sqlite'), { recursive: true })
  mkdirSync(join(tree, 'python'))
  writeFileSync(join(tree, 'src/journal/sqlite/writer.ts'), '')
  writeFileSync(join(tree, 'python/worker.py'), '')
})

afterEach(() => rmSync(tree, { recursive: true }))

const source = 'src/journal/sqlite/journal.ts'
const worker = "new Worker(new URL('./writer.ts', import.meta.url))\n"
const python = 'const path = new URL("../../../python/worker.py", import.meta.url)\n'

test('what code starts or reads beside it is found and rewritten to where it lies from dist', () => {
  expect(assetsOf(source, worker + python, tree)).toEqual([
    'src/journal/sqlite/writer.ts',
    'python/worker.py',
  ])
  expect(rewriteAssets(source, worker + python)).toBe(
    "new Worker(new URL('./journal-sqlite-writer.js', import.meta.url))\nconst path = new URL('../python/worker.py', import.meta.url)\n",
  )
})

test('entry points keep their names, others are named by their path', () => {
  expect([bundleName('src/cli/bin.ts'), bundleName('src/executors/threads/thread.ts')]).toEqual([
    'cli',
    'executors-threads-thread',
  ])
})

test('what is not there is refused', () => {
  expect(() => assetsOf(source, "new URL('./gone.ts', import.meta.url)", tree)).toThrow(
    'src/journal/sqlite/journal.ts names src/journal/sqlite/gone.ts, which is not there',
  )
})

test.each([
  'const here = import.meta.dirname',
  'const here = import.meta.filename',
  'const here = fileURLToPath(import.meta.url)',
  'const file = new URL(name, import.meta.url)',
])('a place that bundling changes is refused: %s', (line) => {
  expect(() => assetsOf(source, `${line}\n`, tree)).toThrow('is another file once bundled')
})

test.each([
  'const require = createRequire(import.meta.url)',
  "const bundled = !import.meta.url.endsWith('.ts')",
  '// unlike import.meta.url',
  ' * as import.meta.dirname does',
])('what does not depend on the place is let through: %s', (line) => {
  expect(assetsOf(source, `${line}\n`, tree)).toEqual([])
})
