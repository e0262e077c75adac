import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { Project } from './almanac.ts'

const bin = fileURLToPath(new URL('../../bin/almanac.cjs', import.meta.url))

let project: Project

afterEach(() => project.remove())

const maps = `
import { dir, task, workflow } from 'almanac'
export const size = task('size', (f: { size: number }) => ({ size: f.size }))
export const sum = task('sum', (sizes: { size: number }[], label: { text: string }) => {
  console.log(label.text)
  return sizes.reduce((all, { size }) => all + size, 0)
})
export default workflow('maps', { input: { raw: dir() } }, async ({ raw }) => sum(size.map(raw).all(), { text: 'of all' }))
`

async function ranMaps(files: Readonly<Record<string, string>>): Promise<void> {
  project = await Project.make({ 'maps.ts': maps })
  mkdirSync(join(project.folder, 'raw'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project.folder, 'raw', name), text)
  expect((await project.run('run', 'maps.ts', '-i', 'raw=raw')).code).toBe(0)
}

/** In a namespace where something is mounted first; as any user, if the system lets them. */
function mounted(mount: string, ...args: string[]) {
  const own = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0 ? ['-m'] : ['-rm']
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    [...own, 'sh', '-c', `${mount} && exec "$0" "$@"`, process.execPath, bin, ...args],
    { cwd: project.folder, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } },
  )
  return { status, stdout, stderr }
}

it('graph goes through views to the tasks behind them; show gives values as people write them', async () => {
  await ranMaps({ a: 'a', b: 'bb' })
  expect((await project.run('graph', 'last')).stdout).toBe('maps\n  size × 2\n  sum  ← size\n')
  expect((await project.run('graph', 'last', '--mermaid')).stdout).toBe(
    'flowchart LR\n  t0["size × 2"]\n  t1["sum"]\n  t0 --> t1\n',
  )
  const show = async (task: string): Promise<string> =>
    (await project.run('show', 'last', task)).stdout
      .replace(/[\d.]+ m?s\b */g, 'T ')
      .replace(/[0-9a-f]{12}/g, 'D')
  expect(await show('size')).toBe(
    [
      'call  state               took                                   input',
      '0     succeeded executed  map: 2 run, 0 carried over, 0 removed  over raw (2 files, 3 B, D)',
      '3     succeeded executed  T raw/a (1 B, D)',
      '4     succeeded executed  T raw/b (2 B, D)',
      '',
    ].join('\n'),
  )
  expect(await show('sum')).toMatch(
    /^sum 2 succeeded executed T \n {2}in {7}maps\n {2}input {4}call 1, \{text: "of all"\}\n {2}output {3}3\n/,
  )
})

it('a dry run counts what a map would carry over', async () => {
  await ranMaps({ a: 'a', b: 'bb', c: 'c' })
  await project.write({ 'raw/d': 'new' })
  const { stdout } = await project.run('run', 'maps.ts', '-i', 'raw=raw', '--dry-run')
  expect(stdout).toBe(
    [
      'Would execute 1',
      '  size × 1 new',
      'Would reuse 3',
      'Unknown',
      '  sum × 1 until size has run',
      '  what the workflow does next until size has run',
      '',
    ].join('\n'),
  )
})

const groups = `
import { dir, json, script, workflow } from 'almanac'
const count = script.task({
  name: 'count',
  lang: 'sh',
  source: 'test ! -e "$ALMANAC_IN_day/tue-bad" || { sleep 0.2; exit 3; }; echo "{\\\\"n\\\\": 1}" > "$ALMANAC_RESULT"',
  input: { day: dir() },
  output: { n: json<number>() },
})
export default workflow('groups', { input: { raw: dir() } }, async ({ raw }) => count.map(raw, { by: /^[a-z]+/ }).n.all())
`

it('why of a map by group says how much is in a group; a call that failed says how long it took', async () => {
  project = await Project.make({ 'groups.ts': groups })
  mkdirSync(join(project.folder, 'raw'))
  await project.write({ 'raw/mon-a': 'a', 'raw/tue-b': 'bb', 'raw/tue-c': 'c' })
  await project.run('run', 'groups.ts', '-i', 'raw=raw')
  await project.write({ 'raw/tue-d': 'd' })
  await project.run('run', 'groups.ts', '-i', 'raw=raw')
  const why = (await project.run('why', 'last', 'count')).stdout.replace(/[0-9a-f]{12}/g, 'D')
  expect(why).toMatch(/ {4}executed {2}directory \(3 files, 4 B, D\) {2}no result of it was kept\n$/)
  await project.write({ 'raw/tue-bad': '' })
  await project.run('run', 'groups.ts', '-i', 'raw=raw')
  expect((await project.run('show', 'last', 'count')).stdout).toMatch(
    // since the engine heard that it began, which may be later on a busy machine
    /failed error +[1-9][\d.]* m?s +day=directory/,
  )
})

it('logs tell of events: of the workflow, and of the calls of a task', async () => {
  project = await Project.make({
    'told.ts': `
import { run, task, workflow } from 'almanac'
export const look = task('look', (n: number, { event, log }) => { log('looking'); event('seen', { n }) })
export default workflow('told', async () => {
  await look(1)
  run.event('begun', { scene: 'LC08', of: [1, 2] })
  await look(2)
})`,
  })
  await project.run('run', 'told.ts')
  const logs = async (...args: string[]) =>
    (await project.run('logs', 'last', ...args)).stdout.replace(/\d\d:[\d:.]+/g, 'T')
  expect(await logs()).toBe(
    'T look 0 looking\nT look 1 looking\nT look 0 seen n=1\nT told begun scene="LC08" of=[1, 2]\nT look 1 seen n=2\n',
  )
  expect(await logs('look')).toBe(
    'T look 0 looking\nT look 1 looking\nT look 0 seen n=1\nT look 1 seen n=2\n',
  )
  expect(await logs('1')).toBe('T look 1 looking\nT look 1 seen n=2\n')
})

it('why of a second map of one name compares it with the second one', async () => {
  project = await Project.make({
    'two.ts': `
import { command, dir, file, workflow } from 'almanac'
const copy = command.task({
  name: 'copy', run: ['cp', '{in.from}', '{out.to}'], input: { from: file() }, output: { to: file() },
})
export default workflow('two', { input: { one: dir(), two: dir() } }, async ({ one, two }) => {
  await copy.map(one).all()
  await copy.map(two).all()
})
`,
  })
  for (const name of ['one', 'two']) mkdirSync(join(project.folder, name))
  await project.write({ 'one/a': 'a', 'one/b': 'b', 'two/c': 'c' })
  const { id } = await project.json('run', 'two.ts', '-i', 'one=one', '-i', 'two=two')
  await project.write({ 'two/d': 'd' })
  await project.run('run', 'two.ts', '-i', 'one=one', '-i', 'two=two')
  const shown = (await project.run('show', 'last', 'copy', '--json')).stdout.trim().split('\n')
  const calls = shown.map((line) => JSON.parse(line) as { readonly call: number; readonly type: string })
  const second = calls.filter(({ type }) => type === 'map').at(-1)?.call
  expect((await project.run('why', 'last', String(second))).stdout.split('\n')).toEqual([
    `copy ${second} succeeded, a map:`,
    '  its entries: 1 executed, 1 carried over unseen: neither they nor the code changed, 0 removed',
    `  compared with run ${id}:`,
    '    executed  d  it was added',
    '',
  ])
})

it('why of a map names the entries that were run and removed, and what was carried over', async () => {
  await ranMaps({ a: 'a', b: 'bb', c: 'c' })
  const { id } = await project.json('show', 'last')
  await project.run('run', 'maps.ts', '-i', 'raw=raw')
  expect((await project.run('why', 'last', 'size')).stdout).toBe(
    [
      'size 0 succeeded, a map:',
      '  its entries: 0 executed, 3 carried over unseen: neither they nor the code changed, 0 removed',
      `  compared with run ${id}: nothing differs`,
      '',
    ].join('\n'),
  )
  expect((await project.run('show', 'last')).stdout).toMatch(/ · 1 executed · 3 reused\n/)
  const { stdout, stderr } = await project.run('logs', 'last', 'size')
  expect([stdout, stderr]).toEqual(['', 'Nothing was printed.\n'])
  const { id: again } = await project.json('show', 'last')
  await project.write({ 'raw/b': 'changed', 'raw/d': 'new' })
  spawnSync('rm', [join(project.folder, 'raw/c')])
  await project.run('run', 'maps.ts', '-i', 'raw=raw')
  expect((await project.run('why', 'last', 'size')).stdout).toBe(
    [
      'size 0 succeeded, a map:',
      '  its entries: 2 executed, 1 carried over unseen: neither they nor the code changed, 1 removed',
      `  compared with run ${again}:`,
      '    executed  b  its content changed',
      '    executed  d  it was added',
      '    removed   c  it is not in the directory any more',
      '',
    ].join('\n'),
  )
})

it('a project that cannot be written is read by runs, show and logs', async () => {
  await ranMaps({ a: 'a' })
  const { id } = await project.json('show', 'last')
  const readOnly = 'mount --bind .almanac .almanac && mount -o remount,bind,ro .almanac'
  const looked = ['runs', 'show last', 'logs last sum'].map((words) => mounted(readOnly, ...words.split(' ')))
  expect(looked.map(({ status, stderr }) => [status, stderr])).toEqual([
    [0, ''],
    [0, ''],
    [0, ''],
  ])
  const [runs, show, logs] = looked.map(({ stdout }) => stdout)
  expect(runs).toMatch(new RegExp(`^run .*\n${id} +maps +succeeded`))
  expect(show).toMatch(new RegExp(`^${id} maps succeeded\n`))
  expect(logs).toMatch(/ sum \d of all\n$/)
})

it('a dry run of gc that has no room for its copy of the journal says where there is none', async () => {
  await ranMaps({ a: 'a' })
  await project.write({ 'almanac.config.ts': "export default { retention: { runs: { age: '1d' } } }" })
  mkdirSync(join(project.folder, 'small'))
  const small = 'mount -t tmpfs -o size=64k tmpfs small && export TMPDIR=$PWD/small'
  const { status, stderr } = mounted(small, 'gc', '--dry-run')
  const hint = 'It takes as much room as the journal: free some there, or name another folder by TMPDIR.'
  expect([status, stderr.replace(project.folder, '')]).toEqual([
    1,
    'error In /small no copy of the journal can be made, on which a dry run is tried: the disk is full. ' +
      `[ALM_REHEARSAL_FAILED]\n      ${hint}\n`,
  ])
  expect(mounted('export TMPDIR=/nowhere', 'gc', '--dry-run').stderr).toMatch(/ENOENT.*ALM_REHEARSAL_FAILED/)
})

it('a home that nobody can make is said so at once, to what runs and not to what looks', async () => {
  project = await Project.make({ 'maps.ts': maps }, { ALMANAC_HOME: '/proc/x' })
  const { code, stderr } = await project.run('run', 'maps.ts')
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(
      /^error \/proc\/x\/journal\.db cannot be written: .+ \[ALM_JOURNAL_READ_ONLY\]\n.+\n$/,
    ),
  ])
  expect(await project.run('runs')).toEqual({
    code: 0,
    stdout: 'No runs yet: almanac run FILE\n',
    stderr: '',
  })
})

it('the last JSON line tells of a run whose journal failed, before the error', async () => {
  project = await Project.make({
    'fills.ts': `
import { writeFileSync } from 'node:fs'
import { task, workflow } from 'almanac'
export const one = task('one', () => 1)
export const fill = task('fill', (n: number) => {
  try { for (let i = 0; ; i++) writeFileSync('.almanac/ballast' + i, Buffer.alloc(4096)) } catch {}
  // less than what is kept as a blob
  return 'x'.repeat(60_000)
})
export default workflow('fills', async () => fill(await one()))
`,
  })
  mkdirSync(join(project.folder, '.almanac'))
  const { status, stdout } = mounted('mount -t tmpfs -o size=3m tmpfs .almanac', 'run', 'fills.ts', '--json')
  const lines = stdout.trim().split('\n')
  const { kind, state, executed, error } = JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>
  expect({ status, kind, state, executed, error }).toEqual({
    status: 1,
    kind: 'run',
    state: 'interrupted',
    executed: expect.any(Number),
    error: {
      code: 'ALM_JOURNAL_FULL',
      message: expect.stringMatching(/^The disk is full/),
      hint: expect.stringMatching(/^Free some space/),
    },
  })
})

it('doctor --repair saves what can be read of a damaged journal, keeps that one, and runs go on', async () => {
  await ranMaps({ a: 'a', b: 'bb' })
  const file = join(project.folder, '.almanac/journal.db')
  truncateSync(file, statSync(file).size - 8192)
  const looked = await project.run('doctor')
  expect([
    looked.code,
    /^✗ journal/m.test(looked.stdout),
    looked.stdout.includes('almanac doctor --repair'),
  ]).toEqual([1, true, true])
  const { code, stdout } = await project.run('doctor', '--repair')
  expect([code, /Saved\n {2}1 runs, \d+ results of the run cache\n/.test(stdout)]).toEqual([0, true])
  const kept = /is kept in (\S+)\.\n/.exec(stdout)?.[1] ?? ''
  expect(existsSync(kept)).toBe(true)
  expect((await project.run('doctor')).code).toBe(0)
  expect((await project.run('run', 'maps.ts', '-i', 'raw=raw')).code).toBe(0)
})

it('show of a task with many calls gives programs all of them, and tells people that there are more', async () => {
  project = await Project.make({
    'many.ts': `
import { task, workflow } from 'almanac'
export const one = task('one', (n: number) => n)
export default workflow('many', async () => Promise.all(Array.from({ length: 1201 }, (_, n) => one(n))).then(() => 0))
`,
  })
  expect((await project.run('run', 'many.ts')).code).toBe(0)
  const { stdout } = await project.run('show', 'last', 'one', '--json')
  const numbers = stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { call: number }).call)
  expect(numbers).toEqual(Array.from({ length: 1201 }, (_, n) => n))
  const lines = (await project.run('show', 'last', 'one')).stdout.trimEnd().split('\n')
  expect([lines.length, lines.at(-1)]).toEqual([202, '  the first 200 calls; all with --json'])
})

it('names that runs are given and that they give stay on one line, whatever is in them', async () => {
  project = await Project.make({
    'odd.ts': `
import { run, workflow, z } from 'almanac'
export default workflow('odd', async () => {
  run.event('an\\nevent', { n: 1 })
  run.metric('a\\nmetric', 2)
  run.artifact('a\\nlink', { kind: 'link', url: 'https://host/\\nSUCCEEDED' })
  return run.ask(z.string(), { title: 'A\\nquestion?' })
})`,
  })
  const ran = await project.run('run', 'odd.ts', '--name', 'a\nrun')
  expect(ran.stderr).toContain(String.raw`? "A\nquestion?"`)
  const lines = async (...args: string[]) => (await project.run(...args)).stdout.trimEnd().split('\n')
  expect((await lines('logs', 'last')).map((line) => line.slice(13))).toEqual([
    String.raw`odd "an\nevent" n=1`,
  ])
  expect((await lines('show', 'last')).filter((line) => /metric|link|question/.test(line))).toEqual([
    String.raw`metric  "a\nmetric"  2`,
    String.raw`link    "a\nlink"    "https://host/\nSUCCEEDED"`,
    expect.stringMatching(/^\? "A\\nquestion\?" {2}almanac answer /),
  ])
  expect((await lines('runs')).map((line) => line.slice(-8))).toEqual(['ed  name', String.raw`"a\nrun"`])
})

it('times that people read are local, in logs, of events and of messages as in show', async () => {
  const files = {
    'told.ts': `
import { run, task, workflow } from 'almanac'
export const look = task('look', () => console.log('looking'))
export default workflow('told', async () => { await look(); run.event('seen', 1); run.send('out', 2) })`,
  }
  project = await Project.make(files, { TZ: 'Asia/Kolkata' })
  const { id } = await project.json('run', 'told.ts')
  const { startedAt } = await project.json('show', 'last')
  const local = (at: unknown): string => new Date(Number(at) + 5.5 * 3600_000).toISOString().replace('T', ' ')
  const { stdout: show } = await project.run('show', 'last')
  expect(show.split('\n')[1]).toContain(`  ${local(startedAt).slice(0, 19)} · `)
  const { stdout: json } = await project.run('logs', 'last', '--json')
  const [line, event] = json
    .trim()
    .split('\n')
    .map((text) => local((JSON.parse(text) as { at: number }).at).slice(11, 23))
  expect((await project.run('logs', 'last')).stdout).toBe(`${line} look 0 looking\n${event} told seen 1\n`)
  const { at } = await project.json('messages', String(id))
  expect((await project.run('messages', String(id))).stdout).toBe(`1  ${local(at).slice(0, 19)} ← out 2\n`)
})
