import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { Project } from './almanac.ts'

/** Triggers twelve runs; each waits until there is a file `go`, where it is told to. */
const flow = `import { existsSync, writeFileSync } from 'node:fs'
import { json, run, task, workflow } from 'almanac'
export const work = task('work', { cache: false }, async (n: number, waits: boolean) => {
  if (waits) writeFileSync('begun-' + n, '')
  while (waits && !existsSync('go')) await new Promise((go) => setTimeout(go, 20))
  return n
})
const input = { n: json<number>(), waits: json<boolean>() }
export const one = workflow('one', { input }, async ({ n, waits }) => work(n, waits))
export default workflow('many', { input: { waits: json<boolean>() } }, async ({ waits }) => {
  for (let n = 0; n < 12; n++) await run.trigger(one, { n: work(n + 100, false), waits })
  return 'all'
})
`

let project: Project

afterEach(() => project.remove())

/** States of the runs that were triggered, and how many inputs and calls they are of. */
async function triggered(): Promise<unknown> {
  const { stdout } = await project.run('runs', '--workflow', 'one', '--limit', '100', '--json')
  const runs = stdout.trim().split('\n').filter(Boolean)
  const told = runs.map(
    (line) => JSON.parse(line) as { state: string; input: { n: number }; triggeredBy: { call: number } },
  )
  const counts: Record<string, number> = {}
  for (const { state } of told) counts[state] = (counts[state] ?? 0) + 1
  const inputs = new Set(told.map(({ input }) => input.n))
  return {
    ...counts,
    inputs: inputs.size,
    calls: new Set(told.map(({ triggeredBy }) => triggeredBy.call)).size,
  }
}

const parent = async (): Promise<string> => (await project.json('runs', '--workflow', 'many'))['id'] as string

it.each([1, 6, 12])(
  'has each run once, and executes all, when it is killed after %i of them',
  async (count) => {
    project = await Project.make({ 'flow.ts': flow })
    const first = project.start('run', 'flow.ts', '--input', 'waits=false')
    await first.saw(new RegExp(`(→[^→]*){${count}}`))
    first.child.kill('SIGKILL')
    await first.ended
    const id = await parent()
    const second = project.start('resume', id)
    await second.saw(/→ triggered one/)
    second.child.kill('SIGKILL')
    await second.ended
    expect((await project.run('resume', id)).code).toBe(0)
    expect(await triggered()).toEqual({ succeeded: 12, inputs: 12, calls: 12 })
  },
)

it('leaves them to whoever resumes the run, when it is told to stop while it waits for them', async () => {
  project = await Project.make({ 'flow.ts': flow })
  const waiting = project.start('run', 'flow.ts', '--input', 'waits=true')
  await waiting.saw(/Waiting for 12 triggered runs/)
  // Four are executed at once, and each takes its run when it can: all of them have.
  for (const n of [100, 101, 102, 103]) await project.there(`begun-${n}`)
  waiting.child.kill('SIGINT')
  const { code, stderr } = await waiting.ended
  expect([code, /Left 12 triggered runs/.test(stderr)]).toEqual([0, true])
  expect(await triggered()).toEqual({ interrupted: 4, scheduled: 8, inputs: 12, calls: 12 })
  await project.write({ go: '' })
  expect((await project.run('resume', await parent())).code).toBe(0)
  expect(await triggered()).toEqual({ succeeded: 12, inputs: 12, calls: 12 })
})

/** Triggers a run that triggers one, which waits until there is a file `go`; those above it end at once, or wait for a message. */
const below = `import { existsSync, writeFileSync } from 'node:fs'
import { json, run, task, workflow } from 'almanac'
export const work = task('work', { cache: false }, async () => {
  writeFileSync('begun', '')
  while (!existsSync('go')) await new Promise((go) => setTimeout(go, 20))
  return 'done'
})
export const last = workflow('last', async () => work())
export const middle = workflow('middle', { input: json<{ rests: boolean }>() }, async ({ rests }) => {
  const { id } = await run.trigger(last)
  return rests ? run.receive('go', json<string>()) : id
})
export default workflow('first', { input: json<{ rests: boolean }>() }, async ({ rests }) => {
  await run.trigger(middle, { rests })
  return 'first'
})
`

it.each([
  ['succeeded', false],
  ['waiting', true],
])(
  'goes on with what a triggered run has triggered that %s itself, when the first is resumed',
  async (state, rests) => {
    project = await Project.make({ 'flow.ts': below })
    const states = async (): Promise<unknown[]> =>
      (await project.run('runs', '--json')).stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { workflow: string; state: string })
        .map((run) => `${run.workflow} ${run.state}`)
    const first = project.start('run', 'flow.ts', '--input', `rests=${rests}`)
    await first.saw(new RegExp(`middle \\S+ ${state}`))
    // which is said when the first has ended: the one that it triggered may be faster
    await first.saw(/Waiting for \d triggered run/)
    await project.there('begun')
    first.child.kill('SIGKILL')
    await first.ended
    expect(await states()).toEqual(['last interrupted', `middle ${state}`, 'first succeeded'])
    await project.write({ go: '' })
    const id = (await project.json('runs', '--workflow', 'first'))['id'] as string
    expect((await project.run('resume', id)).code).toBe(0)
    expect(await states()).toEqual(['last succeeded', `middle ${state}`, 'first succeeded'])
  },
)

/** The file of the triggered run that is left is there, and takes as long to load as there is a file `slow`. */
const slowly = `import os, time
from almanac import run, task, workflow
@task(cache=False)
def work():
    open("begun", "w").close()
    while not os.path.exists("go"): time.sleep(0.01)
@workflow
async def last():
    await work()
@workflow
async def middle():
    await run.trigger(last)
if os.path.exists("slow"): open("loads", "w").close()
while os.path.exists("slow"): time.sleep(0.01)
`
const loading = `import { python, run, workflow } from 'almanac'
const middle = python.workflow('slowly.py:middle')
export default workflow('first', async () => { await run.trigger(middle) })
`

it('hears that it is to stop also while it looks for what its triggered runs have triggered', async () => {
  project = await Project.make({ 'flow.ts': loading, 'slowly.py': slowly })
  const first = project.start('run', 'flow.ts')
  await first.saw(/middle \S+ succeeded/)
  await first.saw(/Waiting for \d triggered run/)
  await project.there('begun')
  first.child.kill('SIGKILL')
  await first.ended
  await project.write({ slow: '' })
  const id = (await project.json('runs', '--workflow', 'first'))['id'] as string
  const again = project.start('resume', id)
  await again.saw(/succeeded/)
  await project.there('loads')
  again.child.kill('SIGINT')
  await again.saw(/Left/)
  rmSync(join(project.folder, 'slow'))
  const { code, stderr } = await again.ended
  expect([code, stderr]).toEqual([
    0,
    expect.stringMatching(
      new RegExp(`Left triggered runs that were still looked for; .* resume ${id} goes on with them\\.\n`),
    ),
  ])
  expect((await project.json('runs', '--workflow', 'last'))['state']).toBe('interrupted')
})
