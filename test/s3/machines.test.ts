import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
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
})
