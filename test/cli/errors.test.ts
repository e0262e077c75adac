import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { Project, type Ran } from './almanac.ts'

let project: Project

afterEach(() => project.remove())

const sums = `
import { json, task, workflow } from 'almanac'
export const double = task('double', (n: number) => 2 * n)
export default workflow('sums', { input: { n: json<number>() } }, async ({ n }) => double(n))
`

const raw = `
import { dir, file, workflow, z } from 'almanac'
export default workflow('raw', { input: z.object({ raw: dir().optional(), one: file().optional() }) }, async () => 1)
`

const steps = `
import { json, task, workflow } from 'almanac'
export const one = task('one', (n: number) => n + 1)
export const boom = task('boom', (n: number, label: string): number => {
  throw new RangeError('level ' + n)
})
export const after = task('after', (n: number) => n)
export const fails = workflow('fails', { input: { n: json<number>() } }, async ({ n }) => after(boom(one(n), 'x'.repeat(1000))))
`

const objects = ({ stdout }: Ran): Record<string, unknown>[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

describe('a step that fails', () => {
  it('is told of in full once: task, place, message, input, what is kept and what goes on, nothing of what was not run', async () => {
    project = await Project.make({ 'steps.ts': steps })
    const { code, stdout, stderr } = await project.run('run', 'steps.ts', '-i', 'n=4')
    const id = /almanac resume (\w+)/.exec(stdout)?.[1] ?? ''
    expect(stderr).toBe(`✗ boom steps.ts:5\n  RangeError: level 5\n  input 5, "${'x'.repeat(195)}…\n`)
    expect(stdout.replace(/[\d.]+ s/, 'T')).toBe(
      [
        `✗ ${id} failed · 1 executed · 0 reused · T`,
        '  RangeError: level 5',
        '  steps.ts:5 [ALM_TASK_FAILED]',
        '  Correct the task and resume the run: what succeeded is kept.',
        '  1 result is kept, and not made again.',
        `  almanac resume ${id}`,
        '',
      ].join('\n'),
    )
    expect(code).toBe(1)
  })

  it('is the error of the run, though the workflow awaited what was not run for it', async () => {
    project = await Project.make({ 'steps.ts': steps })
    const last = objects(await project.run('run', 'steps.ts', '-i', 'n=4', '--json')).at(-1) ?? {}
    const { code, message, type, line } = last['error'] as Record<string, unknown>
    expect({ code, message, type, line }).toEqual({
      code: 'ALM_TASK_FAILED',
      message: 'level 5',
      type: 'RangeError',
      line: 5,
    })
    for (const key of [
      'kind',
      'id',
      'state',
      'counts',
      'executed',
      'reused',
      'output',
      'durationMs',
      'error',
    ])
      expect(Object.keys(last)).toContain(key)
    const shown = await project.run('show', 'last')
    expect(shown.stdout).toContain('✗ failed steps.ts:5\n  RangeError: level 5\n')
  })

  it('of a program, names the log by its words', async () => {
    project = await Project.make({
      'shell.ts': `
import { command, workflow } from 'almanac'
export const fail = command.task({ name: 'fail', run: ['sh', '-c', 'echo no such band >&2; exit 4'] })
export default workflow('shell', async () => fail({}))
`,
    })
    const { stdout, stderr } = await project.run('run', 'shell.ts')
    expect(stderr).toMatch(/^✗ fail shell\.ts:3\n {2}sh ended with exit code 4\.\n/)
    expect(stdout).toMatch(/Read its log: almanac logs \w+ 0\./)
    expect((await project.run('logs', 'last', '0')).stdout).toContain('no such band')
  })

  it('one of ten thousand times is told of three times and counted', async () => {
    project = await Project.make({
      'many.ts': `
import { task, workflow } from 'almanac'
export const odd = task('odd', (n: number): number => { if (n % 2) throw new Error('odd ' + n); return n })
export default workflow('many', async () => {
  const all = await Promise.allSettled(Array.from({ length: 10_000 }, (_, n) => odd(n)))
  return all.filter((one) => one.status === 'fulfilled').length
})
`,
    })
    const { code, stdout, stderr } = await project.run('run', 'many.ts')
    expect({ code, lines: stderr.trim().split('\n').length, last: stderr.trim().split('\n').at(-1) }).toEqual(
      {
        code: 0,
        lines: 10,
        last: expect.stringMatching(/^ {2}and 4997 more of odd: almanac show \w+ odd$/),
      },
    )
    expect(stdout.trim().split('\n').length).toBe(2)
  })
})

describe('wrong use', () => {
  it.each([
    [
      'parameters that are not there',
      ['run', 'sums.ts', '--params', 'no.json'],
      /--params no\.json: there is no such file/,
    ],
    [
      'parameters that are no JSON',
      ['run', 'sums.ts', '--params', 'sums.ts'],
      /--params sums\.ts: it is no JSON: /,
    ],
    [
      'parameters that are no object',
      ['run', 'sums.ts', '--params', 'list.json'],
      /--params list\.json: it holds no JSON object/,
    ],
    [
      'a parameter that the workflow lacks',
      ['run', 'sums.ts', '--params', 'other.json'],
      /Input m: the workflow has no such input; it has n/,
    ],
    ['a file that is not there', ['run', 'nope.ts'], /there is no file \S+\/nope\.ts \[/],
    ['a file without its ending', ['run', 'sums'], /there is no file \S+\/sums; there is sums\.ts/],
    ['a directory for a file', ['run', '.'], /\. is a directory: name the file of a workflow/],
    [
      'a file for a directory',
      ['run', 'raw.ts', '-i', 'raw=list.json'],
      /list\.json is a file, and a directory/,
    ],
    [
      'a directory for a file input',
      ['run', 'raw.ts', '-i', 'one=.'],
      /\. is a directory, and a file is needed/,
    ],
    [
      'an input without a value',
      ['run', 'sums.ts', '-i', 'n'],
      /--input n: write name=value \[ALM_USAGE\]\n {6}See almanac run --help\.\n/,
    ],
    [
      'a debugger that is not known',
      ['run', 'sums.ts', '-i', 'n=1', '--debug-python', 'gdb'],
      /it is pdb or debugpy/,
    ],
    [
      'a project that is not there',
      ['runs', '--project', 'nope'],
      /--project nope: there is no such directory \[ALM_USAGE\]/,
    ],
    ['a document of no name', ['context', 'get', 'nope'], /"nope" cannot be the name of a document/],
    ['a message to a run that is over', ['send', 'last', 'steer', '1'], /it takes no more messages/],
    ['a task that is not there', ['why', 'last', 'nope'], /has no task or call nope/],
    ['data that are not there', ['data', 'get', 'nope', 'x'], /There is no data nope/],
    [
      'a run that has ended',
      ['cancel', 'last'],
      /has ended: succeeded\. \[ALM_RUN_ENDED\]\n {6}See almanac show /,
    ],
  ])('%s: ends with 2 and says so, with --json as an object too', async (_, args, message) => {
    project = await Project.make({
      'sums.ts': sums,
      'raw.ts': raw,
      'list.json': '[1]',
      'other.json': '{"n":1,"m":2}',
    })
    if (args[1] === 'last') await project.run('run', 'sums.ts', '-i', 'n=1')
    const ran = await project.run(...args, '--json')
    expect(ran.stderr).toMatch(message)
    expect([ran.code, objects(ran).map(({ kind, code }) => [kind, typeof code])]).toEqual([
      2,
      [['error', 'string']],
    ])
  })

  it('of a flag is an object too', async () => {
    project = await Project.make()
    const ran = await project.run('runs', '--nope', '--json')
    expect([ran.code, objects(ran)]).toEqual([
      2,
      [
        {
          kind: 'error',
          code: 'ALM_USAGE',
          message: "unknown option '--nope'",
          hint: 'See almanac runs --help.',
        },
      ],
    ])
  })

  it('of inputs that only the schema of the workflow tells makes no run, in either language', async () => {
    project = await Project.make({
      'deep.ts': `
import { dir, workflow, z } from 'almanac'
const even = z.number().refine((n) => n % 2 === 0, 'is odd')
export default workflow('deep', { input: { scene: z.object({ n: even, raw: dir().optional() }) } }, async () => 1)
`,
      'deep.py': `
from dataclasses import dataclass
from almanac import Dir, workflow
@dataclass
class Scene:
    n: int
    raw: Dir | None = None
@workflow
async def deep(scene: Scene):
    return 1
`,
    })
    const said = async (file: string, scene: object) => {
      const { code, stdout, stderr } = await project.run('run', file, '-i', `scene=${JSON.stringify(scene)}`)
      return [code, stdout, stderr]
    }
    const refused = (why: string) => [
      2,
      '',
      `error The input of deep does not fit its schema: scene.n: ${why}. [ALM_SCHEMA]\n      Correct the value or the schema.\n`,
    ]
    expect(await said('deep.ts', { n: 3 })).toEqual(refused('is odd'))
    expect(await said('deep.py', { n: 'x' })).toEqual(refused("'x' is not int"))
    expect((await project.run('runs')).stdout).toBe('No runs yet: almanac run FILE\n')
  })

  it('a slip in the name of the file makes nothing', async () => {
    project = await Project.make()
    expect((await project.run('run', 'pipelnie.ts')).code).toBe(2)
    expect(await readdir(project.folder)).toEqual(['package.json'])
  })

  it('looking makes nothing where there is nothing, in no project at all', async () => {
    project = await Project.make()
    for (const args of [['runs'], ['status'], ['doctor'], ['gc'], ['data', 'ls']])
      expect([args, (await project.run(...args)).code]).toEqual([args, 0])
    const { code, stderr } = await project.run('show', 'last')
    expect([code, stderr.includes('there are no runs yet in')]).toEqual([2, true])
    expect(await readdir(project.folder)).toEqual(['package.json'])
  })

  it('gc refuses flags of the shared store without --store, and collects nothing', async () => {
    project = await Project.make()
    for (const flag of ['--older-than', '--gone-for']) {
      const { code, stdout } = await project.run('gc', flag, '30', '--json')
      const why = `${flag} is for the store that machines share: gc --store ${flag} 30`
      expect([code, objects({ stdout } as Ran)]).toEqual([
        2,
        [expect.objectContaining({ code: 'ALM_USAGE', message: expect.stringContaining(why) })],
      ])
    }
  })

  it('each command has its help', async () => {
    project = await Project.make()
    const { stdout } = await project.run('help')
    const commands = [...stdout.matchAll(/^ {2}(\w+) .*/gm)]
      .map(([, name = '']) => name)
      .filter((name) => name !== 'help')
    expect(commands.length).toBeGreaterThan(15)
    const helps = await Promise.all(commands.map((name) => project.run(name, '--help')))
    expect(
      helps.map(({ code, stdout: help, stderr }) => [code, /^Usage: almanac \w+/.test(help), stderr]),
    ).toEqual(commands.map(() => [0, true, '']))
  })
})

describe('a journal that cannot be used', () => {
  it('damaged: a command says so, doctor says what to do, and neither touches it', async () => {
    project = await Project.make({ 'sums.ts': sums })
    await project.run('run', 'sums.ts', '-i', 'n=1')
    const file = join(project.folder, '.almanac/journal.db')
    await writeFile(file, 'no database at all')
    const { code, stderr } = await project.run('runs')
    expect([code, /journal\.db is damaged: .*\[ALM_JOURNAL_DAMAGED\]/.test(stderr)]).toEqual([1, true])
    const doctor = await project.run('doctor')
    expect([doctor.code, doctor.stdout.includes('or begin anew: move journal.db')]).toEqual([1, true])
    expect(await readFile(file, 'utf8')).toBe('no database at all')
  })

  it('where nothing can be written: says what and why', async () => {
    project = await Project.make({ 'sums.ts': sums, taken: '' }, { ALMANAC_HOME: 'taken/home' })
    const { code, stderr } = await project.run('run', 'sums.ts', '-i', 'n=1')
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^error \S*taken\/home\S* .+\n.+\n$/)])
  })
})
