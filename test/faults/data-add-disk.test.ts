import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Project } from '../cli/almanac.ts'

const bin = fileURLToPath(new URL('../../bin/almanac.cjs', import.meta.url))

let project: Project
beforeEach(async () => {
  project = await Project.make()
  mkdirSync(join(project.folder, '.almanac'))
  mkdirSync(join(project.folder, 'raw'))
  writeFileSync(join(project.folder, 'raw/a'), 'kept\n')
  writeFileSync(join(project.folder, 'large'), Buffer.alloc(4 << 20, 'large'))
})
afterEach(() => project.remove())

/** Runs lines of a shell in the project, where `add` is `almanac data add`, and `said` the error's code or what there is. */
function shell(unshared: readonly string[], lines: string): string[] {
  const words = `
    almanac() { "$NODE" "$BIN" "$@" --json; }
    add() { almanac data add "$@" | "$NODE" -e 'for (const line of require("fs").readFileSync(0, "utf8").trim().split("\\n")) { const { code, dataset, version } = JSON.parse(line); console.log(code ?? dataset + "@" + version) }'; }
    ${lines}`
  const [command = 'sh', ...args] = [...unshared, 'sh', '-c', words]
  const { stdout } = spawnSync(command, args, {
    cwd: project.folder,
    encoding: 'utf8',
    env: { ...process.env, NODE: process.execPath, BIN: bin },
  })
  return stdout.trim().split('\n')
}

const mayMount = (): readonly string[] | undefined =>
  [['-m'], ['-rm']]
    .map((how) => ['unshare', ...how])
    .find(
      ([command = '', ...how]) =>
        spawnSync(command, [...how, 'sh', '-c', 'mount -t tmpfs tmpfs /mnt']).status === 0,
    )

it('what does not fit on the disk is no version, nothing of it is taken from its place, and what fits goes on', () => {
  const unshared = mayMount()
  // a limit on the size of files stands in for a small disk; its unit is 512 bytes
  const small = unshared === undefined ? 'ulimit -f 4096' : 'mount -t tmpfs -o size=2m tmpfs .almanac'
  const said = shell(
    unshared ?? [],
    `${small}
    add raw raw --managed
    mv large raw/large
    add raw raw --managed
    add kept raw --keep
    ${unshared === undefined ? '' : 'add moved raw --move'}
    ls raw
    mv raw/large large
    echo more > raw/b
    add raw raw --managed
    cat data/main/raw/a data/main/raw/b`,
  )
  const full = 'ALM_STORE_FULL'
  expect(said).toEqual([
    'raw@1',
    full,
    full,
    ...(unshared === undefined ? [] : [full]),
    'a',
    'large',
    'raw@2',
    'kept',
    'more',
  ])
  expect(readdirSync(project.folder)).toContain('large')
})

it('where nothing can be written nothing is added, and nothing is taken from its place', () => {
  const unshared = mayMount()
  // who may not mount is not root, whom modes do not stop
  const frozen =
    unshared === undefined
      ? 'chmod -R a-w .almanac'
      : 'mount --bind .almanac .almanac && mount -o remount,bind,ro .almanac'
  const said = shell(
    unshared ?? [],
    `add raw raw --managed
    ${frozen}
    echo more > raw/b
    for how in --external --keep --managed --move; do add raw raw $how; done
    ls raw
    cat data/main/raw/a
    ${unshared === undefined ? 'chmod -R u+w .almanac' : 'umount .almanac'}
    add raw raw --managed`,
  )
  const refused = 'ALM_JOURNAL_READ_ONLY'
  expect(said).toEqual(['raw@1', refused, refused, refused, refused, 'a', 'b', 'kept', 'raw@2'])
})
