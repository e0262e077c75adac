import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Project } from '../cli/almanac.ts'
import { onTerminal } from '../python/terminal.ts'

const bin = fileURLToPath(new URL('../../bin/almanac.cjs', import.meta.url))

let project: Project

beforeAll(async () => {
  project = await Project.make({ 'circle_other.py': 'from circle import later\n' })
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

/** An asyncio task that nobody awaits. */
const stray = (does: string, then: string): string => `
@task
def g(n: int) -> int: raise ValueError(n)

async def lost():
    await f(1)
    ${does}
${body(`t = asyncio.create_task(lost())\n${then}\nreturn 1`)}`

const slowly = `
@task
def slow(n: int) -> int:
    time.sleep(60)
`

/** What is said of a file, without what varies. */
async function said(name: string, text: string): Promise<string> {
  await project.write({ [`${name}.py`]: head + text })
  const { code, stdout, stderr } = await project.run('run', `${name}.py`)
  return `${code}\n${stdout}${stderr}`
}

it.each([
  [
    'quits',
    body('await f(1)\nquit()'),
    /it called sys\.exit\(None\)[\s\S]*\n {2}quits\.py:10 \[ALM_WORKFLOW_FAILED\]/,
  ],
  ['exits', body('await f(1)\nsys.exit(3)'), /it called sys\.exit\(3\): return from the workflow instead/],
  [
    'raises_silent',
    `class Silent(Exception):\n    def __str__(self): raise KeyError('text')\n${body('raise Silent()')}`,
    /\(Silent\.__str__ raised KeyError\)\n[\s\S]*\n\s+raises_silent\.py:11 \[ALM_WORKFLOW_FAILED\]/,
  ],
  [
    'dies',
    body('await f(1)\nos._exit(3)'),
    /process of the workflow is gone: it ended with exit code 3\.\n.*ALM_WORKFLOW_DIED/,
  ],
  [
    'hidden_task',
    `@task\ndef main(n): return n\n${body('return await main(1)')}`,
    /TypeError: workflow main\(\): too many positional arguments\n {2}hidden_task\.py:\d+ \[ALM_WORKFLOW_FAILED\]/,
  ],
  [
    'no_path',
    `@task(outputs={'page': File})\ndef g(n): return None\n${body('return await g(1).page')}`,
    /g of .*no_path\.py cannot be called with what the task gives it: it has no parameter page for the path to leave that output at; it is g\(n\)/,
  ],
  [
    'threads',
    body(
      'out = []\ndef go():\n    try: f(1)\n    except Exception as e: out.append(e)\nt = threading.Thread(target=go); t.start(); t.join()\nraise out[0]',
    ),
    /a workflow used a task from a thread of its own\n\s+threads\.py:(10|11) \[ALM_STUCK\]/,
  ],
  [
    'threads_unheard',
    body('t = threading.Thread(target=f, args=(1,)); t.start(); t.join()'),
    /a workflow used a task from a thread of its own\n[\s\S]*\[ALM_STUCK\]/,
  ],
  [
    'gives_lambda',
    body('return lambda n: n'),
    /the result: it is a function \(<lambda>\)\n\s+gives_lambda\.py:7 \[ALM_VALUE_REFUSED\]/,
  ],
  [
    'runs_thread',
    body('await asyncio.to_thread(time.sleep, 0)'),
    /a workflow waits for a thread\n\s+runs_thread\.py:9/,
  ],
  [
    'foreign',
    body('await f(1)\nawait asyncio.get_running_loop().create_future()'),
    /waits for something that is not a call of Almanac: a Future of asyncio in main\(\)\.\n\s+foreign\.py:10 \[ALM_STUCK\]/,
  ],
  [
    'event',
    `async def part(n):\n    if n == 2:\n        await asyncio.Event().wait()\n    return await f(n)\n${body('return await asyncio.gather(*[part(n) for n in range(4)])')}`,
    /not a call of Almanac: asyncio\.Event\.wait\(\) in part\(\)\.\n\s+event\.py:8 \[ALM_STUCK\]/,
  ],
  [
    'queue',
    body(
      'async def part(): return await asyncio.Queue().get()\nt = asyncio.create_task(part())\nawait asyncio.wait([t, asyncio.ensure_future(f(1))])',
    ),
    /not a call of Almanac: asyncio\.Queue\.get\(\) in part\(\)\.\n\s+queue\.py:9 \[ALM_STUCK\]/,
  ],
  [
    'never_set',
    stray('raise KeyError("gone")', 'e = asyncio.Event()\nawait e.wait()'),
    /an asyncio task that nobody awaits raised KeyError: 'gone'\.\n\s+never_set\.py:12 \[ALM_STUCK\]/,
  ],
  [
    'not_left',
    `@task(outputs={"out": File})\ndef g(n: int, out: pathlib.Path): pass\n${body('return await g(1)')}`,
    /The declared output out was not left at its path\.\n\s+not_left\.py:6 \[ALM_OUTPUT_MISSING\]/,
  ],
  [
    'left_otherwise',
    `@task(outputs={"out": File})\ndef g(n: int, out: pathlib.Path): out.mkdir()\n${body('return await g(1)')}`,
    /The declared output out cannot be kept: it is a directory, where a file was declared\.\n\s+left_otherwise\.py:6 \[ALM_OUTPUT_REFUSED\]/,
  ],
  [
    'maps_nothing',
    body('mapped = f.map(f(1))\nreturn await mapped'),
    /f\.map goes over a list or a directory, and not over a number\.\n\s+maps_nothing\.py:10 \[ALM_MAP_OVER\]/,
  ],
  [
    'maps_a_set',
    body('return await f.map({1, 2}).all()'),
    /f\.map goes over a list or a directory, and not over a set, which has no order\n\s+maps_a_set\.py:9 \[ALM_MAP_OVER\]\n\s+Sort it: /,
  ],
  [
    'maps_a_text',
    body('return await map(f, "12").all()'),
    /map goes over a list or a directory, and not over a str\n\s+maps_a_text\.py:9 \[ALM_MAP_OVER\]/,
  ],
  [
    'no_field_returned',
    body('return {"a": f(1).nope}'),
    /The result of f has no nope: it [^\n]*\.\n\s+no_field_returned\.py:7 \[ALM_FIELD_MISSING\]/,
  ],
  [
    'no_duration',
    body('await run.sleep("soon")'),
    /soon is no duration\.\n\s+no_duration\.py:9 \[ALM_OPTION_REFUSED\]/,
  ],
  [
    'filters_wrongly',
    body('return await f.map([1, 2]).all().filter(lambda n: n.nope)'),
    /'int' object has no attribute 'nope'\n\s+filters_wrongly\.py:9 \[ALM_WORKFLOW_FAILED\]/,
  ],
  [
    'filters_a_directory_wrongly',
    `@task(outputs={"out": Dir})
def files(out: pathlib.Path):
    out.mkdir()
    for n in range(4): (out / str(n)).write_text("x")
${body('return await files().out.filter(lambda path: path.nope)')}`,
    /'str' object has no attribute 'nope'\n\s+filters_a_directory_wrongly\.py:13 \[ALM_WORKFLOW_FAILED\]/,
  ],
  [
    'names_an_output',
    body('return await f(file("a.txt"))'),
    /an argument of f, at n: it names an output of a task: take files as inputs/,
  ],
  [
    'other_too_late',
    body('return await workflow_from("other.ts")()'),
    /workflow_from\('other\.ts'\) was called in a workflow\n\s+other_too_late\.py:9 \[ALM_DEFINED_INSIDE\]/,
  ],
  [
    'given_up',
    stray('await g(1)', 'await f(2)').replace('await f(1)\n', 'pass\n'),
    /ValueError: 1\n\s+given_up\.py:8 \[ALM_TASK_FAILED\]/,
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
    'unawaited',
    stray('raise KeyError("lost")', 'while not t.done(): await run.now()'),
    /KeyError: 'lost'[\s\S]*unawaited\.py:12 \[ALM_WORKFLOW_FAILED\]/,
  ],
  [
    'unawaited_call',
    stray('await g(1)', 'while not t.done(): await run.now()'),
    /^1\n[\s\S]*✗ \w+ failed[\s\S]*ValueError: 1/,
  ],
  [
    'closure',
    'def make():\n    @task\n    def inner(n): return n\nmake()',
    /could not be loaded: closure\.py:\d+: task inner is defined inside a function/,
  ],
  [
    'lambdas',
    'g = task(lambda n: n)',
    /lambdas\.py:6: a task cannot be a lambda \[ALM_LOAD_FAILED\]\n\s+Define tasks at the top level of a module/,
  ],
  [
    'named_anew',
    `first = f\n@task\ndef f(n: int) -> int: return -n\n${body('return await first(1)')}`,
    /task f \(line \d\) is of a function that its file does not call f any more\n\s+named_anew\.py:12 \[ALM_TASK_NOT_FOUND\]/,
  ],
  [
    'no_field',
    body('return await f(1).nope'),
    /The result of f has no nope: it [^\n]*\.\n\s+no_field\.py:9 \[ALM_FIELD_MISSING\]/,
  ],
  [
    'no_output',
    `from almanac import File\n@task(outputs={"page": File})\ndef g(n: int, *, page) -> dict: return {"mean": n}\n${body('return await g(1).mean')}`,
    /g has no output mean: it has page\n\s+no_output\.py:\d+ \[ALM_FIELD_MISSING\]\n\s+Correct the name, or name it in `outputs`/,
  ],
  [
    'path_text',
    `@task\ndef g(n: pathlib.Path) -> int: return 1\n${body('return await g("raw/a.nc")')}`,
    /g: n is a file or directory, and 'raw\/a\.nc' is a str\n\s+path_text\.py:11 \[ALM_VALUE_REFUSED\]\n\s+Take files as inputs of the workflow/,
  ],
  [
    'program_text',
    `from almanac import File\ng = command(["cat", "{in.n}"], name="g", inputs={"n": File})\n${body('return await g(n="raw/a.nc")')}`,
    /g: n is a file or directory, and 'raw\/a\.nc' is a str\n\s+program_text\.py:11 \[ALM_VALUE_REFUSED\]/,
  ],
  [
    'settled_map',
    body('from almanac import settled\nreturn await settled(f.map([1])[0])'),
    /settled takes a list of futures, and this is one\n\s+settled_map\.py:\d+ [\s\S]*`calls\.settled\(\)`/,
  ],
  [
    'called',
    body('await asyncio.wait([f(1)])'),
    /a future was called: f\(…\)\.add_done_callback\(\)\n\s+called\.py:9[\s\S]*make it a task: `asyncio\.ensure_future/,
  ],
  [
    'other_futures',
    '@workflow\ndef main():\n    import concurrent.futures\n    concurrent.futures.wait([f(1)])',
    /concurrent\.futures waits for futures of its own only\n\s+other_futures\.py:9 \[ALM_STUCK\]/,
  ],
  [
    'no_package',
    'from .other import x',
    /no_package\.py:6: ImportError: attempted relative import with no known parent package: to be a package, \S+ needs an `__init__\.py`/,
  ],
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
    /option timeout of g is not valid: 'soon' is no duration/,
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
  [
    'own_loop',
    '@workflow\ndef main():\n    async def inner(): return await f(1)\n    return asyncio.run(inner())',
    /a workflow awaits a call in an event loop of its own\n\s+own_loop\.py:8 \[ALM_STUCK\]/,
  ],
  [
    'stops_loop',
    body('asyncio.get_running_loop().stop()'),
    /a workflow stopped the event loop[\s\S]*stops_loop\.py:9/,
  ],
  ['compared', body('if f(1) == 1: pass'), /the result of f was used before it is known\n\s+compared\.py:9/],
  ['pickled', body('import pickle\npickle.dumps([f(1)])'), /a future cannot be pickled[\s\S]*pickled\.py:10/],
  [
    'endless',
    body('v = []\nv.append(v)\nreturn v'),
    /the result, at (\[0\]){10}…\[0\]\[0\]: it is nested more than 200 deep, or contains itself/,
  ],
  [
    'recursion',
    body('def deep(n): return deep(n + 1)\nreturn deep(0)'),
    /RecursionError: maximum recursion depth exceeded/,
  ],
  ['input', body('return input()'), /EOFError: EOF when reading a line/],
  [
    'method',
    'class A:\n    @workflow\n    async def main(self): pass',
    /workflow main is defined inside a class/,
  ],
  [
    'static',
    'class A:\n    @staticmethod\n    @task\n    def g(): pass',
    // the decorator's line, or before Python 3.11 the function's
    /static\.py:[89]: task g is defined inside a class/,
  ],
  [
    'async_generator',
    '@task\nasync def g():\n    yield 1',
    /TypeError: task g is a generator: return what it gives, as a list/,
  ],
  [
    'runs_itself',
    `import almanac\n${body('return 1')}\nalmanac.run(main)`,
    /runs_itself\.py:\d+: almanac\.run was called while the engine imports this file: put it under `if __name__ ==/,
  ],
  [
    'runs_another',
    `import almanac\n${body('return almanac.run(main)')}`,
    /almanac\.run was called in a workflow: call the other workflow itself\n\s+runs_another\.py:10/,
  ],
  [
    'circle',
    'import circle_other\nlater = 1',
    /circle_other\.py:1: ImportError: cannot import name 'later' from partially initialized module 'circle' \(most likely due to a circular import\)/,
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
  const goesOn = body(
    'await f(1)\npid = os.fork()\nif pid == 0: return 1\nos.waitpid(pid, 0)\nreturn await f(3)',
  )
  const said_ = await said('forks_on', goesOn)
  expect(said_).toMatch(/this process was forked from a workflow's and has no engine: end it by `os\._exit`/)
  expect(said_).toMatch(/^0\n[\s\S]*succeeded · 2 executed/)
  expect(said_).not.toContain('Traceback')
})

it.each([
  [
    'left_generator',
    'async def items():\n    for n in range(3): yield await f(n)\n',
    'async for n in items():\n    break\nreturn await f(7)',
    '7',
  ],
  ['closes', '', 'os.closerange(3, 100)\nreturn await f(1)', '1'],
  ['prints_nowhere', '', 'sys.stdout = None\nprint(1)\nos.close(1)\nreturn await f(1)', '1'],
  ['moves', '', 'os.chdir("/")\nos.environ.clear()\nreturn await f(1)', '1'],
  ['strict', 'import warnings\nwarnings.simplefilter("error")\n', 'f(1)\nreturn await f(2)', '2'],
  ['copies', '', 'import copy\nreturn copy.deepcopy({"a": [f(1)]})', '{"a":[1]}'],
  [
    'policy',
    'class P(asyncio.DefaultEventLoopPolicy):\n    def new_event_loop(self): raise RuntimeError()\nasyncio.set_event_loop_policy(P())\n',
    'return await f(1)',
    '1',
  ],
])('%s: it harms nobody but itself', async (name, before, text, output) => {
  const said_ = await said(name, before + body(text))
  expect(said_).toMatch(/^0\n[\s\S]*succeeded/)
  expect(said_).toContain(`\n  ${output}\n`)
  expect(said_).not.toContain('Traceback')
})

it('of two versions of the package that of the engine is imported, by workflow and tasks, and a line says so', async () => {
  await mkdir(join(project.folder, 'site-packages/almanac'), { recursive: true })
  await project.write({
    'site-packages/almanac/__init__.py': 'old = True\n',
    'site-packages/almanac/version.py': 'VERSION = "0.0.1"\n',
    'versions.py': `${head}\nimport almanac\nassert not hasattr(almanac, "old")\n${body('return await f(1)')}`,
  })
  const old = Project.at(project.folder, { PYTHONPATH: join(project.folder, 'site-packages') })
  const { code, stderr } = await old.run('run', 'versions.py')
  const [other, own] = [
    join(project.folder, 'site-packages/almanac'),
    join(dirname(bin), '../python/almanac'),
  ]
  expect([code, stderr]).toEqual([
    0,
    `! almanac in ${other} is 0.0.1, and the engine is 0.1.0: workflows get the engine's own package, ${own}. Install the same version of both.\n`,
  ])
})

it('an asyncio task that goes on when the workflow returns is cancelled, as by asyncio.run, and that is said', async () => {
  const text = stray('try: await asyncio.Event().wait()\n    finally: print("cleaned up")', 'await f(2)')
  expect(await said('left', text)).toMatch(
    /^0\n[\s\S]*! main: asyncio tasks that nobody awaited were cancelled when it returned: lost\n/,
  )
  const call = body('t = asyncio.ensure_future(f(1))\nreturn 1')
  expect(await said('left_call', call)).toMatch(
    /^0\n[\s\S]*! main: asyncio tasks that nobody awaited were cancelled when it returned: f\n/,
  )
  expect(await said('left_quietly', text.replace('return 1', 't.cancel()\n    return 1'))).toMatch(
    /^0\n[^!]*$/,
  )
  expect(
    await said('retrieved', stray('raise KeyError(1)', 'await asyncio.wait([t])\nt.exception()')),
  ).toMatch(/^0\n/)
})

it('Ctrl-C on the terminal stops the run, and the workflow hears of it as of any cancelled run', async () => {
  await project.write({ 'long.py': head + body('print("waits")\nawait slow(1)') + slowly })
  const command = [process.execPath, bin, 'run', 'long.py']
  const shown = await onTerminal(
    ['sh', '-c', 'trap : INT; "$@"; echo "code $?"', 'sh', ...command],
    [
      ['waits', ''],
      ['1 running', '\u0003'],
    ],
    project.folder,
  )
  expect(shown).toMatch(/cancelled · 0 executed/)
  expect(shown).toMatch(/code 3/)
})

it('a file of a child whose import never ends is given up when the run is cancelled', async () => {
  await project.write({
    'endless.py': `${head}print("importing", flush=True)\nwhile True: pass\n${body('return 1')}`,
    'parent.ts': `import { python, workflow } from 'almanac'
export default workflow('parent', async () => await python.workflow('endless.py:main')())`,
  })
  const run = project.start('run', 'parent.ts')
  await run.saw(/importing/)
  run.child.kill('SIGINT')
  expect(await run.ended).toMatchObject({ code: 3, stdout: expect.stringMatching(/cancelled · 0 executed/) })
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

it('a workflow that blocks is told of once, by the line where it is: in async functions, and in plain children', async () => {
  const until = (file: string) => `while not os.path.exists("${file}"): time.sleep(0.01)`
  await project.write({
    'blocks.py': `${head}import os, time\n${body(`await f(1)\n${until('opened-blocks')}`)}`,
    'blocks_plain.py': `${head}import os, time
@workflow
def child():
    waits(f(1).result())

def waits(n):
    ${until('opened-blocks_plain')}
${body('await child()')}`,
  })
  const lines = await Promise.all(
    ['blocks', 'blocks_plain'].map(async (name) => {
      const run = project.start('run', `${name}.py`)
      await run.saw(/blocks its run/)
      await project.write({ [`opened-${name}`]: '' })
      const { code, stdout, stderr } = await run.ended
      return [code, ...(stdout + stderr).split('\n').filter((line) => line.startsWith('!'))]
    }),
  )
  const rest =
    'Nothing else of the run begins meanwhile: put what takes long in a task, and wait by `run.sleep`.'
  const told = (who: string, place: string) =>
    `! ${who}: it blocks its run: for 5 s it has waited for no call, and is now at ${place}. ${rest}`
  expect(lines).toEqual([
    [0, told('main', 'File "blocks.py", line 11, in main')],
    [0, told('main/child#0', 'File "blocks_plain.py", line 12, in waits')],
  ])
})

it('a workflow that assigns a variable of its module is told of once, by the line; what it only imports is not', async () => {
  await project.write({
    'assigns.py': `${head}count = 0
@workflow
async def child():
    global count, json
    import json
    count += 1
    return await f(count)

@workflow
async def main():
    count = await child()
    return await child()
`,
  })
  const { code, stdout, stderr } = await project.run('run', 'assigns.py')
  expect([code, (stdout + stderr).split('\n').filter((line) => line.startsWith('!'))]).toEqual([
    0,
    [
      '! main/child#0: it assigns count, a variable of its module (assigns.py:11): all runs share that, and it is assigned again whenever a run goes on. Return the value, or keep it with `run.context`.',
    ],
  ])
})

it('imports a file that fails once, whatever else is opened meanwhile', async () => {
  await project.write({ 'fails.py': 'print("imported")\nraise ValueError("no")\n' })
  expect(await project.run('run', 'fails.py')).toEqual({
    code: 1,
    stdout: '',
    stderr: `imported
error fails.py could not be loaded: fails.py:2: ValueError: no [ALM_LOAD_FAILED]
      Correct the file and run again.
`,
  })
  const other = await Project.make({ 'main.py': 'print("imported")', '.almanac': '' })
  const { code, stderr } = await other.run('run', 'main.py')
  expect([code, stderr]).toEqual([1, expect.stringContaining('[ALM_JOURNAL_FAILED]')])
  await other.remove()
})

it('a file that hides the package from tasks is refused when the workflow is loaded', async () => {
  await mkdir(join(project.folder, 'hiding'))
  await project.write({ 'hiding/almanac.py': '', 'hiding/flow.py': head + body('return await f(1)') })
  const { code, stderr } = await project.run('run', 'hiding/flow.py')
  const hiding = join(project.folder, 'hiding/almanac.py')
  expect([code, stderr]).toEqual([
    1,
    `error hiding/flow.py could not be loaded: ${hiding} hides the package almanac from its tasks [ALM_LOAD_FAILED]\n      Give it another name.\n`,
  ])
})
