import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { openAlmanac } from '../../src/main.ts'
import { DirRef } from '../../src/model/refs.ts'
import { Project } from '../cli/almanac.ts'
import { nothingLeft } from './leftovers.ts'
import { kindsOfWrites, live } from './storm/life.ts'

const projects: Project[] = []
afterEach(async () => {
  for (const project of projects.splice(0)) await project.remove()
})

async function makeProject(): Promise<Project> {
  const project = await Project.make()
  projects.push(project)
  const sources = [
    new URL('./publish/publish.ts', import.meta.url),
    new URL('./publish/extend.ts', import.meta.url),
  ]
  for (const source of sources) cpSync(fileURLToPath(source), join(project.folder, basename(source.pathname)))
  for (const name of ['tmp', '.almanac']) mkdirSync(join(project.folder, name))
  appendFileSync(join(project.folder, 'log'), '')
  return project
}

const begin = (n: number): string[] => ['run', 'publish.ts', '--input', `n=${n}`]

/** What the dataset is known to have, and what the plain path shows. */
async function published(folder: string) {
  const almanac = await openAlmanac({ project: folder, reads: true })
  try {
    const key = { environment: almanac.environment, dataset: 'made/texts', partition: '' }
    const versions = await almanac.datasets.versions(key, { limit: 9 })
    const texts: Record<number, string> = {}
    for (const { version, digest, entries, size } of versions) {
      const one = await almanac.data.fileAt(new DirRef(digest, entries, size), 'one')
      texts[version] = one === undefined ? '' : Buffer.from(await almanac.data.readFile(one)).toString()
    }
    const { store } = await almanac.maintenance.check({ data: true })
    const runs = await almanac.records.runs({ limit: 9 })
    return { texts, damaged: store?.damaged, runs }
  } finally {
    await almanac.close()
  }
}

const shown = (folder: string) => {
  const path = join(folder, 'data', 'main', 'made', 'texts')
  return {
    names: readdirSync(path),
    one: readFileSync(join(path, 'one'), 'utf8'),
    two: readFileSync(join(path, 'sub', 'two'), 'utf8'),
  }
}

const text = (n: number): string => `text ${n}\n`.repeat(n)
const showing = (n: number) => ({ names: ['one', 'sub'], one: text(n), two: text(n + 1) })

it('a kill in any kind of write of a publish loses nothing, publishes nothing twice, and shows a whole version', {
  timeout: 1_800_000,
}, async () => {
  const first = await makeProject()
  expect((await first.run(...begin(1))).code).toBe(0)
  expect(shown(first.folder)).toEqual(showing(1))

  const sample = await makeProject()
  cpSync(first.folder, sample.folder, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  const kinds = await kindsOfWrites(sample.folder, begin(3))
  expect(kinds).toContain('sql INSERT versions')
  expect(kinds).toContain('symlinkSync data')
  expect(kinds).toContain('renameSync data')

  // what else a run does is killed elsewhere; of commits each one counts
  const moments = kinds
    .filter((kind) => !/locks|stat-cache|claim|requests|asks|PRAGMA|tallies|attempts/.test(kind))
    .flatMap((kind) =>
      Array.from({ length: kind.startsWith('sql COMMIT') ? 6 : 1 }, (_, i) => ({ kind, n: i + 1 })),
    )
  const lane = async (): Promise<void> => {
    for (let moment = moments.pop(); moment !== undefined; moment = moments.pop())
      await killed(first.folder, moment)
  }
  await Promise.all([lane(), lane()])
})

/** Publishes a second version and dies in the middle; whoever goes on finds all in order. */
async function killed(
  from: string,
  { kind, n }: { readonly kind: string; readonly n: number },
): Promise<void> {
  const project = await makeProject()
  const { folder } = project
  const when = `${kind} ${n}`
  cpSync(from, folder, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  const life = await live(folder, begin(3), { when: 'write', kind, n })
  if (life.death === 0) return
  expect(life.death, `${when}: ${life.stderr}`).toBe('moment')
  // whoever looks sees one version whole
  expect([showing(1), showing(3)], when).toContainEqual(shown(folder))
  const left = (await published(folder)).runs.find(({ state }) => state !== 'succeeded')
  const ended = await project.run(...(left === undefined ? begin(3) : ['resume', left.id]))
  expect(ended.code, `${when}: ${ended.stderr}`).toBe(0)
  const { texts, damaged } = await published(folder)
  expect({ texts, damaged }, when).toEqual({ texts: { 1: text(1), 2: text(3) }, damaged: [] })
  expect(shown(folder), when).toEqual(showing(3))
  await nothingLeft(folder, [life.pid], { when, but: ['work', 'temporary', 'locks'] })
}

it('of processes that publish upon one version at once one is taken, and what the others made is made again', {
  timeout: 900_000,
}, async () => {
  const project = await makeProject()
  const { folder } = project
  mkdirSync(join(folder, 'start'))
  writeFileSync(join(folder, 'start', 'lines.txt'), 'start\n')
  expect((await project.run('data', 'add', 'lines', 'start', '--managed')).code).toBe(0)

  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const publish = async (name: string): Promise<void> => {
    const ran = await project.run('run', 'extend.ts', '--input', `name=${name}`, '--json')
    const lines = ran.stdout.trim().split('\n')
    const { id, run } = JSON.parse(lines.at(-1) ?? '{}') as { id?: string; run?: string }
    // each time at least one of them gets on
    for (let tries = 0, { code } = ran; code !== 0 && tries < names.length; tries++)
      code = (await project.run('resume', id ?? run ?? '')).code
  }
  await Promise.all(names.map(publish))
  const lines = readFileSync(join(folder, 'data', 'main', 'lines', 'lines.txt'), 'utf8')
    .split('\n')
    .slice(0, -1)
  expect(lines[0]).toBe('start')
  expect(lines.slice(1).sort()).toEqual(names)
  const log = await project.run('data', 'log', 'lines', '--json')
  const versions = log.stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { version: number }).version)
  expect(versions).toEqual([7, 6, 5, 4, 3, 2, 1])
})
