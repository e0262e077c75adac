import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Project } from './almanac.ts'

let project: Project
let raw: string

beforeEach(async () => {
  project = await Project.make()
  raw = join(project.folder, 'raw')
  mkdirSync(join(raw, 'sub', 'empty'), { recursive: true })
  for (const name of ['a', 'b', 'sub/c']) put(name, `content of ${name}\n`)
})

afterEach(async () => {
  await project.remove()
})

const put = (name: string, text: string): void => writeFileSync(join(raw, name), text)

/** What a command says with `--json`, line by line. */
async function said(...args: string[]): Promise<Record<string, unknown>[]> {
  const { stdout, stderr, code } = await project.run(...args, '--json')
  if (code !== 0) throw new Error(`${args.join(' ')}: ${code} ${stderr} ${stdout}`)
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

const failed = async (...args: string[]): Promise<unknown> => {
  const { stdout, code } = await project.run(...args, '--json')
  const error = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { code: string; message: string }
  return [code, error.code, error.message.replaceAll(realpathSync(project.folder), '')]
}

/** Exit code and code of the error. */
const refusal = async (...args: string[]): Promise<unknown> =>
  ((await failed(...args)) as unknown[]).slice(0, 2)

const shown = (...path: string[]): string => join(project.folder, 'data', 'main', ...path)

it('adds, lists, compares, writes and forgets versions of a managed dataset', async () => {
  expect(await said('data', 'add', 'obs/raw', 'raw', '--managed')).toMatchObject([
    { kind: 'version', dataset: 'obs/raw', version: 1, parent: 0, files: 3, unchanged: false, leftOut: 0 },
  ])
  expect(await said('data', 'add', 'obs/raw', 'raw', '--managed')).toMatchObject([
    { version: 1, unchanged: true },
  ])
  put('a', 'changed\n')
  put('new\nline', 'x')
  expect(await said('data', 'add', 'obs/raw', 'raw', '--managed')).toMatchObject([{ version: 2, files: 4 }])

  expect(lstatSync(shown('obs', 'raw')).isSymbolicLink()).toBe(true)
  expect(readFileSync(shown('obs', 'raw', 'a'), 'utf8')).toBe('changed\n')
  expect(readdirSync(shown('obs', 'raw', 'sub'))).toEqual(['c', 'empty'])

  expect((await said('data', 'ls')).map(({ kind, name, version }) => [kind, name, version])).toEqual([
    ['dataset', 'obs/raw', 2],
  ])
  expect((await said('data', 'ls', 'obs/raw')).map(({ path }) => path)).toEqual([
    'a',
    'b',
    'new\nline',
    'sub/c',
    'sub/empty',
  ])
  expect((await said('data', 'ls', 'obs/raw@1', 'sub')).map(({ path }) => path)).toEqual(['c', 'empty'])
  expect((await project.run('data', 'ls', 'obs/raw')).stdout.split('\n')).toHaveLength(6)

  const log = await said('data', 'log', 'obs/raw')
  expect(log.map(({ version, maker, files }) => [version, maker, files])).toEqual([
    [2, 'data add', 4],
    [1, 'data add', 3],
  ])
  const changes = [
    ['change', 'changed', 'a'],
    ['change', 'added', 'new\nline'],
    ['diff', undefined, undefined],
  ]
  for (const args of [['obs/raw@1..2'], ['obs/raw@1', 'obs/raw@2']])
    expect(
      (await said('data', 'diff', ...args)).map(({ kind, change, path }) => [kind, change, path]),
    ).toEqual(changes)

  await said('data', 'get', 'obs/raw@1', 'old')
  expect(readFileSync(join(project.folder, 'old', 'a'), 'utf8')).toBe('content of a\n')
  expect(readdirSync(join(project.folder, 'old', 'sub', 'empty'))).toEqual([])
  await said('data', 'get', 'obs/raw', 'part', '--path', 'sub')
  expect(readdirSync(join(project.folder, 'part'))).toEqual(['c', 'empty'])

  await said('data', 'rm', 'obs/raw@2')
  expect(readFileSync(shown('obs', 'raw', 'a'), 'utf8')).toBe('content of a\n')
  await said('data', 'rm', 'obs/raw')
  expect(existsSync(shown('obs'))).toBe(false)
  expect(await failed('data', 'log', 'obs/raw')).toEqual([2, 'ALM_DATA_UNKNOWN', 'There is no data obs/raw.'])
})

it('leaves an external dataset where it is, and says when an old version is gone', async () => {
  await said('data', 'add', 'raw', 'raw', '--exclude', 'b')
  expect(existsSync(shown('raw'))).toBe(false)
  expect(await refusal('data', 'add', 'file', 'raw/a')).toEqual([2, 'ALM_USAGE'])
  put('a', 'changed\n')
  await said('data', 'add', 'raw', 'raw', '--exclude', 'b')
  expect(await failed('data', 'get', 'raw@1', 'old')).toEqual([
    1,
    'ALM_VERSION_GONE',
    'Version 1 of dataset raw can no longer be read: /raw/a has changed since it was read.',
  ])
  expect(existsSync(join(project.folder, 'old'))).toBe(false)
  await said('data', 'get', 'raw@2', 'new')
  expect(readdirSync(join(project.folder, 'new'))).toEqual(['a', 'sub'])

  await said('data', 'add', 'kept', 'raw', '--keep')
  put('a', 'changed again\n')
  await said('data', 'get', 'kept@1', 'kept')
  expect(readFileSync(join(project.folder, 'kept', 'a'), 'utf8')).toBe('changed\n')
})

it('leaves out files that may not be complete, and names them', async () => {
  const old = new Date('2020-01-01')
  const later = new Date(Date.now() + 3_600_000)
  for (const name of ['a', 'b', 'sub/c']) utimesSync(join(raw, name), old, old)
  utimesSync(join(raw, 'b'), later, later)
  // they have just been made, whatever their times of change say
  const young = ['a', 'b', 'sub/c'].map((name) => ({ kind: 'left-out', path: join(realpathSync(raw), name) }))
  const lines = await said('data', 'add', 'raw', 'raw', '--settle', '1h')
  expect(lines.slice(0, -1).toSorted((a, b) => (String(a['path']) < String(b['path']) ? -1 : 1))).toEqual(
    young,
  )
  expect(lines.at(-1)).toMatchObject({ files: 0, leftOut: 3 })
  expect(await said('data', 'add', 'raw', 'raw', '--settle', '0s')).toMatchObject([{ files: 3, leftOut: 0 }])
  expect(await refusal('data', 'add', 'raw', 'raw', '--settle', 'soon')).toEqual([2, 'ALM_USAGE'])
})

it('moves what is its owner’s to give away', async () => {
  await said('data', 'add', 'moved', 'raw', '--move')
  expect(existsSync(raw)).toBe(false)
  expect(readFileSync(shown('moved', 'a'), 'utf8')).toBe('content of a\n')
  writeFileSync(join(project.folder, 'one'), '1')
  await said('data', 'add', 'single', 'one', '--move')
  expect(readdirSync(shown('single'))).toEqual(['one'])
  expect(await refusal('data', 'add', 'none', 'nothing', '--move')).toEqual([1, 'ALM_INPUT_MISSING'])
})

it.each([
  ['--include', '*.nc'],
  ['--exclude', 'b'],
  ['--settle', '10m'],
])('moves nothing where only a part is meant: %s', async (...flag) => {
  expect(await failed('data', 'add', 'moved', 'raw', '--move', ...flag)).toEqual([
    2,
    'ALM_USAGE',
    `--move and ${flag[0]} exclude each other: all that lies there is moved; --managed copies a part`,
  ])
  expect(readdirSync(raw)).toEqual(['a', 'b', 'sub'])
})

it('does not move a project with what Almanac keeps in it, nor takes an empty path for the directory it is in', async () => {
  await said('data', 'add', 'raw', 'raw')
  expect(await refusal('data', 'add', 'all', '.', '--move')).toEqual([1, 'ALM_PATH_REFUSED'])
  expect(await refusal('data', 'add', 'all', '.almanac', '--managed')).toEqual([1, 'ALM_PATH_REFUSED'])
  expect(await failed('data', 'add', 'all', '')).toEqual([2, 'ALM_USAGE', 'the path is empty'])
  expect(readdirSync(raw)).toEqual(['a', 'b', 'sub'])
})

it('runs no command for a version whose files are others by now', async () => {
  await said('data', 'add', 'raw', 'raw')
  put('a', 'changed\n')
  const { stdout, code } = await project.run(
    ...['data', 'watch', 'raw', '--since', '0', '--once', '--json', '--exec', 'touch ran'],
  )
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect([code, lines.map(({ kind, version }) => [kind, version])]).toEqual([
    1,
    [
      ['version', 1],
      ['not-run', 1],
    ],
  ])
  expect(lines[1]).toMatchObject({ code: 'ALM_VERSION_GONE', dataset: 'raw' })
  expect(existsSync(join(project.folder, 'ran'))).toBe(false)
})

it('refuses what cannot be a dataset, and names it', async () => {
  for (const name of ['../x', '/x', 'a/../b', 'a\nb', '.x', 'x@1'])
    expect(await refusal('data', 'add', name, 'raw')).toEqual([1, 'ALM_DATASET_NAME'])
  symlinkSync('/etc', join(raw, 'out'))
  expect(await failed('data', 'add', 'raw', 'raw', '--managed')).toEqual([
    1,
    'ALM_PATH_REFUSED',
    '/raw/out cannot be part of a directory: it is an absolute link.',
  ])
  await said('data', 'add', 'raw', 'raw', '--managed', '--exclude', 'out')
  expect(await refusal('data', 'add', 'RAW', 'raw', '--exclude', 'out')).toEqual([1, 'ALM_DATASET_NAME'])
  expect(await refusal('data', 'add', 'raw/x', 'raw', '--exclude', 'out')).toEqual([1, 'ALM_DATASET_NAME'])
  mkdirSync(shown('taken'))
  expect(await failed('data', 'add', 'taken', 'raw', '--managed', '--exclude', 'out')).toEqual([
    2,
    'ALM_TARGET_EXISTS',
    '/data/main/taken exists already.',
  ])
  expect(await refusal('data', 'log', 'taken')).toEqual([2, 'ALM_DATA_UNKNOWN'])
  expect(await refusal('data', 'diff', 'raw@1..x')).toEqual([2, 'ALM_USAGE'])
  expect(await refusal('data', 'add', 'raw', 'raw', '--keep', '--managed')).toEqual([2, 'ALM_USAGE'])
})

it('finds a managed file that somebody damaged, and restores or names it', async () => {
  await said('data', 'add', 'obs', 'raw', '--managed')
  const findings = async () => {
    const { stdout, code } = await project.run('doctor', '--data', '--json')
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { what: string; says: string })
    return [code, lines.filter(({ what }) => what === 'restored' || what === 'lost').map(({ says }) => says)]
  }
  const damage = (name: string): void => {
    const path = realpathSync(shown('obs', name))
    chmodSync(path, 0o644)
    writeFileSync(path, 'damaged')
  }
  expect(await findings()).toEqual([0, []])
  damage('a')
  // it is still where it was added from
  expect(await findings()).toEqual([1, ['obs@1 a: its content was damaged, and is right again']])
  expect(readFileSync(shown('obs', 'a'), 'utf8')).toBe('content of a\n')
  expect(await findings()).toEqual([0, []])

  put('b', 'something else\n')
  damage('b')
  const [code, lost] = await findings()
  expect([code, (lost as string[])[0]]).toEqual([1, 'obs@1 b: its content was damaged'])
})

it('runs a command for each new version', async () => {
  await said('data', 'add', 'obs', 'raw', '--managed')
  const command = 'cat "$ALMANAC_PATH/a" > seen; echo "$ALMANAC_DATASET $ALMANAC_VERSION" >> seen'
  const once = ['data', 'watch', 'obs', '--once', '--since', '0', '--exec']
  expect(await said(...once, command)).toMatchObject([
    { kind: 'version', dataset: 'obs', version: 1 },
    { kind: 'exec', version: 1, code: 0 },
  ])
  expect(readFileSync(join(project.folder, 'seen'), 'utf8')).toBe('content of a\nobs 1\n')
  expect((await project.run(...once, 'exit 3')).code).toBe(1)

  // one that is not there is a mistake, unless it is to come
  const unknown = await project.run('data', 'watch', 'nope', '--since', '0')
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('There is no data nope.') })
  const waiting = project.start(
    'data',
    'watch',
    'late',
    '--wait',
    '--since',
    '0',
    '--once',
    '--every',
    '50ms',
    '--json',
  )
  await said('data', 'add', 'late', 'raw', '--managed')
  expect((await waiting.ended).stdout).toContain('"version":1')

  // a directory that is scanned is looked at, and what comes while it is watched is told
  await said('data', 'add', 'growing', 'raw')
  const watching = project.start(
    'data',
    'watch',
    'growing',
    '--once',
    '--since',
    '1',
    '--every',
    '50ms',
    '--json',
  )
  put('d', 'new\n')
  expect((await watching.ended).stdout).toContain('"version":2')

  // who only tells ends with whoever reads it
  const unread = project.start('data', 'watch', 'growing', '--since', '1', '--every', '50ms')
  await unread.saw(/growing@2/)
  unread.child.stdout.destroy()
  put('e', 'newer\n')
  expect((await unread.ended).code).toBe(0)
})

it('stops the command that it runs with all that this has begun, and kills it when told again', async () => {
  await said('data', 'add', 'obs', 'raw', '--managed')
  const watching = (command: string) =>
    project.start('data', 'watch', 'obs', '--since', '0', '--exec', command)
  // the shell waits for a program of its own, which holds our standard error open
  const heeds = watching('touch heeds; sleep 1000; true')
  await project.there('heeds')
  heeds.child.kill('SIGTERM')
  expect((await heeds.ended).code).toBe(0)

  const ignores = watching('trap "" TERM; touch ignores; sleep 1000; true')
  await project.there('ignores')
  const again = () => ignores.child.kill('SIGTERM') && ignores.child.exitCode
  // what comes within a tenth of a second is the same request
  await expect.poll(again, { interval: 200 }).toBe(false)
  expect((await ignores.ended).code).toBe(0)
})

it('finds files of outputs by names with an "@"', async () => {
  await project.write({
    'images.ts': `
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dir, task, type TaskContext, workflow } from 'almanac'
export const draw = task('draw', { output: { plots: dir() } }, (_: object, { out }: TaskContext) => {
  mkdirSync(out.plots, { recursive: true })
  for (const name of ['img@2x.png', 'img@1']) writeFileSync(join(out.plots, name), name)
})
export default workflow('images', async () => ({ plots: draw({}).plots }))
`,
  })
  await said('run', 'images.ts')
  for (const name of ['img@2x.png', 'img@1']) {
    expect((await said('data', 'get', `images/plots/${name}`, 'got')).at(-1)).toMatchObject({
      kind: 'written',
    })
    expect(readFileSync(join(project.folder, 'got'), 'utf8')).toBe(name)
    rmSync(join(project.folder, 'got'))
  }
  expect(await refusal('data', 'get', 'images/plots/img@x', 'other')).toEqual([2, 'ALM_USAGE'])
  expect(await refusal('data', 'get', 'images/plots/img@7', 'other')).toEqual([2, 'ALM_DATA_UNKNOWN'])
})
