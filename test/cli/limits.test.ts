import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { Project } from './almanac.ts'

let project: Project

afterEach(() => project.remove())

const config = `
import { defineConfig } from 'almanac'
export default defineConfig({ parallel: 4, limits: { gpfs: 2, api: { rate: '20/s' } } })
`

const work = `
import { appendFileSync } from 'node:fs'
import { json, task, workflow } from 'almanac'
const log = (line: string) => appendFileSync('log', line + '\\n')
export const read = task('read', { limits: ['gpfs'], cache: false }, async (of: string, n: number) => {
  log('begin')
  for (let i = 0; i < 200 + (n % 3) * 200; i++) await new Promise(setImmediate)
  log('end')
  return n
})
export const hold = task('hold', { limits: { gpfs: 2 }, cache: false }, async () => {
  log('holds')
  console.log('holding')
  await new Promise(() => setInterval(() => undefined, 1000))
})
export const ask = task('ask', { limits: ['api'], cache: false }, (n: number) => { log('asks ' + n); return n })
export default workflow('reads', { input: { of: json<string>() } }, async ({ of }) => {
  if (of === 'holder') return hold()
  if (of === 'asker') return ask.map(Array.from({ length: 12 }, (_, i) => i)).all()
  return Promise.all(Array.from({ length: 20 }, (_, i) => read(of, i)))
})
`

const lines = async (): Promise<string[]> =>
  (await readFile(join(project.folder, 'log'), 'utf8')).trim().split('\n')

it('tasks of two processes share a limit, which is never exceeded', async () => {
  project = await Project.make({ 'almanac.config.ts': config, 'reads.ts': work })
  const both = ['a', 'b'].map((of) => project.start('run', 'reads.ts', '-i', `of="${of}"`, '--json'))
  for (const { ended } of both) expect((await ended).code).toBe(0)
  let [open, most] = [0, 0]
  for (const line of await lines()) {
    open += line === 'begin' ? 1 : -1
    most = Math.max(most, open)
  }
  expect([most, open, (await lines()).length]).toEqual([2, 0, 80])
  expect(await project.json('limits')).toMatchObject({ kind: 'limit', name: 'gpfs', held: 0, users: [] })
})

it('a process that is killed frees what it held, and whoever waited goes on', async () => {
  project = await Project.make({ 'almanac.config.ts': config, 'reads.ts': work })
  const holder = project.start('run', 'reads.ts', '-i', 'of="holder"', '--json')
  await holder.saw(/"started"/)
  // it is held, and the task has begun with it
  for (;;) if ((await project.run('logs', 'last', 'hold')).stdout.includes('holding')) break
  expect((await project.run('limits')).stdout).toMatch(/gpfs +2 +2 +0/)
  const waiter = project.start('run', 'reads.ts', '-i', 'of="waiter"', '--json')
  await waiter.saw(/"started"/)
  for (;;) {
    const { stdout } = await project.run('status')
    if (/waiting for limit gpfs \(2 of 2 taken\)/.test(stdout)) break
  }
  expect((await project.run('limits')).stdout).toMatch(/waits for gpfs since/)
  expect(await lines()).toEqual(['holds'])
  holder.child.kill('SIGKILL')
  await holder.ended
  expect((await waiter.ended).code).toBe(0)
  expect((await lines()).length).toBe(41)
})

it('a rate spaces starts, and a limit that nobody has declared is named', async () => {
  project = await Project.make({ 'almanac.config.ts': config, 'reads.ts': work })
  expect((await project.run('run', 'reads.ts', '-i', 'of="asker"', '--json')).code).toBe(0)
  expect((await lines()).length).toBe(12)
  const { startedAt, endedAt } = await project.json('show', 'last')
  // 11 spaces of 50 ms lie between 12 starts
  expect(Number(endedAt) - Number(startedAt)).toBeGreaterThanOrEqual(550)
  await project.write({ 'almanac.config.ts': 'export default {}' })
  const refused = await project.run('run', 'reads.ts', '-i', 'of="a"')
  expect(refused.code).toBe(1)
  expect(refused.stderr + refused.stdout).toMatch(
    /Task read names the limit gpfs, which nobody has declared; there are none/,
  )
})
