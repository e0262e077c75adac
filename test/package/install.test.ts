import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { removeTree } from '../../src/data/files/remove-tree.ts'

const root = join(import.meta.dirname, '../..')

let folder: string
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'almanac-install-')))
})
afterEach(() => removeTree(folder))

/** As somebody has it who is in an empty directory, with this very Node. */
function ran(program: string, ...args: string[]) {
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH: path, NO_COLOR: '1' },
  })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

test('what npm packs is installed by npm into an empty directory, and begins and runs a project there', () => {
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: root })
  const [tarball = ''] = readdirSync(folder)
  ran('npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', `./${tarball}`)
  ran('npx', 'almanac', 'init')
  const result = JSON.parse(
    ran('npx', 'almanac', 'run', 'pipeline.ts', '--input', 'texts=texts', '--json')
      .trim()
      .split('\n')
      .at(-1) ?? '',
  ) as Record<string, unknown>
  expect([result['state'], result['executed'], result['reused']]).toEqual(['succeeded', 3, 0])
  expect(readFileSync(join(folder, 'data/main/pipeline/report.md'), 'utf8')).toMatch(/^2 texts, \d+ words\n$/)
}, 600_000)
