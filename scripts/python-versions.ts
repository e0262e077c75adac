import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { isDeepStrictEqual, promisify } from 'node:util'
import { flag } from './options/option.ts'
import { scriptOptions } from './options/script-options.ts'
import { fetchPython } from './pythons/fetch.ts'
import { releases } from './pythons/releases.ts'
import { root } from './source-files.ts'
import { fromUnittest } from './steps/counts.ts'

/**
 * Tests the Python package with versions of Python: its unit tests, and a small workflow from end to end. What the
 * machine lacks is fetched; where that cannot be, it is said, and that version is not tested.
 */

const run = promisify(execFile)
const flow = join(root, 'scripts/pythons/flow.py')
/** what `python flow.py` prints */
const expected = [
  true,
  { sums: [0, 0, 0.5], is: true, failed: ['ValueError', 'no 7'], all: [0.5] },
  ['1', '2'],
  [8, 0],
  85,
]

const versions = Object.keys(releases)
const { ends, words } = scriptOptions({
  command: 'npm run python-versions --',
  does: 'Tests the Python package with each version of Python, or those named; fetches what the machine lacks.',
  options: { ends: flag('only the oldest and the newest') },
  words: { shown: 'version', of: versions },
})
const tested = ends
  ? [versions[0], versions.at(-1)].filter((one) => one !== undefined)
  : words.length > 0
    ? words
    : versions

let passed = 0
let failed = 0
for (const version of tested) {
  let python: string
  try {
    python = (await ofMachine(version)) ?? (await fetchPython(version))
  } catch (error) {
    console.log(
      `Python ${version} is not here and could not be fetched, so it is not tested: ${saidBy(error)}`,
    )
    continue
  }
  await test(python)
}
if (passed + failed === 0) {
  console.log('None of them could be had, so the one that is here is tested')
  await test((await run('python3', ['-c', 'import sys; print(sys.executable)'])).stdout.trim())
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1

async function test(python: string): Promise<void> {
  const { stdout } = await run(python, ['-c', 'import sys; print(sys.version.split()[0])'])
  for (const [what, part] of [
    ['unit tests', unitTests],
    ['a workflow', workflow],
  ] as const) {
    const began = performance.now()
    const end = await part(python).catch((error: unknown) => ({ passed: 0, failed: 1, said: saidBy(error) }))
    passed += end.passed
    failed += end.failed
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    console.log(`Python ${stdout.trim()}: ${what}: ${end.passed} passed, ${end.failed} failed, ${seconds} s`)
    if (end.said !== undefined) console.log(end.said)
  }
}

interface End {
  readonly passed: number
  readonly failed: number
  readonly said?: string
}

/** One of the path, or of pyenv. */
async function ofMachine(version: string): Promise<string | undefined> {
  const pyenv = process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv')
  const question = 'import sys; print(sys.executable, "%d.%d" % sys.version_info[:2], sep="\\n")'
  for (const program of ['python3', `python${version}`]) {
    const env = { ...process.env, PYENV_ROOT: pyenv, PYENV_VERSION: version }
    // a version manager's script fails where it has no such version
    const { stdout } = await run(program, ['-c', question], { env }).catch(() => ({ stdout: '' }))
    const [python, found] = stdout.trim().split('\n')
    if (found === version) return python
  }
  return undefined
}

async function unitTests(python: string): Promise<End> {
  const args = [
    '-W',
    'ignore::ResourceWarning',
    '-m',
    'unittest',
    'discover',
    '-s',
    'tests',
    '-p',
    'test_*.py',
  ]
  const { stderr } = await run(python, args, { cwd: join(root, 'python'), env: surroundings(python) })
  return fromUnittest(stderr)
}

async function workflow(python: string): Promise<End> {
  const folder = mkdtempSync(join(tmpdir(), 'almanac-version-'))
  try {
    cpSync(flow, join(folder, 'flow.py'))
    writeFileSync(join(folder, 'package.json'), '{}')
    const { stdout } = await run(python, ['flow.py', folder], { cwd: folder, env: surroundings(python) })
    const said = stdout.trim().split('\n').at(-1) ?? ''
    if (isDeepStrictEqual(JSON.parse(said || 'null'), expected)) return { passed: 1, failed: 0 }
    return { passed: 0, failed: 1, said: `it gave ${said}, and not ${JSON.stringify(expected)}` }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function surroundings(python: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PATH: `${dirname(python)}${delimiter}${process.env['PATH']}`,
    PYTHONPATH: join(root, 'python'),
    PYTHONDONTWRITEBYTECODE: '1',
    ALMANAC_PYTHON: python,
    ALMANAC_COMMAND: `${process.execPath} ${join(root, 'bin/almanac.cjs')}`,
  }
}

function saidBy(error: unknown): string {
  const { stderr, message } = error as { readonly stderr?: string; readonly message: string }
  return (stderr?.trim() || message).slice(-4000)
}
