import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { Project } from './almanac.ts'

let project: Project

afterEach(() => project.remove())

const hangs = `
import { task, workflow } from 'almanac'
export const first = task('first', () => 1)
export const hang = task('hang', async (_: number) => { console.error('hangs'); await new Promise(() => setInterval(() => undefined, 1000)) })
export default workflow('hangs', async () => hang(await first()))
`

it('a run whose process was killed is shown as interrupted, with the command that resumes it', async () => {
  project = await Project.make({ 'hangs.ts': hangs })
  const run = project.start('run', 'hangs.ts', '--json')
  await run.saw(/"started"/)
  for (;;) {
    const { counts, state } = await project.json('show', 'last')
    if ((counts as Record<string, number>)['succeeded'] === 1 && state === 'running') break
  }
  run.child.kill('SIGKILL')
  await run.ended
  for (const args of [['runs'], ['status'], ['show', 'last']]) {
    const { state, next, process } = await project.json(...args)
    expect([args[0], state, process, /^almanac resume \w+$/.test(String(next))]).toEqual([
      args[0],
      'interrupted',
      null,
      true,
    ])
    expect((await project.run(...args)).stdout).toMatch(/interrupted[\s\S]*almanac resume \w+/)
  }
})

it('a dry run tells all entries of a map with one processor, what is unknown, and fails where the workflow throws', async () => {
  project = await Project.make({
    'maps.ts': `
import { dir, task, workflow } from 'almanac'
export const size = task('size', (f: { size: number }) => f.size)
export const sum = task('sum', (all: unknown) => all)
export default workflow('maps', { input: { raw: dir() } }, async ({ raw }) => sum(size.map(raw)))
`,
    'throws.ts':
      "import { workflow } from 'almanac'\nexport default workflow('throws', async () => { throw new Error('no') })\n",
  })
  await mkdir(join(project.folder, 'raw'))
  await project.write({ 'raw/a': 'a', 'raw/b': 'bb', 'raw/c': 'ccc' })
  const args = ['run', 'maps.ts', '-i', 'raw=raw', '--dry-run', '-j', '1']
  expect((await project.json(...args))['would']).toEqual({ execute: 3, reuse: 0, unknown: 1 })
  expect((await project.run(...args)).stdout).toMatch(
    /Would execute 3\n {2}size × 3 new\n[\s\S]*sum × 1 until size has run/,
  )
  expect((await project.run('run', 'throws.ts', '--dry-run')).code).toBe(1)
})

it('the project of the workflow file counts, not the place where the command is typed', async () => {
  project = await Project.make({
    'p.ts': "import { workflow } from 'almanac'\nexport default workflow('p', async () => 1)\n",
  })
  const elsewhere = await Project.make()
  expect((await elsewhere.run('run', join(project.folder, 'p.ts'))).code).toBe(0)
  expect([
    existsSync(join(project.folder, '.almanac')),
    existsSync(join(elsewhere.folder, '.almanac')),
  ]).toEqual([true, false])
  await elsewhere.remove()
})
