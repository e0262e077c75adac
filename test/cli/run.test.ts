import { existsSync } from 'node:fs'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { Project } from './almanac.ts'

let project: Project

afterEach(() => project.remove())

const sums = `
import { json, task, workflow } from 'almanac'
export const double = task('double', (n: number) => { console.log('doubling', n); return 2 * n })
export const add = task('add', (a: number, b: number) => a + b)
export default workflow('sums', { input: { n: json<number>() } }, async ({ n }) => add(double(n), double(n + 1)))
`

/** Whose module and function print by either way. */
const says = `
import { workflow } from 'almanac'
console.log('module')
process.stdout.write('module wrote\\n')
export default workflow('says', async () => {
  console.log('workflow')
  process.stdout.write('workflow wrote\\n')
})
`

it('--json is one object a line, whatever a workflow and its module print: that goes beside it', async () => {
  project = await Project.make({ 'says.ts': says })
  const { code, stdout, stderr } = await project.run('run', 'says.ts', '--json')
  const kinds = stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { kind: string }).kind)
  expect([code, kinds]).toEqual([0, ['started', 'run']])
  expect(stderr).toBe('module\nmodule wrote\nworkflow\nworkflow wrote\n')
  expect((await project.run('run', 'says.ts')).stdout).toContain('workflow wrote\n')
})

describe('almanac run', () => {
  it('runs a workflow and prints its output as one JSON object a line', async () => {
    project = await Project.make({ 'sums.ts': sums })
    const { code, stdout, stderr } = await project.run('run', 'sums.ts', '--input', 'n=3', '--json')
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    const { id, durationMs, ...result } = lines.at(-1) as Record<string, unknown>
    expect({ code, stderr, ids: typeof id, times: typeof durationMs }).toEqual({
      code: 0,
      stderr: '',
      ids: 'string',
      times: 'number',
    })
    expect(result).toEqual({
      kind: 'run',
      state: 'succeeded',
      counts: { succeeded: 3, waiting: 0, running: 0 },
      executed: 3,
      reused: 0,
      savedMs: 0,
      output: 14,
      error: null,
      shown: null,
      next: null,
    })
  })

  it('goes on to its end where nobody reads what it prints', async () => {
    project = await Project.make({ 'sums.ts': sums })
    const { child, ended } = project.start('run', 'sums.ts', '--input', 'n=3', '--json')
    child.stdout.destroy()
    const { code, stderr } = await ended
    const { state, output } = await project.json('run', 'sums.ts', '--input', 'n=3')
    expect({ code, stderr, state, output }).toEqual({ code: 0, stderr: '', state: 'succeeded', output: 14 })
  })

  it('resumes a run whose process was killed, and executes only the rest', async () => {
    project = await Project.make({
      'long.ts': `
import { existsSync, writeFileSync } from 'node:fs'
import { task, workflow } from 'almanac'
export const first = task('first', () => 1)
export const second = task('second', async (n: number) => {
  if (!existsSync('again')) { writeFileSync('again', ''); console.error('blocked'); await new Promise(() => setInterval(() => undefined, 1000)) }
  return n + 1
})
export default workflow('long', async () => second(await first()))
`,
    })
    const { child, ended, saw } = project.start('run', 'long.ts', '--json')
    await saw(/"started"/)
    for (;;) {
      const show = await project.json('show', 'last')
      // and the second has begun: it blocks but once
      const isBlocked = existsSync(join(project.folder, 'again'))
      if ((show['counts'] as Record<string, number>)['succeeded'] === 1 && isBlocked) break
    }
    child.kill('SIGKILL')
    await ended
    const resumed = await project.json('resume', 'last')
    expect({
      state: resumed['state'],
      executed: resumed['executed'],
      reused: resumed['reused'],
      output: resumed['output'],
    }).toEqual({
      state: 'succeeded',
      executed: 1,
      reused: 1,
      output: 2,
    })
  })

  it('ends with 1, the author’s file and line, and the command that goes on, where a step fails; then resumes it corrected', async () => {
    const broken = `
import { task, workflow } from 'almanac'
export const one = task('one', () => 1)
export const boom = task('boom', (n: number): number => {
  throw new RangeError('level ' + n)
})
export default workflow('fails', async () => boom(one()))
`
    project = await Project.make({ 'fails.ts': broken })
    const { code, stdout, stderr } = await project.run('run', 'fails.ts')
    expect(code).toBe(1)
    expect(stderr).toContain('✗ boom fails.ts:5')
    expect(stderr).toContain('RangeError: level 1')
    expect(stdout).toMatch(/failed · 1 executed · 0 reused/)
    expect(stdout).toMatch(/almanac resume \w+/)
    await project.write({ 'fails.ts': broken.replace("throw new RangeError('level ' + n)", 'return n + 1') })
    const { state, executed, reused, output } = await project.json('resume', 'last')
    expect({ state, executed, reused, output }).toEqual({
      state: 'succeeded',
      executed: 1,
      reused: 1,
      output: 2,
    })
  })

  it('takes files of a list by their paths, and resumes with one of them corrected', async () => {
    project = await Project.make({
      'lists.ts': `
import { command, file, workflow, z } from 'almanac'
const read = command.task({
  name: 'read', run: ['sh', '-c', 'grep good "$0" > "$1"', '{in.text}', '{out.good}'],
  input: { text: file() }, output: { good: file() },
})
export default workflow('lists', { input: { texts: z.array(file()) } }, async ({ texts }) => {
  for (const text of texts) await read({ text })
  return texts.length
})
`,
      'a.txt': 'good a',
      'b.txt': 'bad b',
    })
    const first = await project.json('run', 'lists.ts', '--input', 'texts=["a.txt", "b.txt"]')
    expect([first['state'], first['executed']]).toEqual(['failed', 1])
    await project.write({ 'b.txt': 'good b' })
    const { state, executed, reused, output } = await project.json('resume', 'last')
    expect({ state, executed, reused, output }).toEqual({
      state: 'succeeded',
      executed: 1,
      reused: 1,
      output: 2,
    })
  })

  it('says what a dry run would execute, and executes nothing', async () => {
    project = await Project.make({ 'sums.ts': sums })
    const { planned, executed } = await project.json('run', 'sums.ts', '--input', 'n=3', '--dry-run')
    expect({ planned, executed }).toEqual({
      planned: [
        { call: 0, name: 'double', why: 'new' },
        { call: 1, name: 'double', why: 'new' },
      ],
      executed: 0,
    })
    expect((await project.run('runs', '--json')).stdout).toBe('')
  })

  it('rests with 4 where a person is asked, and goes on when answered', async () => {
    project = await Project.make({
      'asks.ts': `
import { json, run, workflow } from 'almanac'
export default workflow('asks', async () => run.ask({ ok: json<boolean>() }, { title: 'Publish?' }))
`,
    })
    const { code, stdout } = await project.run('run', 'asks.ts')
    expect({ code, rests: /waiting/.test(stdout) }).toEqual({ code: 4, rests: true })
    expect((await project.run('answer', 'last')).stdout).toContain('Publish?')
    expect((await project.run('answer', 'last', 'ok=true')).code).toBe(0)
    const { state, output } = await project.json('resume', 'last')
    expect({ state, output }).toEqual({ state: 'succeeded', output: { ok: true } })
  })

  it('is cancelled by Ctrl-C with 3, clean-up included, and resumed', async () => {
    project = await Project.make({
      'hangs.ts': `
import { appendFileSync, existsSync } from 'node:fs'
import { task, workflow } from 'almanac'
export const hang = task('hang', async () => { if (!existsSync('log')) await new Promise(() => setInterval(() => undefined, 1000)) })
export const clean = task('clean', () => appendFileSync('log', 'cleaned'))
export default workflow('hangs', async () => {
  try { await hang() } finally { await clean() }
  return 'done'
})
`,
    })
    const { child, saw, ended } = project.start('run', 'hangs.ts', '--json')
    await saw(/"started"/)
    for (;;) if ((await project.run('show', 'last', 'hang')).code === 0) break
    child.kill('SIGINT')
    const { code, stdout } = await ended
    const result = JSON.parse(stdout.trim().split('\n').at(-1) as string) as Record<string, unknown>
    expect({ code, state: result['state'], executed: result['executed'] }).toEqual({
      code: 3,
      state: 'cancelled',
      executed: 1,
    })
    expect((await project.json('resume', 'last'))['output']).toBe('done')
  })
})

describe('wrong use ends with 2 and says what to do', () => {
  it.each([
    ['an unknown command', ['rnu', 'x.ts'], /unknown command 'rnu'/],
    ['an unknown flag', ['run', 'sums.ts', '--nope'], /unknown option '--nope'/],
    [
      'an input that is missing',
      ['run', 'sums.ts'],
      /Input n: it is needed and was not given; write --input n=…/,
    ],
    [
      'an input that is no JSON number',
      ['run', 'sums.ts', '--input', 'm=3'],
      /the workflow has no such input; it has n/,
    ],
    [
      'a flag without a number',
      ['run', 'sums.ts', '--input', 'n=3', '-j', 'two'],
      /--parallel two: it is a whole number from 1/,
    ],
    ['a run that is not there', ['show', 'nope'], /There is no run nope/],
  ])('%s', async (_, args, message) => {
    project = await Project.make({ 'sums.ts': sums })
    const { code, stderr } = await project.run(...args)
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
  })

  it('a file that does not load says where and why', async () => {
    project = await Project.make({
      'bad.ts': "import { task } from 'almanac'\nconst x = task('a', () => {\n",
    })
    const { code, stderr } = await project.run('run', 'bad.ts')
    expect({ code, place: /bad\.ts:3/.test(stderr), coded: stderr.includes('[ALM_LOAD_FAILED]') }).toEqual({
      code: 1,
      place: true,
      coded: true,
    })
  })

  it('a file without a workflow', async () => {
    project = await Project.make({ 'none.ts': 'export const a = 1\n' })
    const { code, stderr } = await project.run('run', 'none.ts')
    expect({ code, says: stderr.includes('exports no workflow') }).toEqual({ code: 2, says: true })
  })
})

describe('what was kept can be read', () => {
  it('runs of one file, by whichever path it is named', async () => {
    project = await Project.make({ 'sums.ts': sums, 'others.ts': sums })
    await symlink('sums.ts', join(project.folder, 'link.ts'))
    await project.run('run', 'link.ts', '--input', 'n=3')
    const { id } = await project.json('run', 'sums.ts', '--input', 'n=3')
    const { id: other } = await project.json('run', 'others.ts', '--input', 'n=3')
    const newest = async (...words: string[]) => (await project.json('runs', '--limit', '1', ...words))['id']
    expect(await newest('--workflow', 'sums')).toBe(other)
    for (const file of ['sums.ts', 'link.ts'])
      expect(await newest('--workflow', 'sums', '--file', file), file).toBe(id)
    expect((await project.run('runs', '--file', 'sums.ts')).stdout.match(/succeeded/g)).toHaveLength(2)
    expect((await project.run('status', 'link.ts')).stdout).toContain(String(id))
    const { stdout } = await project.run('runs', '--workflow', 'none', '--file', 'sums.ts')
    expect(stdout).toBe('No runs of none in sums.ts.\n')
  })

  it('runs, show, logs, graph, why, status, doctor, rm', async () => {
    project = await Project.make({ 'sums.ts': sums })
    await project.run('run', 'sums.ts', '--input', 'n=3')
    expect((await project.run('runs')).stdout).toMatch(/sums +succeeded/)
    expect((await project.run('show', 'last')).stdout).toMatch(/double +2 succeeded/)
    expect((await project.run('show', 'last', '0')).stdout).toContain('  input    3\n')
    expect((await project.run('logs', 'last', 'double')).stdout).toMatch(
      /double 0 doubling 3\n.*double 1 doubling 4/,
    )
    expect((await project.run('graph', 'last')).stdout).toBe('sums\n  double × 2\n  add  ← double\n')
    expect((await project.run('graph', 'last', '--mermaid')).stdout).toContain('t0 --> t1')
    expect((await project.run('why', 'last', 'add')).stdout).toContain('was executed')
    expect((await project.run('status', 'sums.ts')).stdout).toContain('3 executed · 0 reused')
    expect((await project.run('doctor')).code).toBe(0)
    expect((await project.run('rm', 'last')).code).toBe(0)
    expect((await project.run('runs')).stdout).toContain('No runs yet')
  })
})
