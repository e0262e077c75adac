import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Project, type Ran } from './almanac.ts'

const flow = `
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { command, dir, file, task, workflow, type Dir, type File } from 'almanac'

export const words = task('words', (text: File, than: number) => {
  return readFileSync(text.at!, 'utf8').split(/\\s+/).filter((word) => word.length > than).length
})
export const chance = task('chance', (text: File) => text.size + Math.random())
export const slow = command.task({
  name: 'slow',
  run: ['bash', '-c', 'echo $$ >> "$0"; while [ ! -e "$1" ]; do sleep 0.05; done; wc -c < "$2" > "$3"', process.cwd() + '/began', process.cwd() + '/go', '{in.text}', '{out.size}'],
  input: { text: file() },
  output: { size: file() },
})
export const listing = task('listing', (texts: Dir) => texts.entries)

export const counting = workflow('counting', { input: { text: file(), texts: dir() } }, async ({ text, texts }) => ({
  words: await words(text, 3),
  chance: await chance(text),
  files: await listing(texts),
}))
export const long = workflow('long', { input: { text: file() } }, async ({ text }) => slow({ text }))
`
const counting = `export { counting as default } from './flow.ts'\n`
const long = `export { long as default } from './flow.ts'\n`

const projects: Project[] = []
afterEach(async () => {
  for (const project of projects.splice(0)) await project.remove()
})

async function aProject(): Promise<Project> {
  const project = await Project.make({
    'flow.ts': flow,
    'counting.ts': counting,
    'long.ts': long,
    'a.txt': 'some words of a text\n',
  })
  projects.push(project)
  const { mkdirSync } = await import('node:fs')
  mkdirSync(join(project.folder, 'texts'))
  await project.write({ 'texts/one.txt': '1', 'texts/two.txt': '2' })
  return project
}

const run = (project: Project, ...more: string[]): Promise<Record<string, unknown>> =>
  project.json('run', 'counting.ts', '-i', 'text=a.txt', '-i', 'texts=texts', ...more)

const objects = ({ stdout }: Ran): Record<string, unknown>[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

describe('the run cache from the command line', () => {
  it('is listed, shown, counted and cleared; a task that varies is named', async () => {
    const project = await aProject()
    expect((await project.run('cache', 'ls')).stdout).toBe('No results are kept yet.\n')
    const first = await run(project)
    const second = await run(project)
    expect([first['executed'], second['executed'], second['reused']]).toEqual([3, 0, 3])
    const listed = objects(await project.run('cache', 'ls', '--json'))
    expect(listed.map(({ name, hits }) => [name, hits]).sort()).toEqual([
      ['chance', 1],
      ['listing', 1],
      ['words', 1],
    ])
    const words = listed.find(({ name }) => name === 'words') as Record<string, string>
    const shown = await project.run('cache', 'show', (words['fingerprint'] as string).slice(0, 12))
    expect(shown.stdout).toMatch(/used +1 time, last/)
    expect(shown.stdout).toMatch(/value +3/)
    expect(shown.stdout).toMatch(/code of flow\.ts:words/)
    expect(shown.stdout).toMatch(/argument 1 +file a\.txt [0-9a-f]{12}/)
    expect(shown.stdout).toMatch(/argument 2 +3\n/)

    expect((await run(project, '--refresh'))['varied']).toEqual(['chance'])
    const stats = (await project.json('cache', 'stats')) as {
      entries: number
      hits: number
      tasks: { name: string; varied: number }[]
    }
    expect([stats.entries, stats.hits]).toEqual([3, 3])
    expect(stats.tasks.map(({ name, varied }) => [name, varied])).toEqual([
      ['chance', 1],
      ['listing', 0],
      ['words', 0],
    ])
    expect((await project.run('cache', 'stats')).stdout).toMatch(/! chance gave different results/)

    const nothing = await project.run('cache', 'rm')
    expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringContaining('say which')])
    expect(await project.json('cache', 'rm', '--task', 'words', '--dry-run')).toMatchObject({ entries: 1 })
    expect(await project.json('cache', 'rm', '--task', 'words')).toMatchObject({ entries: 1 })
    expect(await project.json('cache', 'rm', '--older-than', '1h')).toMatchObject({ entries: 0 })
    expect((await run(project))['executed']).toBe(1)
    expect(await project.json('cache', 'rm', '--all')).toMatchObject({ entries: 3 })
    expect((await run(project))['executed']).toBe(3)
  })

  it('says why: the argument, the file of a directory, the function that differs', async () => {
    const project = await aProject()
    await run(project)
    expect((await run(project))['executed']).toBe(0)
    expect((await project.run('why', 'last', 'words')).stdout).toMatch(/was reused from the run cache/)

    await project.write({ 'texts/two.txt': '22', 'texts/three.txt': '3' })
    await run(project)
    const directory = (await project.run('why', 'last', 'listing')).stdout
    expect(directory).toMatch(/What differs from the nearest kept result/)
    expect(directory).toMatch(/argument 1 +directory [0-9a-f]{12} +→ +directory [0-9a-f]{12}/)
    expect(directory).toMatch(/added three\.txt/)
    expect(directory).toMatch(/changed two\.txt/)

    await project.write({ 'flow.ts': flow.replace('words(text, 3)', 'words(text, 2)') })
    await run(project)
    expect((await project.run('why', 'last', 'words')).stdout).toMatch(/argument 2 +3 +→ +2/)

    await project.write({ 'flow.ts': flow.replace('word.length > than', 'word.length >= than') })
    await run(project)
    const code = (await project.run('why', 'last', 'words')).stdout
    expect(code).toMatch(/code of flow\.ts:words +[0-9a-f]{12} +→ +[0-9a-f]{12}/)
    expect(code).not.toMatch(/argument/)

    await run(project, '--no-cache')
    expect((await project.run('why', 'last', 'words')).stdout).toContain('started with --no-cache')
  })

  it('says why of a call that is never kept: this run executed it with other code before', async () => {
    const flow = (say: string) => `
import { task, workflow } from 'almanac'
export const first = task('first', () => '${say}')
export const fails = task('fails', (text) => { if (text === 'one') throw new Error('no'); return text })
export default workflow('flow', async () => { const text = await first(); return fails(text) })
`
    const project = await Project.make({ 'flow.ts': flow('one') })
    projects.push(project)
    expect((await project.run('run', 'flow.ts')).code).toBe(1)
    expect((await project.run('why', 'last', 'first')).stdout).toContain('are not kept for other runs')
    await project.write({ 'flow.ts': flow('two') })
    expect((await project.run('resume', 'last')).code).toBe(0)
    expect((await project.run('why', 'last', 'first')).stdout).toContain(
      'was executed again: its code, inputs or surroundings are others',
    )
  })
})

describe('of identical calls of two processes one is executed', () => {
  const begin = (project: Project) => project.start('run', 'long.ts', '-i', 'text=a.txt', '--json')
  const beganOf = (project: Project): number => {
    const path = join(project.folder, 'began')
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').length : 0
  }
  const until = (check: () => unknown): Promise<void> =>
    vi.waitFor(
      async () => {
        expect(await check()).toBeTruthy()
      },
      { timeout: 240_000, interval: 50 },
    )
  const isWaiting = async (project: Project): Promise<boolean> =>
    (await project.run('why', 'last', 'slow')).stdout.includes('executes the same')

  it('the other waits, and takes the result', async () => {
    const project = await aProject()
    const first = begin(project)
    await until(() => beganOf(project) === 1)
    const second = begin(project)
    await until(() => isWaiting(project))
    writeFileSync(join(project.folder, 'go'), '')
    const [one, two] = await Promise.all([first.ended, second.ended])
    expect([one, two].map((ran) => objects(ran).at(-1))).toMatchObject([
      { state: 'succeeded', executed: 1, reused: 0 },
      { state: 'succeeded', executed: 0, reused: 1 },
    ])
    expect(beganOf(project)).toBe(1)
  })

  it('and executes itself when the first is killed', async () => {
    const project = await aProject()
    const first = begin(project)
    await until(() => beganOf(project) === 1)
    const second = begin(project)
    await until(() => isWaiting(project))
    first.child.kill('SIGKILL')
    await until(() => beganOf(project) === 2)
    writeFileSync(join(project.folder, 'go'), '')
    expect(objects(await second.ended).at(-1)).toMatchObject({ state: 'succeeded', executed: 1, reused: 0 })
    expect(beganOf(project)).toBe(2)
  })
})
