import { execFileSync, spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { Project } from '../cli/almanac.ts'

const collector = fileURLToPath(new URL('./gc/collect.ts', import.meta.url))

const reader = `
import { readFile } from 'node:fs/promises'
import { dataset, task, workflow } from 'almanac'
export const read = task('read', { cache: false }, async (lines, _turn) => readFile(lines.at + '/lines.txt', 'utf8'))
export const wait = task('wait', { cache: false }, async (_) => readFile('gate', 'utf8'))
export default workflow('reader', async () => {
  const first = await read(dataset('lines').read(), 1)
  const gate = await wait(first)
  return [first, await read(dataset('lines').read(), gate)]
})
`

const projects: Project[] = []
afterEach(async () => {
  for (const project of projects.splice(0)) await project.remove()
})

/** What `almanac gc` does so many hours from now. */
function collect(folder: string, hours: number): Promise<Record<string, unknown>> {
  const child = spawn(process.execPath, [collector, String(hours)], { cwd: folder })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += String(data)))
  return new Promise((resolve, reject) =>
    child.on('close', (code) => (code === 0 ? resolve(JSON.parse(said)) : reject(new Error(said)))),
  )
}

it('a version that a run reads for weeks stays with all its content, whatever is collected beside it', async () => {
  const config = `export default { retention: { versions: { count: 1 }, cache: { age: '1d' } } }`
  const project = await Project.make({ 'reader.ts': reader, 'almanac.config.ts': config })
  projects.push(project)
  const { folder } = project
  execFileSync('mkfifo', [join(folder, 'gate')])
  const add = async (n: number): Promise<void> => {
    execFileSync('mkdir', ['-p', join(folder, 'in')])
    await writeFile(join(folder, 'in/lines.txt'), `lines ${n}`)
    const added = await project.run('data', 'add', 'lines', 'in', '--managed')
    expect(added.code, added.stderr).toBe(0)
  }
  await add(1)
  const run = project.start('run', 'reader.ts', '--json')
  // somebody waits at the gate once it can be written to
  const gate = spawn('sh', ['-c', 'exec 3>gate; echo open; read x; echo x >&3'], { cwd: folder })
  await new Promise((resolve) => gate.stdout.once('data', resolve))
  await add(2)
  await add(3)
  const versions = async () =>
    (await project.run('data', 'log', 'lines', '--json')).stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { version: number }).version)
  const retired: unknown[] = []
  for (const hours of [1, 30, 60, 500, 1000]) retired.push((await collect(folder, hours))['retired'])
  expect(retired[0]).toMatchObject({ versions: 1 })
  expect(await versions()).toEqual([3, 1])
  gate.stdin.end('now\n')
  const { code, stdout, stderr } = await run.ended
  expect(code, stderr).toBe(0)
  const [end] = stdout.trim().split('\n').slice(-1)
  expect(JSON.parse(String(end))).toMatchObject({ state: 'succeeded', output: ['lines 1', 'lines 1'] })
  expect((await collect(folder, 1500))['retired']).toMatchObject({ versions: 1 })
  expect(await versions()).toEqual([3])
})
