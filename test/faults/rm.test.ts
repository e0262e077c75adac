import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { Project } from '../cli/almanac.ts'
import { nothingLeft } from './leftovers.ts'
import { kindsOfWrites, live } from './storm/life.ts'

const workflow = `
import { task, workflow } from 'almanac'
export const say = task('say', (n: number) => { console.log('said', n); return n })
export default workflow('talk', async () => { for (const n of [1, 2, 3]) await say(n) })
`

const projects: Project[] = []
afterEach(async () => {
  for (const project of projects.splice(0)) await project.remove()
})

async function makeProject(): Promise<Project> {
  const project = await Project.make({ 'talk.ts': workflow })
  projects.push(project)
  for (const name of ['tmp', '.almanac']) mkdirSync(join(project.folder, name), { recursive: true })
  writeFileSync(join(project.folder, 'log'), '')
  return project
}

const logsOf = (folder: string): string[] => {
  const logs = join(folder, '.almanac', 'logs')
  return existsSync(logs) ? readdirSync(logs) : []
}

it('a run whose removal was killed in any kind of its writes is removed by the next, logs and all', {
  timeout: 900_000,
}, async () => {
  const first = await makeProject()
  const { id } = await first.json('run', 'talk.ts')
  const run = String(id)
  expect(logsOf(first.folder)).toEqual([run])
  const copy = async (): Promise<Project> => {
    const project = await makeProject()
    cpSync(first.folder, project.folder, { recursive: true, preserveTimestamps: true })
    return project
  }
  const kinds = await kindsOfWrites((await copy()).folder, ['rm', run])
  expect(kinds).toContain('rm logs')
  const moments = kinds
    .filter((kind) => !/PRAGMA|BEGIN|locks/.test(kind))
    .flatMap((kind) => (kind === 'sql COMMIT' ? [1, 2, 3, 4] : [1]).map((n) => ({ kind, n })))
  let killed = 0
  for (const { kind, n } of moments) {
    const when = `${kind} ${n}`
    const project = await copy()
    const { death, pid } = await live(project.folder, ['rm', run], { when: 'write', kind, n })
    if (death !== 'moment') continue
    killed++
    // nobody would look for logs of a run that is gone
    const known = (await project.run('show', run)).code === 0
    if (!known) expect(logsOf(project.folder), when).toEqual([])
    expect((await project.run('rm', run)).code, when).toBe(known ? 0 : 2)
    expect(logsOf(project.folder), when).toEqual([])
    await nothingLeft(project.folder, [pid], { when, but: ['work', 'locks'] })
  }
  expect(killed).toBeGreaterThan(3)
})
