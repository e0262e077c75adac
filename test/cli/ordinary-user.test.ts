import { spawnSync } from 'node:child_process'
import { chown, lstat, mkdir, mkdtemp, readdir, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { removeTree } from '../../src/data/files/remove-tree.ts'

const bin = fileURLToPath(new URL('../../bin/almanac.cjs', import.meta.url))
const isRoot = process.getuid?.() === 0
/** whom a permission binds: the superuser may write and move what nobody else may */
const nobody = isRoot ? { uid: 65534, gid: 65534 } : {}

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-user-'))
  if (isRoot) await chown(folder, 65534, 65534)
})

afterEach(() => removeTree(folder))

function almanac(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', HOME: folder, TMPDIR: folder },
    ...nobody,
  })
  return { code: status, said: stdout + stderr }
}

it('a user who is not root runs the first pipeline, shows a new version of it, and clears it away', async () => {
  expect(almanac('init')).toMatchObject({ code: 0 })
  expect(almanac('run', 'pipeline.ts', '--input', 'texts=texts').said).toContain('3 executed')
  await writeFile(join(folder, 'texts/three.txt'), 'more words\n')
  expect(almanac('run', 'pipeline.ts', '--input', 'texts=texts').said).toContain('2 executed · 2 reused')
  const shown = join(folder, 'data/main/pipeline')
  expect(await readdir(`${shown}/`)).toEqual(['report.md'])
  // what is shown is read only, whoever looks
  expect((await lstat(`${shown}/.`)).mode & 0o777).toBe(0o555)
  const removed = almanac('rm', 'last')
  expect(removed.code).toBe(0)
  expect(almanac('gc')).toMatchObject({ code: 0 })
  expect(almanac('doctor', '--data')).toMatchObject({ code: 0 })
})

it('a project that belongs to somebody else is looked at, configuration and all', async () => {
  almanac('init')
  almanac('run', 'pipeline.ts', '--input', 'texts=texts')
  const home = join(folder, '.almanac')
  const all = (mode: string) => spawnSync('chmod', ['-R', mode, home])
  // what is known of the configuration is to be refreshed
  await utimes(join(folder, 'almanac.config.ts'), 0, 0)
  all('a-w')
  for (const args of [['runs'], ['show', 'last'], ['logs', 'last'], ['data', 'ls'], ['gc', '--dry-run']])
    expect([args, almanac(...args).code]).toEqual([args, 0])
  expect(almanac('doctor')).toMatchObject({ code: 1, said: expect.stringMatching(/may not write there/) })
  expect(almanac('gc')).toMatchObject({ code: 1, said: expect.stringMatching(/\[ALM_\w+_READ_ONLY\]/) })
  all('u+w')
})

it('a directory without the right to write in it is told of by its path, with what to do', async () => {
  await mkdir(join(folder, 'closed'), { mode: 0o555 })
  const { code, said } = almanac('init', 'closed/project')
  expect(code).toBe(1)
  expect(said).toContain('closed/project')
  expect(said).toContain('permission denied')
  expect(said).not.toContain('Please report this')
})
