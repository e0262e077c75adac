import { hostname } from 'node:os'
import { afterEach, expect, it } from 'vitest'
import { Project } from '../cli/almanac.ts'

let project: Project

afterEach(() => project.remove())

const workflow = `
import { appendFileSync, existsSync } from 'node:fs'
import { task, workflow } from 'almanac'
export const first = task('first', () => { appendFileSync('log', 'first\\n'); return 1 })
export const second = task('second', async (n: number) => {
  appendFileSync('log', 'second\\n')
  if (!existsSync('open')) await new Promise(() => setInterval(() => undefined, 60_000))
  return n + 1
})
export default workflow('owned', async () => second(await first()))
`

it('of two processes that resume a run at once one owns it, and the other names the one that does', async () => {
  project = await Project.make({ 'owned.ts': workflow })
  const killed = project.start('run', 'owned.ts', '--json')
  await killed.saw(/"started"/)
  killed.child.kill('SIGKILL')
  await killed.ended
  const run = (JSON.parse((await killed.ended).stdout.split('\n')[0] as string) as { id: string }).id

  const both = [1, 2].map(() => project.start('resume', run, '--json'))
  const first = await Promise.race(both.map(async (one) => ({ one, ran: await one.ended })))
  const owner = both.find((one) => one !== first.one)
  await owner?.saw(/"started"/)
  expect(first.ran.code).toBe(1)
  expect(first.ran.stderr).toContain(
    `Run ${run} is executed by process ${owner?.child.pid} on ${hostname()}.`,
  )
  expect(JSON.parse(first.ran.stdout.trim())).toMatchObject({
    kind: 'error',
    code: 'ALM_RUN_OWNED',
    details: { run, pid: owner?.child.pid, host: hostname() },
  })

  // one that comes later is told the same; when the owner is gone the run is free
  const later = await project.run('resume', run)
  expect(later.stderr).toContain(`Run ${run} is executed by process ${owner?.child.pid} on ${hostname()}.`)
  owner?.child.kill('SIGKILL')
  await owner?.ended
  await project.write({ open: '' })
  const { state, output } = await project.json('resume', run)
  expect({ state, output }).toEqual({ state: 'succeeded', output: 2 })
})
