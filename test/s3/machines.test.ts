import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openObjects } from '../../src/data/shared/open.ts'
import { collectStore } from '../../src/data/shared/store-garbage.ts'
import { Project } from '../cli/almanac.ts'
import type { FaultyProxy } from './faulty-proxy.ts'
import { startProxy } from './faulty-proxy.ts'
import type { S3Server } from './moto.ts'
import { startMoto } from './moto.ts'
import { identity, newBucket } from './servers.ts'

const pipeline = `
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dir, file, task, workflow } from 'almanac'
export const clean = task('clean', { output: { text: file('clean.txt') } }, async (day, { out }) => {
  console.log('cleaning')
  await writeFile(out.text, (await readFile(day.at, 'utf8')).trim() + '\\n')
})
export const join = task('join', { output: { whole: file('whole.txt'), parts: dir('parts') } }, async (days, { out }) => {
  console.log('joining')
  const names = (await readdir(days.at)).sort()
  const texts = await Promise.all(names.map((name) => readFile(days.at + '/' + name, 'utf8')))
  await writeFile(out.whole, texts.join(''))
  await mkdir(out.parts)
  for (const [i, text] of texts.entries()) await writeFile(out.parts + '/' + i, text)
})
export default workflow('season', { input: { days: dir() } }, async ({ days }) => join(clean.map(days).text))
`

/** Triggers the season, and a run that reads a file which a task of this one has made. */
const nightly = `
import { readFile, writeFile } from 'node:fs/promises'
import { dir, file, run, task, workflow } from 'almanac'
import season from './season.ts'
export const title = task('title', { cache: true, output: { text: file('title.txt') } }, async (word, { out }) => {
  await writeFile(out.text, word)
})
export const read = task('read', { cache: false }, async (text) => readFile(text.at, 'utf8'))
export const reader = workflow('reader', { input: { text: file() } }, async ({ text }) => read(text))
export default workflow('nightly', { input: { days: dir() } }, async ({ days }) => {
  await run.trigger(season, { days })
  await run.trigger(reader, { text: title('all days').text })
})
`

let server: S3Server
let proxy: FaultyProxy
let shared: Readonly<Record<string, string>>
let days: string
let machines: Project[] = []

/** A machine with its own copy of the project and of the data: it has nothing in common with others but the bucket. */
async function machine(more: Readonly<Record<string, string>> = {}): Promise<Project> {
  const project = await Project.make({ 'season.ts': pipeline }, { ...shared, ...more })
  machines.push(project)
  return project
}

const season = (project: Project) => project.json('run', 'season.ts', '--input', `days=${days}`)

beforeAll(async () => {
  server = await startMoto()
  proxy = await startProxy(server.endpoint)
})
afterAll(async () => {
  await proxy.close()
  await server.stop()
})
beforeEach(async () => {
  const bucket = await newBucket(server)
  shared = { ...identity, ALMANAC_STORE: `s3://${bucket}/farm?endpoint=${proxy.endpoint}` }
  days = await mkdtemp(join(tmpdir(), 'almanac-days-'))
  for (let day = 1; day <= 12; day++) await writeFile(join(days, `day-${day}.txt`), `  ${day} °C  `)
  proxy.asked.length = 0
  proxy.fault = () => undefined
})
afterEach(async () => {
  for (const project of machines) await project.remove()
  machines = []
  await rm(days, { recursive: true })
})

describe('two machines with one bucket', () => {
  it('use what the other has computed, and give the same files', async () => {
    const first = await machine()
    expect(await season(first)).toMatchObject({ state: 'succeeded', executed: 13, reused: 0 })
    const second = await machine()
    const run = await season(second)
    expect(run).toMatchObject({ state: 'succeeded', executed: 0 })
    const shown = join(second.folder, 'data/main/season')
    expect(await readFile(join(shown, 'whole.txt'), 'utf8')).toBe(
      await readFile(join(first.folder, 'data/main/season/whole.txt'), 'utf8'),
    )
    expect((await readdir(join(shown, 'parts'))).length).toBe(12)
  })

  it('compute on one what has changed since the other computed', async () => {
    const first = await machine()
    await season(first)
    await writeFile(join(days, 'day-3.txt'), '33 °C')
    await writeFile(join(days, 'day-99.txt'), '99 °C')
    const second = await machine()
    // two days, and the season
    expect(await season(second)).toMatchObject({ state: 'succeeded', executed: 3 })
    expect(await readFile(join(second.folder, 'data/main/season/whole.txt'), 'utf8')).toContain('33 °C')
    // which the first one then has as well
    expect(await season(first)).toMatchObject({ state: 'succeeded', executed: 0 })
  })

  it('find the files of triggered runs, and those that triggered runs are given', async () => {
    const night = async () => {
      const project = await machine()
      await project.write({ 'nightly.ts': nightly })
      const ran = await project.run('run', 'nightly.ts', '--input', `days=${days}`)
      const figures = async (workflow: string) => {
        const { state, executed, reused } = await project.json('runs', '--workflow', workflow)
        return [workflow, state, executed, reused]
      }
      const { output } = await project.json('show', 'last')
      return {
        code: ran.code,
        runs: [await figures('nightly'), await figures('season'), await figures('reader')],
        whole: await readFile(join(project.folder, 'data/main/season/whole.txt'), 'utf8'),
        output,
      }
    }
    const runs = [
      ['nightly', 'succeeded', 1, 0],
      ['season', 'succeeded', 13, 0],
      ['reader', 'succeeded', 1, 0],
    ]
    const first = await night()
    expect(first).toMatchObject({ code: 0, runs, output: 'all days' })
    // what is not to be reused reads a file that only the bucket had
    expect(await night()).toEqual({
      ...first,
      runs: [
        ['nightly', 'succeeded', 0, 1],
        ['season', 'succeeded', 0, 13],
        ['reader', 'succeeded', 1, 0],
      ],
    })
  })

  it('read the logs of each other', async () => {
    const first = await machine()
    const { id } = await season(first)
    const second = await machine()
    await second.run('status')
    await season(second)
    const { code, stdout } = await second.run('logs', String(id), 'join')
    expect({ code, lines: stdout.trim().split('\n').length }).toEqual({ code: 0, lines: 1 })
    expect(stdout).toContain('joining')
    expect((await second.run('logs', 'nosuchrun')).stderr).toContain('There is no run nosuchrun')
  })

  it('use nothing of others, and say so once, where they may not read it', async () => {
    await season(await machine())
    proxy.fault = () => ({ kind: 'status', status: 403, code: 'AccessDenied' })
    const second = await machine()
    const ran = await second.run('run', 'season.ts', '--input', `days=${days}`)
    expect(ran.code).toBe(0)
    expect(ran.stderr.match(/The store does not let us read s3:/g)).toHaveLength(1)
    expect(ran.stdout + ran.stderr).toContain('13 executed')
  })

  it('go on through a store that is busy, and lose no result', async () => {
    let asked = 0
    proxy.fault = () => (++asked % 4 === 0 ? { kind: 'status', status: 503, code: 'SlowDown' } : undefined)
    expect(await season(await machine())).toMatchObject({ executed: 13 })
    expect(await season(await machine())).toMatchObject({ executed: 0 })
  })

  it('execute again what was cleared on one of them, for both', async () => {
    const first = await machine()
    await season(first)
    const url = (shared['ALMANAC_STORE'] as string).replace(/\?.*/, '')
    expect((await first.run('cache', 'rm', '--task', 'join', '--dry-run')).stdout).toContain(
      `Would remove 1 kept result in ${url};`,
    )
    expect(await season(await machine())).toMatchObject({ executed: 0 })
    const cleared = await first.json('cache', 'rm', '--task', 'join')
    expect(cleared).toMatchObject({ entries: 1, shared: { store: url, entries: 1, isWritable: true } })
    expect(await season(await machine())).toMatchObject({ executed: 1 })
    expect(await season(first)).toMatchObject({ executed: 0 })
    // what another machine made can be cleared here too, and what is only read is said to stay
    const fourth = await machine()
    const fingerprint = String((await first.json('cache', 'ls', 'clean'))['fingerprint'])
    expect((await fourth.run('cache', 'rm', fingerprint)).stdout).toContain(
      `Removed 0 kept results of 0 B on this machine.\nRemoved 1 kept result in ${url}`,
    )
    const store = `{ url: '${url}', endpoint: '${proxy.endpoint}', results: 'read' }`
    await fourth.write({ 'almanac.config.ts': `export default { store: ${store} }` })
    expect((await fourth.run('cache', 'rm', '--all')).stdout).toContain(
      `Results in ${url} stay, and are used again`,
    )
  })

  it('lose what a run has left there when it is removed, however that was', async () => {
    const first = await machine()
    const { id } = await season(first)
    for (const [name, value] of Object.entries(identity)) vi.stubEnv(name, value)
    const objects = openObjects(shared['ALMANAC_STORE'] as string, {})
    const left = async () => {
      const keys: string[] = []
      for (const folder of ['logs/', 'results/'])
        for await (const { key } of objects.list(folder)) keys.push(key)
      return keys.length
    }
    expect(await left()).toBeGreaterThan(0)
    // without the store
    const alone = Project.at(first.folder, { ...identity, ALMANAC_STORE: 'off' })
    expect((await alone.run('rm', String(id))).code).toBe(0)
    expect(await left()).toBeGreaterThan(0)
    const before = await left()
    expect(await first.json('gc', '--store')).toMatchObject({ orphans: before })
    expect(await left()).toBe(0)
    objects.close()
    vi.unstubAllEnvs()
  })

  it('clean it up, without what a kept result needs', async () => {
    const first = await machine()
    await season(first)
    const now = await first.json('gc', '--store')
    expect(now).toMatchObject({ unreachable: 0, deleted: 0, missing: 0, forgotten: 0 })
    expect(await season(await machine())).toMatchObject({ state: 'succeeded', executed: 0 })
    for (const [name, value] of Object.entries(identity)) vi.stubEnv(name, value)
    const objects = openObjects(shared['ALMANAC_STORE'] as string, {})
    const day = 24 * 3600_000
    const round = (days: number) =>
      collectStore(objects, { dryRun: false, graceMs: day, olderMs: 30 * day, now: Date.now() + days * day })
    // the listings of the directories that were mapped go; what the run gave is kept as its result
    expect(await round(31)).toMatchObject({ kept: 13, unreachable: 3, deleted: 0 })
    expect(await round(33)).toMatchObject({ kept: 13, unreachable: 3, deleted: 3, missing: 0 })
    objects.close()
    vi.unstubAllEnvs()
    expect(await season(await machine())).toMatchObject({ state: 'succeeded', executed: 13 })
  })

  it('have each version of a dataset as a document, when its content is there', async () => {
    const first = await machine()
    const { code } = await first.run('data', 'add', 'farm/days', days, '--keep')
    expect(code).toBe(0)
    const [name] = await readdir(join(first.folder, '.almanac/versions/main/farm/days'))
    const written = proxy.asked.filter(({ method }) => method === 'PUT').map(({ path }) => path)
    expect(written.at(-1)).toMatch(new RegExp(`/farm/versions/main/farm/days/${name}$`))
    expect(written.filter((path) => path.includes('/blobs/'))).toHaveLength(13)
  })
})
