import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text as textOf } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { Project } from './almanac.ts'

/** Triggers a run with a file, which makes another one of it, waits, and then reads both. */
const flow = `import { readFile, writeFile } from 'node:fs/promises'
import { file, json, run, task, workflow, z } from 'almanac'
export const page = task('page', { output: { text: file('page.txt') } }, async (word: string, { out }) => {
  await writeFile(out.text, word)
})
export const copied = task('copied', { output: { text: file('copy.txt') } }, async (text, { out }) => {
  await writeFile(out.text, 'copy of ' + (await readFile(text.at, 'utf8')))
})
export const read = task('read', async (text, copy) => [
  await readFile(text.at, 'utf8'),
  await readFile(copy.at, 'utf8'),
])
export const later = workflow('later', { input: { text: file() } }, async ({ text }) => {
  const copy = copied(text).text
  const { more } = await run.receive('go', { more: json<string>() })
  return { more, texts: read(text, copy) }
})
export default workflow('first', async () => {
  await run.trigger(later, { text: page('words').text })
  return 'first'
})
`

const collector = fileURLToPath(new URL('../faults/gc/collect.ts', import.meta.url))

let project: Project

afterEach(() => project.remove())

/** A collection so many hours from now. */
async function collected(hours: number): Promise<Record<string, unknown>> {
  const child = spawn(process.execPath, [collector, String(hours)], { cwd: project.folder })
  const [said] = await Promise.all([textOf(child.stdout), once(child, 'close')])
  return JSON.parse(said) as Record<string, unknown>
}

const runOf = (workflow: string): Promise<Record<string, unknown>> =>
  project.json('runs', '--workflow', workflow)

it('keeps what a triggered run that waits needs, when the run that triggered it is gone, and nothing after it', async () => {
  project = await Project.make({ 'flow.ts': flow })
  expect((await project.run('run', 'flow.ts')).code).toBe(0)
  const first = String((await runOf('first'))['id'])
  const { id, state, triggeredBy } = await runOf('later')
  expect({ state, triggeredBy }).toEqual({ state: 'waiting', triggeredBy: { run: first, call: 1, depth: 1 } })
  expect((await project.run('rm', first)).code).toBe(0)
  expect((await project.run('cache', 'rm', '--all')).code).toBe(0)
  for (const hours of [30, 60, 90, 120]) expect(await collected(hours)).toMatchObject({ kept: 2, deleted: 0 })
  const { stdout } = await project.run('show', String(id))
  expect(stdout).toContain(`triggered by run ${first}, call 1`)
  await project.run('send', String(id), 'go', 'more=yes')
  expect(await project.json('resume', String(id))).toMatchObject({
    state: 'succeeded',
    output: { more: 'yes', texts: ['words', 'copy of words'] },
    executed: 1,
    reused: 1,
  })
  await project.run('rm', String(id))
  await project.run('cache', 'rm', '--all')
  for (const hours of [150, 180]) await collected(hours)
  expect(await collected(210)).toMatchObject({ kept: 0, deleted: 2 })
})

it('retires the run that has triggered others, and leaves those that have not ended', async () => {
  const config = 'export default { retention: { runs: { count: 0 } } }\n'
  project = await Project.make({ 'flow.ts': flow, 'almanac.config.ts': config })
  expect((await project.run('run', 'flow.ts')).code).toBe(0)
  const { id } = await runOf('later')
  expect(await collected(0)).toMatchObject({ retired: { runs: 1 } })
  const { stdout } = await project.run('runs', '--json')
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { workflow: string }).workflow),
  ).toEqual(['later'])
  await project.run('send', String(id), 'go', 'more=yes')
  expect((await project.run('resume', String(id))).code).toBe(0)
  expect(await collected(0)).toMatchObject({ retired: { runs: 1 } })
})

/** Triggers more runs than are executed at once, each of which works until there is a file. */
const many = `import { existsSync, writeFileSync } from 'node:fs'
import { json, run, task, workflow } from 'almanac'
export const work = task('work', { cache: false }, async (n: number) => {
  writeFileSync('begun-' + n, '')
  while (!existsSync('go')) await new Promise((go) => setTimeout(go, 20))
  return n
})
export const one = workflow('one', { input: { n: json<number>() } }, async ({ n }) => work(n))
export default workflow('many', async () => {
  for (let n = 0; n < 5; n++) await run.trigger(one, { n })
})
`

it('lets a run be removed whose triggered runs nobody has: each of them goes on by itself, and is not removed before', async () => {
  project = await Project.make({ 'many.ts': many })
  const first = project.start('run', 'many.ts')
  await first.saw(/Waiting for 5 triggered runs/)
  // Four are executed at once, and each takes its run when it can: all of them have.
  for (const n of [0, 1, 2, 3]) await project.there(`begun-${n}`)
  first.child.kill('SIGKILL')
  await first.ended
  const { id } = await runOf('many')
  expect((await project.run('rm', String(id))).code).toBe(0)
  const { stdout } = await project.run('runs', '--json')
  const left = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; state: string })
  expect(left.map(({ state }) => state)).toEqual(['scheduled', ...Array<string>(4).fill('interrupted')])
  await project.write({ go: '' })
  for (const { id: one } of left) {
    const refused = await project.run('rm', one)
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('ALM_RUN_ACTIVE')])
    expect((await project.run('resume', one)).code).toBe(0)
    expect((await project.run('rm', one)).code).toBe(0)
  }
  expect((await project.run('runs', '--json')).stdout).toBe('')
})
