import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { openDataPlane } from '../../src/data/open.ts'
import { openAlmanac } from '../../src/main.ts'
import { DirRef } from '../../src/model/refs.ts'
import { Project } from '../cli/almanac.ts'
import { nothingLeft } from './leftovers.ts'

const collector = fileURLToPath(new URL('./gc/collect.ts', import.meta.url))
const writes = new URL('./storm/writes.ts', import.meta.url).href

const projects: Project[] = []
afterEach(async () => {
  for (const project of projects.splice(0)) await project.remove()
})

/** One run of three, one version of three and two results of three are to be kept. */
const config = `export default { retention: { runs: { count: 1 }, versions: { count: 1 }, cache: { count: 2 } } }\n`

async function makeProject(): Promise<Project> {
  const project = await Project.make({ 'almanac.config.ts': config })
  projects.push(project)
  cpSync(fileURLToPath(new URL('./gc/pages.ts', import.meta.url)), join(project.folder, 'pages.ts'))
  for (const name of ['tmp', '.almanac']) mkdirSync(join(project.folder, name))
  return project
}

interface Collected {
  readonly pid: number
  readonly dead: boolean
  readonly said: string
}

/** A collection some hours from now, with what watches or kills it in its writes. */
function collect(
  folder: string,
  hours: number,
  more: Readonly<Record<string, string>> = {},
): Promise<Collected> {
  const child = spawn(process.execPath, ['--import', writes, collector, String(hours)], {
    cwd: folder,
    env: { ...process.env, TMPDIR: join(folder, 'tmp'), ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += String(data)))
  return new Promise((resolve) =>
    child.on('close', (_, signal) => resolve({ pid: child.pid ?? 0, dead: signal === 'SIGKILL', said })),
  )
}

async function collected(folder: string, hours: number): Promise<Record<string, unknown>> {
  const { said } = await collect(folder, hours)
  return JSON.parse(said) as Record<string, unknown>
}

async function kindsOfWrites(folder: string, hours: number): Promise<readonly string[]> {
  const list = join(folder, 'writes')
  rmSync(list, { force: true })
  await collect(folder, hours, { ALMANAC_TEST_WRITES: list })
  return [...new Set(readFileSync(list, 'utf8').split('\n').slice(0, -1))]
}

async function copyOf(from: string): Promise<string> {
  const { folder } = await makeProject()
  cpSync(from, folder, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  return folder
}

/** What is known, and whether all that it needs is there. */
async function known(folder: string) {
  const almanac = await openAlmanac({ project: folder, reads: true })
  try {
    const { environment, data } = almanac
    const key = { environment, dataset: 'made/pages', partition: '' }
    const versions = await almanac.datasets.versions(key, { limit: 9 })
    const entries = await almanac.entries.list({ limit: 9 })
    const missing: string[] = []
    for (const { version, digest, entries, size } of versions)
      if (!(await data.available(new DirRef(digest, entries, size)))) missing.push(`version ${version}`)
    const store = openDataPlane({ home: join(folder, '.almanac'), data: join(folder, 'data') })
    const blobs = await store.blobs()
    for await (const digest of almanac.cache.roots()) if (!(await blobs.has(digest))) missing.push(digest)
    await store.close()
    const { store: checked, datasets } = await almanac.maintenance.check({ data: true })
    return {
      missing: [...missing, ...(checked?.damaged ?? []), ...(datasets ?? [])],
      versions: versions.map(({ version }) => version),
      results: entries.length,
      runs: (await almanac.records.runs({ limit: 9 })).length,
    }
  } finally {
    await almanac.close()
  }
}

const filesBelow = (path: string): string[] =>
  existsSync(path) ? (readdirSync(path, { recursive: true }) as string[]).sort() : []

/** All that is kept, by name, but for empty folders. */
const kept = (folder: string) => ({
  store: filesBelow(join(folder, '.almanac', 'store')).filter((name) => /[0-9a-f]{64}$/.test(name)),
  logs: filesBelow(join(folder, '.almanac', 'logs')),
  shown: readFileSync(join(folder, 'data/main/made/pages/n'), 'utf8'),
})

it('a dry run says what there is to free once the rules are applied, and changes nothing', async () => {
  const { folder } = await makeProject()
  for (const n of [1, 2, 3]) await Project.at(folder).json('run', 'pages.ts', '--input', `n=${n}`)
  const almanac = await openAlmanac({ project: folder, reads: true })
  try {
    const before = await almanac.maintenance.collectGarbage({ dryRun: true })
    expect(before.retired).toMatchObject({ runs: 2, versions: 2, results: 1 })
    // of each version that goes one listing or page is of no other
    expect(before.unreachable).toBeGreaterThanOrEqual(2)
    expect(await almanac.maintenance.collectGarbage({ dryRun: true })).toEqual(before)
    expect(await almanac.maintenance.collectGarbage({ dryRun: false })).toEqual(before)
  } finally {
    await almanac.close()
  }
})

it('a kill in any kind of write of a collection loses nothing that is needed, and the next ones finish', {
  timeout: 1_800_000,
}, async () => {
  const { folder } = await makeProject()
  for (const n of [1, 2, 3]) {
    const ran = await Project.at(folder).run('run', 'pages.ts', '--input', `n=${n}`)
    expect(ran.code, ran.stderr).toBe(0)
  }
  // what the store should be like in the end
  const calm = await copyOf(folder)
  const rounds = [1, 30, 60, 90, 120]
  const reports: Record<string, unknown>[] = []
  for (const hours of rounds) reports.push(await collected(calm, hours))
  expect(reports[0]).toMatchObject({ retired: { runs: 2, versions: 2, results: 1 }, movedAside: 0 })
  expect(reports.map(({ deleted }) => Number(deleted)).reduce((a, b) => a + b)).toBeGreaterThan(0)
  const needed = { missing: [], versions: [3], results: 2, runs: 1 }
  expect(await known(calm)).toEqual(needed)

  // each round of them is killed in each kind of its writes
  const lives: {
    readonly from: string
    readonly hours: number
    readonly kind: string
    readonly n: number
  }[] = []
  let from = folder
  for (const hours of rounds.slice(0, 3)) {
    const next = await copyOf(from)
    for (const kind of await kindsOfWrites(next, hours))
      if (!/ work|PRAGMA|BEGIN|locks|claim|code|done/.test(kind))
        for (const n of kind === 'sql COMMIT' ? [1, 2, 3, 4] : [1]) lives.push({ from, hours, kind, n })
    from = next
  }
  const kinds = [...new Set(lives.map(({ kind }) => kind))]
  for (const kind of [
    'renameSync store',
    'rmSync store',
    'rmSync trees',
    'rm logs',
    'renameSync garbage.txt',
    'sql COMMIT',
  ])
    expect(kinds).toContain(kind)
  let killed = 0
  const lane = async (): Promise<void> => {
    for (let life = lives.pop(); life !== undefined; life = lives.pop()) {
      const { hours, kind, n } = life
      const when = `${kind} ${n} at ${hours} h`
      const there = await copyOf(life.from)
      const died = await collect(there, hours, { ALMANAC_TEST_DIE: JSON.stringify({ kind, n }) })
      if (!died.dead) continue
      killed++
      const after = await known(there)
      expect({ when, missing: after.missing }).toEqual({ when, missing: [] })
      expect(after.versions, when).toContain(3)
      for (const later of [hours + 30, hours + 60, hours + 90]) await collected(there, later)
      expect({ when, ...(await known(there)) }).toEqual({ when, ...needed })
      expect({ when, ...kept(there) }).toEqual({ when, ...kept(calm) })
      await nothingLeft(there, [died.pid], { when })
      const again = await Project.at(there).json('run', 'pages.ts', '--input', 'n=3')
      expect({ when, executed: again['executed'] }).toEqual({ when, executed: 0 })
    }
  }
  await Promise.all([lane(), lane()])
  console.log(`${killed} kills in ${kinds.length} kinds of writes`)
  expect(killed).toBeGreaterThan(20)
})

it('nothing that is needed is ever missing while another process collects again and again', async () => {
  const { folder } = await makeProject()
  expect((await Project.at(folder).run('run', 'pages.ts', '--input', 'n=9')).code).toBe(0)
  const start = (program: URL, argument: number) => {
    const child = spawn(process.execPath, [fileURLToPath(program), String(argument)], { cwd: folder })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += String(data)))
    const ended = new Promise<Record<string, unknown>>((resolve, reject) =>
      child.on('close', (code) => (code === 0 ? resolve(JSON.parse(said)) : reject(new Error(said)))),
    )
    return { child, ended }
  }
  const collecting = start(new URL('./gc/collect-often.ts', import.meta.url), 2500)
  const computed = await start(new URL('./gc/compute.ts', import.meta.url), 20_000).ended
  collecting.child.stdin.end()
  const did = await collecting.ended
  console.log({ ...computed, ...did })
  expect(computed).toMatchObject({ wrong: [], damaged: [] })
  expect(Number(did['movedAside'])).toBeGreaterThan(0)
})
