import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Project } from '../cli/almanac.ts'

const bin = fileURLToPath(new URL('../../bin/almanac.cjs', import.meta.url))

/** How a namespace with mounts of its own is had here; undefined where nobody may mount. */
const unshared = [['-m'], ['-rm']].find(
  (how) => spawnSync('unshare', [...how, 'sh', '-c', 'mount -t tmpfs tmpfs /dev/shm']).status === 0,
)

let project: Project
beforeEach(async () => {
  project = await Project.make({
    'steps.py': `
from almanac import task, workflow


@task
def speak(lines: int) -> bytes:
    for line in range(lines):
        print(line, "x" * 100)
    return b"x" * 300_000


@task
def size(it: bytes) -> int:
    return len(it)


@task
def chat(lines: int) -> int:
    for line in range(lines):
        print(line, "ü" * 100)
    return lines


@workflow
def talk():
    return size(speak(2000))


@workflow
def chatter():
    return chat(2000)
`,
  })
  mkdirSync(join(project.folder, 'small'))
})
afterEach(() => project.remove())

/** The last line that a run prints as JSON, after these lines of a shell. */
function run(lines: string, workflow = 'talk'): Record<string, unknown> {
  const script = `${lines}\n"$NODE" "$BIN" run steps.py:${workflow} --json`
  const [command, ...args] = [...(unshared === undefined ? [] : ['unshare', ...unshared]), 'sh', '-c', script]
  const { stdout } = spawnSync(command as string, args, {
    cwd: project.folder,
    encoding: 'utf8',
    env: { ...process.env, NODE: process.execPath, BIN: bin },
  })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>
}

const fill = (place: string): string => `head -c 9000000 /dev/zero >${place}/ballast 2>/dev/null`

it.each([
  ['is full', `mount -t tmpfs -o size=64k tmpfs /dev/shm; ${fill('/dev/shm')}`],
  ['takes no more files', 'mount -t tmpfs -o nr_inodes=2 tmpfs /dev/shm; : >/dev/shm/ballast'],
  ['is read-only', 'mount -t tmpfs -o ro tmpfs /dev/shm'],
])('shared memory that %s is not needed: what tasks print and give goes by the disk', (_, mount) => {
  expect(run(unshared === undefined ? '' : mount)).toMatchObject({ state: 'succeeded', output: 300_000 })
})

// where nobody may mount, the executor's own tests say what holds of places that take nothing
if (unshared !== undefined)
  it('with shared memory and the disk full it is said which, how much there was to write and what helps', () => {
    const both = `
    mount -t tmpfs -o size=64k tmpfs /dev/shm; ${fill('/dev/shm')}
    mount -t tmpfs -o size=400k tmpfs small; head -c 100000 /dev/zero >small/ballast; export TMPDIR=$PWD/small`
    expect(run(both)['error']).toMatchObject({
      code: 'ALM_STORE_FAILED',
      message: expect.stringMatching(
        /^\/dev\/shm \(0 bytes free\) and .*\/small \([\d.]+ KiB free\): a result of 293 KiB cannot be written there: .*No space left on device.*; make room there, or set TMPDIR to a directory that has some\.$/,
      ),
    })
  })

if (unshared !== undefined)
  it('with shared memory and the disk full no print fails, and what is printed is in the log all the same', async () => {
    const both = `
    mount -t tmpfs -o size=64k tmpfs /dev/shm; ${fill('/dev/shm')}
    mount -t tmpfs -o size=100k tmpfs small; export TMPDIR=$PWD/small`
    expect(run(both, 'chatter')).toMatchObject({ state: 'succeeded', output: 2000 })
    const { stdout } = await project.run('logs', 'last', 'chat')
    const lines = Array.from({ length: 2000 }, (_, line) => `${line} ${'ü'.repeat(100)}`)
    expect(lines.filter((line) => !stdout.includes(line))).toEqual([])
  })
