import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ensurePythonEnv } from '../src/executors/python/environment.ts'
import { filesBelow, root } from './source-files.ts'

/**
 * Checks the types of the Python package, of the examples' workflows, and of what checkers make of workflows
 * (`test/python-types/inferred.py`), by mypy and pyright.
 */

const run = promisify(execFile)
const checked = [
  'python/almanac',
  'test/python-types/inferred.py',
  // steps know nothing of Almanac, and their libraries are elsewhere
  ...filesBelow('examples', (path) => path.endsWith('.py')).filter((path) =>
    /^from almanac import/m.test(readFileSync(join(root, path), 'utf8')),
  ),
]

const { python } = await ensurePythonEnv({ requirements: join(root, 'test/python-types/requirements.txt') })
const cache = join(root, 'node_modules/.cache/mypy')
const pyright = fileURLToPath(import.meta.resolve('pyright/index.js'))
const tools: readonly (readonly [name: string, file: string, args: readonly string[]])[] = [
  [
    'mypy',
    python,
    ['-m', 'mypy', '--config-file', 'python/pyproject.toml', '--cache-dir', cache, ...checked],
  ],
  ['pyright', process.execPath, [pyright, '-p', 'test/python-types']],
]

const said = await Promise.all(
  tools.map(([name, file, args]) =>
    run(file, args, { cwd: root, env: { ...process.env, MYPYPATH: join(root, 'python') } }).then(
      ({ stdout }) => ({ name, isWell: true, text: stdout }),
      (error: { readonly stdout: string; readonly stderr: string; readonly message: string }) => ({
        name,
        isWell: false,
        text: `${error.stdout}${error.stderr}` || error.message,
      }),
    ),
  ),
)
for (const { name, text } of said) console.log(`${name}\n${text.trim()}`)
process.exitCode = said.every(({ isWell }) => isWell) ? 0 : 1
