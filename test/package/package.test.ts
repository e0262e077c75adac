import { execFileSync, spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { removeTree } from '../../src/data/files/remove-tree.ts'

/**
 * The package as npm packs it, in a project of its own that has nothing but what it declares to need.
 */

const root = join(import.meta.dirname, '../..')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
}
let project: string
let packed: string

beforeAll(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), 'almanac-package-')))
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', project], {
    cwd: root,
    stdio: 'pipe',
  })
  const tarball = readdirSync(project).find((name) => name.endsWith('.tgz')) ?? ''
  packed = join(project, 'node_modules/almanac')
  mkdirSync(packed, { recursive: true })
  execFileSync('tar', ['-xzf', join(project, tarball), '-C', packed, '--strip-components=1'])
  for (const name of [...Object.keys(manifest.dependencies), '@types/node']) link(name)
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', type: 'module' }))
})

afterAll(() => removeTree(project))

function link(name: string): void {
  const target = join(project, 'node_modules', name)
  mkdirSync(dirname(target), { recursive: true })
  symlinkSync(join(root, 'node_modules', name), target)
}

const node = (...args: string[]) => spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' })

test("other tools' rules of packaging find no fault", async () => {
  const { messages, pkg } = await publint({ pkgDir: packed, pack: false, strict: true })
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
})

test('it holds no tests, no sources, nothing cached', () => {
  const files = readdirSync(packed, { recursive: true, encoding: 'utf8' })
  expect(
    files.filter((path) => /(^|\/)(src|tests?|scripts|__pycache__)(\/|$)|\.test\.|\.pyc$/.test(path)),
  ).toEqual([])
  expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'CHANGELOG.md', 'package.json']))
})

test.each(['nodenext', 'bundler'])(
  'its types serve a strict project that resolves by %s',
  (moduleResolution) => {
    const compilerOptions = {
      module: moduleResolution === 'bundler' ? 'preserve' : moduleResolution,
      moduleResolution,
      target: 'es2024',
      strict: true,
      exactOptionalPropertyTypes: true,
      types: ['node'],
      // once is enough
      skipLibCheck: moduleResolution === 'bundler',
      noEmit: true,
    }
    writeFileSync(
      join(project, 'use.ts'),
      "import { task, workflow } from 'almanac'\nexport const double = task('double', async (n: number) => 2 * n)\nexport default workflow('main', async () => double(2))\n",
    )
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }))
    const { stdout } = node(join(root, 'node_modules/typescript/bin/tsc'), '-p', '.')
    expect(stdout).toBe('')
  },
)

test('what it exports can be imported with what it declares to need', () => {
  const { stderr, stdout } = node(
    '-e',
    "import('almanac').then((all) => console.log(typeof all.task, typeof all.open))",
  )
  expect({ stderr, stdout }).toEqual({ stderr: '', stdout: 'function function\n' })
})

test('its command says its version', () => {
  const { stderr, stdout } = node(join(packed, 'bin/almanac.cjs'), '--version')
  expect({ stderr, stdout }).toEqual({ stderr: '', stdout: `${manifest.version}\n` })
})
