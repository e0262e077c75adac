import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { removeTree } from '../../src/data/files/remove-tree.ts'

const root = join(import.meta.dirname, '../..')

let folder: string
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'almanac-pip-')))
  // a checkout in which pip may leave what it likes
  const checkout = join(folder, 'checkout')
  mkdirSync(checkout)
  for (const name of ['bin', 'dist', 'node_modules']) symlinkSync(join(root, name), join(checkout, name))
  cpSync(join(root, 'pyproject.toml'), join(checkout, 'pyproject.toml'))
  cpSync(join(root, 'python'), join(checkout, 'python'), {
    recursive: true,
    filter: (path) => !/\/(build|__pycache__|[^/]+\.egg-info)$/.test(path),
  })
  mkdirSync(join(folder, 'project'))
})
afterEach(() => removeTree(folder))

/** As somebody has it who is in an empty directory and has not activated the environment. */
function ran(program: string, ...args: string[]): string {
  const PATH = `${dirname(process.execPath)}:/usr/bin:/bin`
  const { HOME } = process.env
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: join(folder, 'project'),
    encoding: 'utf8',
    env: { ...(HOME !== undefined && { HOME }), PATH, NO_COLOR: '1', PIP_DISABLE_PIP_VERSION_CHECK: '1' },
  })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout.trim()
}

const flow = `
import sys
from almanac import run, task, workflow

@task
def where(n: int) -> str:
    return sys.prefix

@workflow
async def main(n: int = 1):
    return [await where(n), sys.prefix]

if __name__ == "__main__":
    done = run(main, n=4)
    print(done.executed, *done.output)
`

test.each(['checkout', 'checkout/python'])(
  'what pip installs from %s finds its engine, and workflows live in the environment that asks',
  (given) => {
    const python = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' })
    ran(python.stdout.trim(), '-m', 'venv', '.venv')
    const venv = join(folder, 'project/.venv')
    ran(join(venv, 'bin/python'), '-m', 'pip', 'install', '--quiet', join(folder, given))
    writeFileSync(join(folder, 'project/flow.py'), flow)
    expect(ran(join(venv, 'bin/python'), 'flow.py')).toBe(`1 ${venv} ${venv}`)
    const told = ran(join(venv, 'bin/almanac'), 'run', 'flow.py', '--json')
    expect(JSON.parse(told.split('\n').at(-1) ?? '')).toMatchObject({
      state: 'succeeded',
      output: [venv, venv],
    })
  },
  600_000,
)
