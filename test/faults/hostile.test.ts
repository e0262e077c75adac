import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Project } from '../cli/almanac.ts'

let project: Project
/** where environments are made */
let cache: string

beforeAll(() => {
  cache = mkdtempSync(join(tmpdir(), 'almanac-cache-'))
})
afterAll(() => rmSync(cache, { recursive: true }))

beforeEach(async () => {
  project = await Project.make({}, { XDG_CACHE_HOME: cache })
})
afterEach(() => project.remove())

interface Result {
  readonly state: string
  readonly executed: number
  readonly reused: number
  readonly output: unknown
  readonly error: {
    readonly code: string
    readonly message: string
    readonly file?: string
    readonly line?: number
  } | null
}

const input = (inputs: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(inputs).flatMap(([name, value]) => ['--input', `${name}=${String(value)}`])

async function run(file: string, inputs: Readonly<Record<string, unknown>> = {}): Promise<Result> {
  return (await project.json('run', file, ...input(inputs))) as unknown as Result
}

const resume = async (): Promise<Result> => (await project.json('resume', 'last')) as unknown as Result

/** How it ended, in the words that people are shown. */
const saidBy = ({ state, executed, error }: Result): readonly unknown[] => [
  state,
  executed,
  error?.code,
  error?.message,
]

describe('a Python step', () => {
  const steps = `
import os
import sys
import threading


def raises(n):
    levels = {"a": n}
    return levels["b"]


def exits(n):
    os._exit(n)


def prints(n):
    line = "x" * 99 + "\\n"
    for _ in range(n * 10_000):
        sys.stdout.write(line)
    return n


def unkept(n):
    return {"a": [threading.Lock()]}


def leaks(n):
    kept = []
    while True:
        kept.append(bytearray(b"x" * 1_000_000))


def hangs(n):
    threading.Event().wait()


def right(n):
    return n
`
  const workflow = `
import { json, python, workflow } from 'almanac'
const step = (name: string, more: object = {}) =>
  python.task({ run: \`steps.py:\${name}\`, input: { n: json<number>() }, ...more })
export const tasks = {
  raises: step('raises'), exits: step('exits'), prints: step('prints'), unkept: step('unkept'),
  leaks: step('leaks', { memory: '100MiB' }), hangs: step('hangs', { timeout: 300 }), right: step('right'),
}
export default workflow('steps', { input: { which: json<keyof typeof tasks>(), n: json<number>() } }, async ({ which, n }) =>
  [await tasks.right({ n }), await tasks[which]({ n })])
`
  beforeEach(() => project.write({ 'steps.py': steps, 'steps.ts': workflow }))

  it('that raises is shown with its own file and line', async () => {
    const result = await run('steps.ts', { which: 'raises', n: 3 })
    expect(saidBy(result)).toEqual(['failed', 1, 'ALM_TASK_FAILED', "'b'"])
    expect(result.error).toMatchObject({ type: 'KeyError', file: join(project.folder, 'steps.py'), line: 9 })
  })

  it('that ends its process', async () => {
    expect(saidBy(await run('steps.ts', { which: 'exits', n: 3 }))).toEqual([
      'failed',
      1,
      'ALM_TASK_DIED',
      'The process of the task ended: it ended with exit code 3.',
    ])
  })

  it('that prints 100 MB succeeds; its log is cut, and says so', async () => {
    const result = await run('steps.ts', { which: 'prints', n: 100 })
    expect([result.state, result.output]).toEqual(['succeeded', [100, 100]])
    const { stdout } = await project.run('logs', 'last', 'prints')
    expect(stdout).toContain('The log is full at 16 MiB: what follows is dropped.')
    expect(stdout).toMatch(/8\d{7} bytes of output were dropped\.\n$/)
    expect(stdout.length).toBeLessThan(30e6)
  })

  it('that returns what cannot be kept', async () => {
    expect(saidBy(await run('steps.ts', { which: 'unkept', n: 3 }))).toEqual([
      'failed',
      1,
      'ALM_RESULT_REFUSED',
      'The result of the task cannot be kept: at a[0]: it is an instance of _thread.lock.',
    ])
  })

  it('that leaks memory is ended when it has more than it said', async () => {
    const result = await run('steps.ts', { which: 'leaks', n: 3 })
    expect(saidBy(result)).toEqual([
      'failed',
      1,
      'ALM_TASK_MEMORY',
      expect.stringMatching(/^The attempt was ended for its memory: it used [\d.]+ [MG]iB of 100 MiB\.$/),
    ])
  })

  it('that never returns is ended when its time is over', async () => {
    expect(saidBy(await run('steps.ts', { which: 'hangs', n: 3 }))).toEqual([
      'failed',
      1,
      'ALM_TASK_TIMEOUT',
      'The attempt took longer than 300 ms.',
    ])
  })

  it('keeps what succeeded, and goes on when it is corrected', async () => {
    await run('steps.ts', { which: 'exits', n: 3 })
    await project.write({ 'steps.py': steps.replace('os._exit(n)', 'return 2 * n') })
    const { state, executed, reused, output } = await resume()
    expect([state, executed, reused, output]).toEqual(['succeeded', 1, 1, [3, 6]])
  })
})

describe('requirements', () => {
  const workflow = `
import { json, python, workflow } from 'almanac'
export const step = python.task({ run: 'steps.py:step', env: python.env('needed.txt'), input: { n: json<number>() } })
export default workflow('needs', async () => step({ n: 1 }))
`
  beforeEach(() => project.write({ 'needs.ts': workflow, 'steps.py': 'def step(n):\n    return n\n' }))

  it('whose file is not there', async () => {
    const path = join(project.folder, 'needed.txt')
    expect(saidBy(await run('needs.ts'))).toEqual([
      'failed',
      0,
      'ALM_PYTHON_ENV',
      `The Python environment of ${path} could not be made: ${path} does not exist`,
    ])
  })

  it('that nobody provides fail at once, with the words of the installer', async () => {
    await project.write({ 'needed.txt': 'almanac-test-of-no-such-package==1.0\n' })
    const result = await run('needs.ts')
    const [state, executed, code, message] = saidBy(result)
    expect([state, executed, code]).toEqual(['failed', 0, 'ALM_PYTHON_ENV'])
    expect(message).toContain(
      `The Python environment of ${join(project.folder, 'needed.txt')} could not be made: `,
    )
    expect(message).toContain('almanac-test-of-no-such-package')
    await project.write({ 'needed.txt': '' })
    expect((await resume()).state).toBe('succeeded')
  })

  it('that are not installed where a step imports them', async () => {
    await project.write({
      'needed.txt': '',
      'steps.py': 'import no_such_module\n\ndef step(n):\n    return n\n',
    })
    const result = await run('needs.ts')
    expect(saidBy(result)).toEqual(['failed', 0, 'ALM_TASK_FAILED', "No module named 'no_such_module'"])
    expect(result.error).toMatchObject({
      type: 'ModuleNotFoundError',
      file: join(project.folder, 'steps.py'),
      line: 1,
    })
  })
})

describe('files', () => {
  const workflow = (use: string): string => `
import { appendFileSync, chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { dir, file, type File, json, task, type TaskContext, workflow } from 'almanac'
export const make = task('make', { output: { text: file('text.txt') } }, (n: number, { out }: TaskContext) => {
  writeFileSync(out['text'] as string, 'made ' + n)
})
export const use = task('use', (text: File) => { ${use} })
export const change = task('change', (path: string) => { appendFileSync(path, 'more'); return path })
export default workflow('files', { input: { which: json<string>(), texts: dir(), text: file() } }, async ({ which, texts, text }) => {
  if (which === 'made') return use(make(1).text)
  if (which === 'file') return use(text)
  await change(process.cwd() + '/texts/b.txt')
  return use.map(texts).all()
})
`
  const read = `return readFileSync(text.at as string, 'utf8')`
  const inputs = { texts: 'texts', text: 'texts/a.txt' }

  beforeEach(async () => {
    mkdirSync(join(project.folder, 'texts'))
    await project.write({ 'texts/a.txt': 'a', 'texts/b.txt': 'b', 'files.ts': workflow(read) })
  })

  it('that a task writes to, though they are its inputs, fail it by name; the file is made again', async () => {
    await project.write({
      'files.ts': workflow(
        `chmodSync(text.at as string, 0o644); appendFileSync(text.at as string, '!'); ${read}`,
      ),
    })
    const result = await run('files.ts', { which: 'made', ...inputs })
    expect(saidBy(result)).toEqual([
      'failed',
      1,
      'ALM_TASK_WROTE_INPUT',
      expect.stringMatching(/^The task wrote to its input .*\/text\.txt\.$/),
    ])
    await project.write({ 'files.ts': workflow(read) })
    const { state, executed, output } = await resume()
    expect([state, executed, output]).toEqual(['succeeded', 2, 'made 1'])
  })

  it('of the user that change while a task reads them fail it by name', async () => {
    const path = join(project.folder, 'texts/a.txt')
    await project.write({ 'files.ts': workflow(`${read} + appendFileSync(${JSON.stringify(path)}, 'more')`) })
    const result = await run('files.ts', { which: 'file', ...inputs })
    expect(saidBy(result)).toEqual([
      'failed',
      0,
      'ALM_INPUT_CHANGED_MEANWHILE',
      `${path} changed while use ran.`,
    ])
    await project.write({ 'files.ts': workflow(read) })
    expect((await resume()).output).toBe(readFileSync(path, 'utf8'))
  })

  it('of the user that change between the scan and their use fail what takes them by name, and others not', async () => {
    const path = join(project.folder, 'texts/b.txt')
    const result = await run('files.ts', { which: 'map', ...inputs })
    expect([result.state, result.executed, result.error?.message]).toEqual([
      'failed',
      2,
      `${path} has changed since it was read.`,
    ])
    const { state, executed, output } = await resume()
    expect([state, executed, output]).toEqual(['succeeded', 1, ['a', 'bmore']])
  })
})

describe('a workflow', () => {
  it('that makes 100 000 calls and awaits none ends when all have', async () => {
    await project.write({
      'many.ts': `
import { task, workflow } from 'almanac'
export const one = task('one', (n: number) => n)
export default workflow('many', async () => {
  for (let i = 0; i < 100_000; i++) one(i)
  return 'made'
})
`,
    })
    const { state, executed, output } = await run('many.ts')
    expect([state, executed, output]).toEqual(['succeeded', 100_000, 'made'])
  })

  it('that awaits a timer is stopped, and says what to do', async () => {
    await project.write({
      'waits.ts': `
import { task, workflow } from 'almanac'
export const one = task('one', (n: number) => n)
export default workflow('waits', async () => {
  const n = await one(1)
  await new Promise(() => setInterval(() => undefined, 3_600_000))
  return n
})
`,
    })
    const { code, stdout } = await project.run('run', 'waits.ts')
    expect(code).toBe(1)
    expect(stdout).toContain(
      'The workflow waits for something that is not a call of Almanac, after its call of one.\n  waits.ts:5 [ALM_STUCK]\n',
    )
    expect(stdout).toContain(
      'Await only futures of Almanac in a workflow; timers, fetches and files belong in tasks.',
    )
  })

  const map = `
import { dir, type File, json, task, workflow } from 'almanac'
export const size = task('size', (text: File) => {
  if (text.name.startsWith('bad')) throw new RangeError('no ' + text.name)
  return text.size
})
export default workflow('sizes', { input: { texts: dir(), settled: json<boolean>() } }, async ({ texts, settled }) => {
  if (!settled) return size.map(texts).all()
  const { done, failed } = await size.map(texts).settled()
  return { done: done.all(), failed }
})
`
  it('with entries of a map that fail keeps the others', async () => {
    mkdirSync(join(project.folder, 'texts'))
    for (let i = 0; i < 20; i++)
      writeFileSync(join(project.folder, 'texts', `${i % 7 === 3 ? 'bad' : 'good'}${i}`), 'x'.repeat(i))
    await project.write({ 'sizes.ts': map })
    const result = await run('sizes.ts', { texts: 'texts', settled: false })
    expect([result.state, result.executed, result.error?.message]).toEqual(['failed', 17, 'no bad10'])
    await project.write({ 'sizes.ts': map.replace("throw new RangeError('no ' + text.name)", 'return -1') })
    const { state, executed, output } = await resume()
    const all = [-1, -1, -1, 0, 1, 11, 12, 13, 14, 15, 16, 18, 19, 2, 4, 5, 6, 7, 8, 9]
    expect([state, executed, output]).toEqual(['succeeded', 20, all])
  })

  it('that asks for both kinds gets them', async () => {
    mkdirSync(join(project.folder, 'texts'))
    await project.write({ 'sizes.ts': map, 'texts/bad1': 'x', 'texts/good1': 'xx' })
    const { state, output } = await run('sizes.ts', { texts: 'texts', settled: true })
    const failed = { bad1: { code: 'ALM_TASK_FAILED', message: 'no bad1' } }
    expect([state, output]).toEqual(['succeeded', { done: [2], failed }])
  })
})
