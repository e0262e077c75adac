import { afterAll, beforeAll, expect, it } from 'vitest'
import { Project } from '../cli/almanac.ts'

let project: Project

beforeAll(async () => {
  project = await Project.make()
})
afterAll(() => project.remove())

const head = `
import asyncio, os, sys, threading, time, pathlib
from almanac import *
@task
def f(n: int) -> int: return n
`

const body = (text: string): string => `
@workflow
async def main():
${text.replace(/^/gm, '    ')}
`

/** What is said of a file, without what varies. */
async function said(name: string, text: string): Promise<string> {
  await project.write({ [`${name}.py`]: head + text })
  const { code, stdout, stderr } = await project.run('run', `${name}.py`)
  return `${code}\n${stdout}${stderr}`
}

it.each([
  ['exits', body('await f(1)\nsys.exit(3)'), /it called sys\.exit\(3\): return from the workflow instead/],
  [
    'dies',
    body('await f(1)\nos._exit(3)'),
    /process of the workflow is gone: it ended with exit code 3\.\n.*ALM_WORKFLOW_DIED/,
  ],
  [
    'threads',
    body(
      'out = []\ndef go():\n    try: f(1)\n    except Exception as e: out.append(e)\nt = threading.Thread(target=go); t.start(); t.join()\nraise out[0]',
    ),
    /a workflow used a task from a thread of its own\n\s+threads\.py:(10|11) \[ALM_STUCK\]/,
  ],
  ['sleeps', body('await asyncio.sleep(1)'), /a workflow waits for a timer\n\s+sleeps\.py:9 \[ALM_STUCK\]/],
  [
    'runs_thread',
    body('await asyncio.to_thread(time.sleep, 0)'),
    /a workflow waits for a thread\n\s+runs_thread\.py:9/,
  ],
  [
    'foreign',
    body('await f(1)\nawait asyncio.get_running_loop().create_future()'),
    /waits for something that is not a call of Almanac/,
  ],
  [
    'blocks',
    body('return f(1).result()'),
    /`\.result\(\)` was called in an async function[\s\S]*Write `await` instead/,
  ],
  [
    'too_early',
    body('if f(1): pass'),
    /the result of f was used before it is known\n\s+too_early\.py:9 \[ALM_FUTURE_AS_TEXT\]/,
  ],
  ['object', body('return {"a": [object()]}'), /the result, at a\[0\]: it is an instance of object/],
  ['path', body('await f(pathlib.Path("a"))'), /an argument of f, at n: it is a path/],
  [
    'unknown',
    body('await f(1, nope=3)'),
    /TypeError: f\(\) has no parameter 'nope'; it has n\n\s+unknown\.py:9/,
  ],
  [
    'callback',
    body('t = asyncio.ensure_future(f(1))\nt.add_done_callback(lambda _: 1 / 0)\nawait t'),
    /ZeroDivisionError: division by zero/,
  ],
  [
    'closure',
    'def make():\n    @task\n    def inner(n): return n\nmake()',
    /could not be loaded: closure\.py:\d+: task inner is defined inside a function/,
  ],
  ['lambdas', 'g = task(lambda n: n)', /task <lambda> is defined inside a function/],
  ['generator', '@workflow\nasync def main():\n    yield 1', /workflow main is a generator/],
  ['syntax', 'def x(:\n  pass', /could not be loaded: syntax\.py:6:7: SyntaxError: invalid syntax/],
  [
    'imports',
    'import nowhere',
    /could not be loaded: imports\.py:6: ModuleNotFoundError: No module named 'nowhere'/,
  ],
  ['nothing', 'x = 1', /nothing\.py exports no workflow[\s\S]*in Python, put @workflow on a function/],
  ['option', '@task(retry=3)\ndef g(): pass', /option retry of g is not known; did you mean retries\?/],
  [
    'option_value',
    `@task(timeout='soon')\ndef g(): pass\n${body('await g()')}`,
    /Option timeout of g is not valid: "soon" is no duration/,
  ],
  [
    'captured',
    `
@workflow
async def main():
    @task
    def inner(n): return n
    return await inner(1)`,
    /task inner is defined inside a function/,
  ],
])('%s: it says what is wrong, and where', async (name, text, expected) => {
  const text_ = await said(name, text)
  expect(text_).toMatch(/^[12]\n/)
  expect(text_).toMatch(expected)
})

it('a child of a fork has no engine, and the workflow goes on', async () => {
  const text = body(
    'await f(1)\npid = os.fork()\nif pid == 0:\n    try: f(2)\n    finally: os._exit(0)\nos.waitpid(pid, 0)\nreturn await f(3)',
  )
  expect(await said('forks', text)).toMatch(/^0\n[\s\S]*succeeded · 2 executed/)
})

it('a workflow that computes for ever is given up when its run is cancelled', async () => {
  await project.write({
    'stuck.py': head + body('await f(1)\nprint("computing", flush=True)\nwhile True: pass'),
  })
  const run = project.start('run', 'stuck.py')
  await run.saw(/computing/)
  run.child.kill('SIGINT')
  const { stdout, stderr } = await run.ended
  expect(stdout + stderr).toMatch(/cancelled · 1 executed/)
})
