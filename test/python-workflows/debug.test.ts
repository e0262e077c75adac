import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { ensurePythonEnv } from '../../src/executors/python/environment.ts'
import { findPython, minorOf } from '../../src/executors/python/interpreter.ts'
import { Project } from '../cli/almanac.ts'
import { DebugClient } from '../python/debug-client.ts'
import { onTerminal } from '../python/terminal.ts'

const bin = fileURLToPath(new URL('../../bin/almanac.cjs', import.meta.url))
const requirements = fileURLToPath(new URL('../python/requirements.txt', import.meta.url))

let project: Project

afterEach(() => project.remove())

const flow = (inTask: string, inWorkflow: string): string => `
from almanac import task, workflow

@task
def double(n: int) -> int:
    twice = 2 * n
    ${inTask}
    print("in the task", n)
    return twice

@workflow
async def main():
    first = await double(20)
    ${inWorkflow}
    print("in the workflow", first)
    second = await double(first)
    return [first, second]
`

const debug = (...more: string[]): string[] => [
  process.execPath,
  bin,
  'run',
  'flow.py',
  '--debug-python',
  ...more,
]

it('breakpoint() stops in the workflow and in its tasks, and steps lead over what is awaited', async () => {
  // from Python 3.13 on it stops where it is called, before that a line later
  const { version } = await findPython(undefined)
  const isThere = Number(minorOf(version).slice(2)) >= 13
  const at = (next: string): string => `-> ${isThere ? 'breakpoint()' : next}`
  project = await Project.make({ 'flow.py': flow('breakpoint()', 'breakpoint()') })
  const shown = await onTerminal(
    debug(),
    [
      ['(Pdb) ', 'p "task", twice\n'],
      ["('task', 40)", ''],
      ['(Pdb) ', 'c\n'],
      [at('print("in the workflow", first)'), ''],
      ['(Pdb) ', 'p "workflow", first\n'],
      ["('workflow', 40)", ''],
      ['(Pdb) ', 'first = 7\n'],
      ...(isThere ? [['(Pdb) ', 'n\n'] as const] : []),
      ['(Pdb) ', 'n\n'],
      ['in the workflow 7', ''],
      ['-> second = await double(first)', ''],
      ['(Pdb) ', 'n\n'],
      [at('print("in the task", n)'), ''],
      ['(Pdb) ', 'p "task", n\n'],
      ["('task', 7)", ''],
      ['(Pdb) ', 'c\n'],
      ['-> return [first, second]', ''],
      // over the end of the workflow there is nothing of the author's
      ['(Pdb) ', 'n\n'],
    ],
    project.folder,
  )
  expect(shown).toMatch(/succeeded · 2 executed/)
  expect(shown).not.toContain('functions.py')
})

it('two prompts do not share the terminal, and a plain workflow stops too', async () => {
  const text = flow('breakpoint()', '').replace('async def main():', 'def main():')
  const main = `    other = double(20)
    breakpoint()
    return other.result()
`
  project = await Project.make({ 'flow.py': `${text.slice(0, text.indexOf('    first ='))}${main}` })
  const shown = await onTerminal(
    debug(),
    [
      ['(Pdb) ', 'p "one"\n'],
      ["'one'", ''],
      ['(Pdb) ', 'c\n'],
      ['(Pdb) ', 'p "two"\n'],
      ["'two'", ''],
      ['(Pdb) ', 'c\n'],
    ],
    project.folder,
  )
  expect(shown).toMatch(/succeeded · 1 executed/)
})

it('a workflow that is left from pdb fails', async () => {
  project = await Project.make({ 'flow.py': flow('', 'breakpoint()') })
  const shown = await onTerminal(
    ['sh', '-c', `"$@" || true`, 'sh', ...debug()],
    [['(Pdb) ', 'q\n']],
    project.folder,
  )
  expect(shown).toContain('BdbQuit')
  expect(shown).toMatch(/failed · 1 executed/)
})

it.each([
  ['a task', flow('breakpoint()', ''), 7],
  ['the workflow', flow('', 'breakpoint()'), 14],
])('breakpoint() in %s says how it stops where no debugger was asked for', async (_, text, line) => {
  project = await Project.make({ 'flow.py': text })
  const { code, stdout, stderr } = await project.run('run', 'flow.py')
  expect(code).toBe(1)
  expect(stdout + stderr).toMatch(
    new RegExp(
      `RuntimeError: breakpoint\\(\\) stops only in a run that is started with --debug-python[\\s\\S]*flow\\.py:${line}`,
    ),
  )
})

it('debugpy that is not installed for the workflow is told', async () => {
  project = await Project.make({ 'flow.py': flow('', '') })
  const { code, stderr } = await project.run('run', 'flow.py', '--debug-python', 'debugpy')
  expect(code).toBe(1)
  expect(stderr).toMatch(/debugpy is not installed[\s\S]*pip install debugpy/)
})

it('debugpy stops at breakpoints in the workflow and in its tasks, each on a port of its own', async () => {
  const { python } = await ensurePythonEnv({ requirements }, { onProgress: () => undefined })
  const { folder } = await Project.make({ 'flow.py': flow('pass', 'pass') })
  project = Project.at(folder, { PATH: `${join(python, '..')}:${process.env['PATH']}` })
  const file = join(folder, 'flow.py')
  const run = project.start('run', 'flow.py', '--debug-python', 'debugpy')
  const attach = async (whose: string, line: number): Promise<DebugClient> => {
    const listens = new RegExp(`${whose}: debugpy listens on 127\\.0\\.0\\.1:(\\d+): attach`)
    await run.saw(listens)
    const client = new DebugClient(Number(listens.exec(run.said())?.[1]))
    client.send('initialize', { adapterID: 'test' })
    client.send('attach', { justMyCode: true })
    await client.event('initialized')
    client.send('setBreakpoints', { source: { path: file }, breakpoints: [{ line }] })
    client.send('configurationDone', {})
    return client
  }
  const stopsAt = async (client: DebugClient, expression: string, then = 'continue'): Promise<unknown> => {
    const { threadId } = await client.event('stopped')
    const { stackFrames } = await client.request('stackTrace', { threadId })
    const [frame] = stackFrames as { id: number; name: string; line: number }[]
    const { result } = await client.request('evaluate', { expression, frameId: frame?.id })
    client.send(then, { threadId })
    return [(stackFrames as { name: string }[]).map(({ name }) => name), frame?.line, result]
  }
  const workflow = await attach('workflow', 15)
  const tasks = await attach('tasks', 8)
  // what is not the author's is in no stack, and no step leads to it
  expect(await stopsAt(tasks, 'twice', 'next')).toEqual([['double'], 8, '40'])
  expect(await stopsAt(tasks, 'twice', 'next')).toEqual([['double'], 9, '40'])
  expect(await stopsAt(workflow, 'first', 'next')).toEqual([['main'], 15, '40'])
  expect(await stopsAt(workflow, 'first', 'next')).toEqual([['main'], 16, '40'])
  expect(await stopsAt(tasks, 'n')).toEqual([['double'], 6, '40'])
  expect(await stopsAt(tasks, 'twice')).toEqual([['double'], 8, '80'])
  expect(await stopsAt(workflow, 'second')).toEqual([['main'], 17, '80'])
  // the adapters leave with their clients, and hold the terminal until then
  for (const client of [workflow, tasks]) client.close()
  expect(await run.ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/succeeded · 2 executed/) })
})

it('print is seen: of the workflow on the terminal, of a task in its log, and neither in JSON', async () => {
  project = await Project.make({ 'flow.py': flow('', '') })
  const { stdout, stderr } = await project.run('run', 'flow.py', '--json')
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { kind: string }).kind),
  ).toContain('run')
  expect(stderr).toContain('in the workflow 40\n')
  expect((await project.run('logs', 'last', 'double')).stdout).toContain('in the task 20')
})
