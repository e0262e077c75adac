import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Project } from '../cli/almanac.ts'

/** Functions in threads, as a user has them: the built command, and programs that open Almanac. */

let project: Project

beforeEach(async () => {
  project = await Project.make()
})
afterEach(() => project.remove())

const log = (): string[] => readFileSync(join(project.folder, 'log'), 'utf8').trim().split('\n')

const sums = (by: number, fails = false): string => `
import { appendFileSync } from 'node:fs'
import { task, type TaskContext, workflow } from 'almanac'

export const made = task('made', { run: 'thread' }, (n: number, { empty }: TaskContext) => {
  console.log(\`made \${n}\`)
  appendFileSync(${JSON.stringify(join(project.folder, 'log'))}, \`made \${n}\\n\`)
  return empty(Float64Array, 1000).fill(n * ${by})
})
export const add = task('add', { run: 'thread' }, (a: Float64Array, b: Float64Array) => a.map((x, i) => x + (b[i] as number)))
export const total = task('total', { run: 'thread' }, (all: Float64Array) => {
  if (${fails}) throw new Error('not yet')
  return all.reduce((a, b) => a + b, 0)
})

export default workflow('sums', async () => total(add(made(1), made(2))))
`

describe('a workflow with functions in threads', () => {
  it('is executed, with what they print in their logs, and loaded anew when it was edited', async () => {
    await project.write({ 'sums.ts': sums(1) })
    const first = await project.json('run', 'sums.ts')
    expect(first).toMatchObject({ state: 'succeeded', output: 3000 })
    expect((await project.run('logs', String(first['id']), 'made')).stdout).toContain('made 1')
    await project.write({ 'sums.ts': sums(10) })
    expect(await project.json('run', 'sums.ts')).toMatchObject({ state: 'succeeded', output: 30_000 })
  })

  it('keeps arrays that a failed run needs to go on', async () => {
    await project.write({ 'sums.ts': sums(1, true) })
    const failed = await project.json('run', 'sums.ts')
    expect(failed).toMatchObject({ state: 'failed', error: { message: 'not yet' } })
    await project.write({ 'sums.ts': sums(1) })
    expect(await project.json('resume', String(failed['id']))).toMatchObject({
      state: 'succeeded',
      output: 3000,
    })
    expect(log().sort()).toEqual(['made 1', 'made 2'])
  })

  it('has arrays made again that were let go of, in whatever way they are taken then', async () => {
    await project.write({
      'late.ts': `
import { appendFileSync } from 'node:fs'
import { task, type TaskContext, workflow } from 'almanac'
export const made = task('made', { run: 'thread' }, (n: number, { empty }: TaskContext) => {
  appendFileSync(${JSON.stringify(join(project.folder, 'log'))}, \`made \${n}\\n\`)
  return { array: empty(Float64Array, 4).fill(n), n }
})
export const add = task('add', { run: 'thread' }, (a: Float64Array, b: Float64Array) => a.map((x, i) => x + (b[i] as number)))
export const total = task('total', { run: 'thread' }, (all: Float64Array) => all.reduce((a, b) => a + b, 0))
export default workflow('late', async () => {
  const count = 1200
  const leaves = Array.from({ length: count }, (_, n) => made(n))
  let level = leaves.map(({ array }) => array)
  while (level.length > 1) {
    const next = []
    for (let at = 0; at < level.length; at += 2) next.push(at + 1 < level.length ? add(level[at], level[at + 1]) : level[at])
    level = next
  }
  const sum = await total(level[0])
  const [asFuture, whole, field] = [total(leaves[3].array), await leaves[5], await leaves[7].array]
  return [sum, await asFuture, whole.n, await total(whole.array), await total(add(field, whole.array)), await total(leaves[7].array)]
})
`,
    })
    const first = await project.json('run', 'late.ts')
    const sum = (4 * 1199 * 1200) / 2
    expect(first).toMatchObject({ state: 'succeeded', output: [sum, 12, 5, 20, 48, 28] })
    const made = log()
    // what is let go of first is what was used first
    expect([made.length, new Set(made).size]).toEqual([1203, 1200])
    expect(made.slice(1200).sort()).toEqual(['made 3', 'made 5', 'made 7'])
    await project.run('resume', String(first['id']))
    expect(log()).toHaveLength(1203)
  })

  it('is told what to do where a function only exists in its process', async () => {
    await project.write({
      'closure.ts': `
import { task, workflow } from 'almanac'
import { isMainThread } from 'node:worker_threads'
export const here = isMainThread ? task('here', { run: 'thread' }, () => 1) : undefined
export default workflow('closure', async () => here?.())
`,
    })
    const failed = await project.json('run', 'closure.ts')
    expect(failed).toMatchObject({ state: 'failed', error: { code: 'ALM_THREAD_TASK' } })
  })
})

describe('a program that opens Almanac', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const program = (guard: string): string => `
import { open, task, workflow } from 'almanac'

export const twice = task('twice', { run: 'thread' }, (n: number) => 2 * n)
const all = workflow('all', async () => twice(21))

${guard} {
  const almanac = await open({ journal: 'memory' })
  console.log(await almanac.run(all).catch((error: Error) => error.message))
  await almanac.close()
}
`
  const run = async (guard: string): Promise<string> => {
    mkdirSync(join(project.folder, 'node_modules'))
    symlinkSync(root, join(project.folder, 'node_modules/almanac'))
    await project.write({ 'program.ts': program(guard) })
    const { stdout } = await promisify(execFile)(process.execPath, ['program.ts'], { cwd: project.folder })
    return stdout.trim()
  }

  it('has its tasks in threads where those do not run it', async () => {
    expect(await run('if (import.meta.main)')).toBe('42')
  })

  it('is told of it where they would', async () => {
    expect(await run('')).toContain(
      'could not be loaded in a thread: a module with tasks for threads opens Almanac',
    )
  })
})
