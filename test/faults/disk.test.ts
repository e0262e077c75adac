import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync } from 'node:fs'
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
  if (process.env['HARM'] === 'full') {
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

/**
 * The run on a disk of its own, which lives as long as the namespace that it is mounted in: its content is saved
 * before. Afterwards the same run goes on with what was saved, on the disk of the machine.
 */
function runOnDisk(harm: 'full' | 'read-only'): {
  readonly code: number | null
  readonly error: Record<string, unknown>
  readonly stderr: string
} {
  const script = `
mount -t tmpfs -o size=3m tmpfs .almanac || exit 99
"$0" "$1" run fills.ts --json >out; code=$?
rm -f .almanac/ballast*
cp -a .almanac/. saved/
exit $code`
  const own = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0 ? ['-m'] : ['-rm']
  const { status, stderr } = spawnSync('unshare', [...own, 'sh', '-c', script, process.execPath, bin], {
    cwd: project.folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', HARM: harm },
  })
  const printed = spawnSync('tail', ['-n', '1', 'out'], { cwd: project.folder, encoding: 'utf8' }).stdout
  return { code: status, error: JSON.parse(printed) as Record<string, unknown>, stderr }
}

it.each([
  ['full', /^The disk is full: .*\/\.almanac\/.+\.$/, /^ALM_(STORE|JOURNAL)_FULL$/, /^Free some space/],
  [
    'read-only',
    /\/\.almanac\/.+ cannot be written: .+\.$/,
    /^ALM_(STORE|JOURNAL)_READ_ONLY$/,
    /^Give this user the right to write there/,
  ],
] as const)(
  'a disk that is %s during a run is said so; the run goes on when it is well again',
  async (harm, message, code, hint) => {
    const ran = runOnDisk(harm)
    const error = (ran.error['error'] ?? ran.error) as Record<string, unknown>
    expect({ code: ran.code, error, stderr: ran.stderr }).toMatchObject({
      code: 1,
      error: {
        code: expect.stringMatching(code),
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      },
    })
    cpSync(join(project.folder, 'saved'), join(project.folder, '.almanac'), {
      recursive: true,
      preserveTimestamps: true,
    })
    await project.write({ well: '' })
    const { state, output } = await project.json('resume', 'last')
    expect({ state, output }).toEqual({ state: 'succeeded', output: [65536, 65536, 65536] })
  },
)
