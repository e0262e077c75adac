import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Project } from '../cli/almanac.ts'

const bin = fileURLToPath(new URL('../../bin/almanac.cjs', import.meta.url))

/** Files of 64 KiB and what is made of them; between, a task changes the disk: fills it, or makes it read only. */
const workflow = `
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { file, json, task, type TaskContext, workflow } from 'almanac'
export const make = task('make', { output: { text: file() } }, (n: number, { out }: TaskContext) => {
  appendFileSync('log', 'make ' + n + '\\n')
  writeFileSync(out['text'] as string, String(n).repeat(65536))
})
export const harm = task('harm', { cache: false }, (_: unknown) => {
  if (existsSync('well')) return
  if (process.env['BROKEN_DISK'] !== undefined) writeFileSync('.almanac/broken', '')
  else if (process.env['HARM'] === 'full') {
    try { for (let i = 0; ; i++) writeFileSync('.almanac/ballast' + i, Buffer.alloc(4096)) } catch {}
  } else execFileSync('sh', ['-c', 'mount --bind .almanac .almanac && mount -o remount,bind,ro .almanac'])
})
export const size = task('size', (text: { size: number }) => text.size)
export default workflow('fills', async () => {
  const first = await make(1).text
  await harm(first)
  return [size(first), size(make(2).text), size(make(3).text)]
})
`

let project: Project
beforeEach(async () => {
  project = await Project.make({ 'fills.ts': workflow })
  mkdirSync(join(project.folder, '.almanac'))
  mkdirSync(join(project.folder, 'saved'))
})
afterEach(() => project.remove())

type Harm = 'full' | 'read-only'

interface Ran {
  readonly code: number | null
  readonly error: Record<string, unknown>
  readonly stderr: string
}

/** How a namespace with disks of its own is had here; undefined where nobody may mount. */
function namespace(): readonly string[] | undefined {
  for (const how of [['-m'], ['-rm']])
    if (spawnSync('unshare', [...how, 'sh', '-c', 'mount -t tmpfs tmpfs /mnt']).status === 0) return how
  return undefined
}

/**
 * The run on a disk of its own, which lives as long as the namespace that it is mounted in: its content is saved
 * before. Afterwards the same run goes on with what was saved, on the disk of the machine.
 */
function runOnDisk(harm: Harm, own: readonly string[]): Ran {
  const script = `
mount -t tmpfs -o size=3m tmpfs .almanac || exit 99
"$0" "$1" run fills.ts --json >out; code=$?
rm -f .almanac/ballast*
cp -a .almanac/. saved/
exit $code`
  const { status, stderr } = spawnSync('unshare', [...own, 'sh', '-c', script, process.execPath, bin], {
    cwd: project.folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', HARM: harm },
  })
  return { code: status, error: lastPrinted(), stderr }
}

/** The run in processes whose writes to the disk fail as they would on such a disk. */
function runWithFailingWrites(harm: Harm): Ran {
  const disk = join(project.folder, '.almanac')
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, 'run', 'fills.ts', '--json'], {
    cwd: project.folder,
    encoding: 'utf8',
    env: {
      ...process.env,
      NO_COLOR: '1',
      HARM: harm,
      BROKEN_DISK: disk,
      NODE_OPTIONS: `--import ${new URL('broken-disk.mjs', import.meta.url).href}`,
    },
  })
  writeFileSync(join(project.folder, 'out'), stdout)
  rmSync(join(disk, 'broken'), { force: true })
  cpSync(disk, join(project.folder, 'saved'), { recursive: true, preserveTimestamps: true })
  return { code: status, error: lastPrinted(), stderr }
}

function lastPrinted(): Record<string, unknown> {
  const printed = spawnSync('tail', ['-n', '1', 'out'], { cwd: project.folder, encoding: 'utf8' }).stdout
  return JSON.parse(printed) as Record<string, unknown>
}

const own = namespace()

const harms = [
  ['full', /^The disk is full: .*\/\.almanac\/.+\.$/, /^ALM_(STORE|JOURNAL)_FULL$/, /^Free some space/],
  [
    'read-only',
    /\/\.almanac\/.+ cannot be written: .+\.$/,
    /^ALM_(STORE|JOURNAL)_READ_ONLY$/,
    /^Give this user the right to write there/,
  ],
] as const

/** The same twice: where nobody may mount, the first must do without. */
const ways = [
  ['a disk', own === undefined ? runWithFailingWrites : (harm: Harm) => runOnDisk(harm, own)],
  ['a store', runWithFailingWrites],
] as const

it.each(ways.flatMap(([what, run]) => harms.map((harm) => [what, ...harm, run] as const)))(
  '%s that is %s during a run is said so; the run goes on when it is well again',
  async (_, harm, message, code, hint, run) => {
    const ran = run(harm)
    const error = (ran.error['error'] ?? ran.error) as Record<string, unknown>
    expect({ code: ran.code, error, stderr: ran.stderr }).toMatchObject({
      code: 1,
      error: {
        code: expect.stringMatching(code),
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      },
    })
    const store = join(project.folder, '.almanac')
    // what is sealed is put aside: only root could write over it
    if (existsSync(store)) renameSync(store, `${store}-broken`)
    cpSync(join(project.folder, 'saved'), store, { recursive: true, preserveTimestamps: true })
    await project.write({ well: '' })
    const { state, output, error: left } = await project.json('resume', 'last')
    expect({ state, output, left }).toEqual({ state: 'succeeded', output: [65536, 65536, 65536], left: null })
  },
)

it('what lies on a disk that is full to the last byte is shown as before', async () => {
  await project.write({ well: '' })
  await project.json('run', 'fills.ts')
  const shows = [['runs'], ['status'], ['show', 'last'], ['why', 'last', 'size'], ['logs', 'last']]
  // no file may become longer: nothing beside the journal can be made
  const full = (words: readonly string[]) =>
    spawnSync('sh', ['-c', 'ulimit -f 0; exec "$0" "$@"', process.execPath, bin, ...words], {
      cwd: project.folder,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    })
  for (const words of shows) {
    const { code, stdout, stderr } = await project.run(...words)
    const shown = full(words)
    expect({ code: shown.status, stdout: shown.stdout, stderr: shown.stderr }).toEqual({
      code,
      stdout,
      stderr,
    })
  }
  const { status, stderr } = full(['gc'])
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: expect.stringMatching(
      /^error The disk is full: .+ \[ALM_(STORE|JOURNAL)_FULL\]\n +Free some space/,
    ),
  })
})

it('runs are removed and content is collected on a disk that is full to the last byte', async () => {
  await project.write({ well: '' })
  // where nobody may mount, one that is not full
  const script = `
${own === undefined ? '' : 'mount -t tmpfs -o size=4m tmpfs .almanac || exit 99'}
"$0" "$1" run fills.ts >out 2>&1 || exit 98
mkdir -p .almanac/code/compiled && head -c 1000000 /dev/zero >.almanac/code/compiled/steps.pyc
${own === undefined ? '' : 'cat /dev/zero >.almanac/ballast 2>/dev/null'}
"$0" "$1" rm last && "$0" "$1" cache rm --all && "$0" "$1" gc && "$0" "$1" runs`
  const [program = 'sh', ...words] = own === undefined ? ['sh'] : ['unshare', ...own, 'sh']
  const { status, stdout, stderr } = spawnSync(program, [...words, '-c', script, process.execPath, bin], {
    cwd: project.folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  })
  expect({ status, stderr, lines: stdout.split('\n') }).toEqual({
    status: 0,
    stderr: '',
    lines: [
      expect.stringMatching(/^Removed \w+\.$/),
      'Removed 3 kept results of 15 B.',
      'almanac gc frees what nothing else needs.',
      'kept         0 files, 0 B',
      'unreachable  3 files, 192.0 KiB',
      'set aside    0; a later round deletes them',
      'deleted      0, 0 B freed',
      'No runs yet: almanac run FILE',
      '',
    ],
  })
})
