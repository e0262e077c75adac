import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { Project } from '../cli/almanac.ts'

let project: Project

afterEach(() => project.remove())

/** How a run of the project went. */
async function ran(...args: string[]) {
  const { state, output, executed, reused, error, id } = await project.json(...args)
  return { state, output, executed: executed as number, reused: reused as number, error, id: id as string }
}

const steps = `
import os, time
from dataclasses import dataclass
from pathlib import Path
from almanac import Dir, File, TaskFailed, dataset, gather, map, run, settled, stage, task, workflow

@dataclass
class Limits:
    low: int
    high: int = 10

@task(variables=["LOG"])
def double(n: int) -> int:
    with open(os.environ["LOG"], "a") as log: log.write(f"double {n}\\n")
    return 2 * n

@task(retries=2, timeout="1m")
def total(numbers: list[int]) -> int:
    return sum(numbers)

@task
def fails(n: int):
    raise ValueError(f"no {n}")

@task(outputs={"words": File})
def count(text: Path, words: Path):
    words.write_text(str(len(text.read_text().split())))

@task(outputs={"even": dict, "odd": int})
def parts(n: int):
    return {"even": {"half": n // 2}, "odd": n % 2}
`

async function make(workflow: string): Promise<void> {
  const { folder } = await Project.make({ 'flow.py': steps + workflow })
  project = Project.at(folder, { LOG: join(folder, 'log') })
}

const log = (): Promise<string> => readFile(join(project.folder, 'log'), 'utf8').catch(() => '')

it('an async workflow calls tasks, passes futures on, awaits them, and gives what it returns', async () => {
  await make(`
@workflow
async def main(n: int = 4):
    doubles = [double(i) for i in range(n)]
    first = await doubles[1]
    p = parts(7)
    return {"sum": total(doubles), "first": first, "half": p.even.half, "odd": await p.odd}
`)
  expect(await ran('run', 'flow.py')).toMatchObject({
    state: 'succeeded',
    executed: 6,
    output: { sum: 12, first: 2, half: 3, odd: 1 },
  })
  expect(await ran('run', 'flow.py', '--input', 'n=2')).toMatchObject({ output: { sum: 2, first: 2 } })
})

it('a plain workflow asks futures for their results, in loops and in children', async () => {
  await make(`
@workflow
def child(n: int):
    return double(n).result() + 1

@workflow
def main():
    n = 1
    while n < 10:
        n = double(n).result()
    return [n, *gather(*[child(i) for i in range(3)]).result()]
`)
  expect(await ran('run', 'flow.py')).toMatchObject({ state: 'succeeded', output: [16, 1, 3, 5] })
})

it('resumed after an edit it keeps what still holds', async () => {
  await make(`
@workflow
async def main():
    numbers = [await double(i) for i in range(3)]
    return await total(numbers)
`)
  const { id } = await ran('run', 'flow.py')
  const text = await readFile(join(project.folder, 'flow.py'), 'utf8')
  await project.write({ 'flow.py': text.replace('return sum(numbers)', 'return 100 + sum(numbers)') })
  expect(await ran('resume', id)).toMatchObject({ state: 'succeeded', output: 106, executed: 1, reused: 3 })
  // options, comments and the workflow itself are no code of a task
  const edited = (await readFile(join(project.folder, 'flow.py'), 'utf8'))
    .replace('retries=2', 'retries=5')
    .replace('return 2 * n', 'return 2 * n  # twice')
    .replace('return await total(numbers)', 'return [await total(numbers)]')
  await project.write({ 'flow.py': edited })
  expect(await ran('resume', id)).toMatchObject({ state: 'succeeded', output: [106], executed: 0, reused: 4 })
  expect(await log()).toBe('double 0\ndouble 1\ndouble 2\n')
})

it('killed at any moment it goes on, and no recorded call is executed again', async () => {
  await make(`
@task(variables=["LOG"])
def slow(n: int) -> int:
    with open(os.environ["LOG"], "a") as log: log.write(f"slow {n}\\n")
    # it does not come to its end before it may
    while n == 140 and not os.path.exists(os.environ["LOG"] + "-open"): time.sleep(0.01)
    return n

@workflow
async def main():
    first = await gather(*[slow(i) for i in range(50)])
    rest = []
    for i in range(50):
        if i == 20: print("in the middle")
        rest.append(await slow(100 + i))
    return sum(first) + sum(rest)
`)
  const killed = project.start('run', 'flow.py', '--json')
  await killed.saw(/in the middle/)
  killed.child.kill('SIGKILL')
  await killed.ended
  // more may have been executed: a result is given before it is recorded
  const { executed: recorded, id } = await ran('show', 'last')
  await project.write({ 'log-open': '' })
  const { state, output, executed, reused } = await ran('resume', id)
  expect({ state, output, executed, reused }).toEqual({
    state: 'succeeded',
    output: 1225 + 5000 + 1225,
    executed: 100 - recorded,
    reused: recorded,
  })
  const lines = (await log()).trim().split('\n')
  expect(new Set(lines).size).toBe(100)
  expect(lines.length - 100).toBeLessThanOrEqual(100 - recorded)
})

it('maps over a directory, filters it, and publishes what it made', async () => {
  await make(`
@workflow
async def main(raw: Dir):
    counted = count.map(raw)
    large = raw.filter(lambda path: path != "a.txt")
    published = await dataset("words").publish(Dir.of(words=counted.words, large=large))
    return {"version": published["version"], "entries": published["dir"].entries}
`)
  await mkdir(join(project.folder, 'raw'))
  await project.write({ 'raw/a.txt': 'a', 'raw/b.txt': 'b b' })
  expect(await ran('run', 'flow.py', '--input', 'raw=raw')).toMatchObject({
    state: 'succeeded',
    executed: 2,
    output: { version: 1, entries: 3 },
  })
  await project.write({ 'raw/b.txt': 'b b b' })
  expect(await ran('run', 'flow.py', '--input', 'raw=raw')).toMatchObject({
    state: 'succeeded',
    executed: 1,
    reused: 1,
    output: { version: 2 },
  })
})

it('failures are exceptions with what the task raised; branches, stages and settled futures hold them', async () => {
  await make(`
async def steps(n: int):
    return await double(await double(n))

@workflow
async def main():
    try:
        await fails(3)
    except TaskFailed as error:
        caught = [error.type, str(error).splitlines()[0], error.code]
    many = await map(steps, [1, 2], key=str).all()
    staged = await stage("last", lambda: steps(5))
    ended = await settled([double(8), fails(9)])
    return {"caught": caught, "many": many, "staged": staged, "ended": [one["ok"] for one in ended]}
`)
  expect(await ran('run', 'flow.py')).toMatchObject({
    state: 'succeeded',
    output: {
      caught: ['ValueError', 'no 3', 'ALM_TASK_FAILED'],
      many: [4, 8],
      staged: 20,
      ended: [true, false],
    },
  })
})

it('inputs are what their annotations say, and what does not fit is refused before anything runs', async () => {
  await make(`
@workflow
async def main(limits: Limits, names: list[str] = ["a"]):
    return [limits.low, limits.high, names]
`)
  expect(await ran('run', 'flow.py', '--input', 'limits={"low":1}')).toMatchObject({ output: [1, 10, ['a']] })
  const wrong = await project.run('run', 'flow.py', '--input', 'limits={"low":"x"}')
  expect(wrong.code).not.toBe(0)
  expect(wrong.stderr + wrong.stdout).toContain('limits')
  expect(await log()).toBe('')
})

it('dataclasses are dataclasses in tasks, and when they are awaited', async () => {
  await make(`
limits = run.context("limits", schema=Limits, initial=Limits(1))

@task
def widen(limits: Limits, by: int) -> Limits:
    return Limits(limits.low - by, limits.high + by)

@task(outputs={"limits": Limits}, context={"base": limits})
def judge(n: int, base: Limits):
    return Limits(base.low, n)

@workflow
async def main():
    wide = widen(Limits(5), 1)
    both = await gather(wide, widen(wide, by=2))
    base = (await limits.get()).value
    return [(await wide).low, both[1].high, (await judge(7).limits).high, base.low]
`)
  expect(await ran('run', 'flow.py')).toMatchObject({ state: 'succeeded', output: [4, 13, 7, 1] })
})

it('whole numbers are floats where annotations say so, in tasks and when they are awaited', async () => {
  await make(`
@task
def gain() -> float:
    return 2.0

@task
def large() -> float:
    return 1e17

@task
def gains(n: int) -> list[float | None]:
    return [1.0, 0.5, None][:n]

@task(outputs={"mean": float, "count": int})
def statistics(values: list[float]):
    return {"mean": sum(values) / len(values), "count": len(values)}

@task
def told(gain: float, gains: list[float | None], n: int, anything) -> str:
    return repr([gain, gains, n, anything])

@workflow
async def child(start: float) -> float:
    return start + 1

@workflow
async def main():
    known = [await gain(), await large(), await gains(3), await statistics([1, 3]).mean, await child(1), await gains(2)[0]]
    return [repr(known), await told(gain(), gains(3), 1, gain()), await told(1, [1.0], 1, 1.0)]
`)
  expect(await ran('run', 'flow.py')).toMatchObject({
    state: 'succeeded',
    output: [
      '[2.0, 1e+17, [1.0, 0.5, None], 2.0, 2.0, 1.0]',
      '[2.0, [1.0, 0.5, None], 1, 2]',
      '[1.0, [1.0], 1, 1]',
    ],
  })
})

it('a dataclass takes files along, which a task gets as paths', async () => {
  await make(`
@dataclass
class Window:
    name: str
    observed: File
    around: Dir | None = None

@task(outputs={"text": File})
def write(words: str, text: Path) -> None:
    text.write_text(words)

@task
def read(window: Window, others: list[Window]) -> list[str]:
    return [f"{one.name} {one.observed.read_text()}" for one in [window, *others]] + os.listdir(window.around)

@workflow
async def main():
    first, second = write("one").text, await write("two").text
    around = await Dir.of(inner=first)
    return await read(Window("a", first, around), [Window("b", second)])
`)
  expect(await ran('run', 'flow.py')).toMatchObject({
    state: 'succeeded',
    output: ['a one', 'b two', 'inner'],
  })
})

it('workflows and tasks may be in packages, under decorators of other files, and be run from there', async () => {
  await make(`
from lab.flows.main import scaled

@workflow
async def main():
    return await scaled(2)
`)
  const scale = (by: number): Record<string, string> => ({ 'lab/scale.py': `BY = ${by}\n` })
  await mkdir(join(project.folder, 'lab/flows'), { recursive: true })
  await project.write({
    'lab/__init__.py': '',
    'lab/flows/__init__.py': '',
    ...scale(10),
    'lab/tools.py': `
import functools

def named(function):
    @functools.wraps(function)
    def inner(*args, **named): return [function.__name__, function(*args, **named)]
    return inner
`,
    'lab/flows/main.py': `
from almanac import task, workflow
from lab.tools import named
from ..scale import BY

@task(cache=True)
@named
def times(n: int):
    return n * BY

@workflow
async def scaled(n: int):
    return await times(n)
`,
  })
  expect(await ran('run', 'flow.py')).toMatchObject({ output: ['times', 20], executed: 1 })
  expect(await ran('run', 'lab/flows/main.py', '--input', 'n=2')).toMatchObject({
    output: ['times', 20],
    executed: 0,
    reused: 1,
  })
  await project.write(scale(30))
  expect(await ran('run', 'flow.py')).toMatchObject({ output: ['times', 60], executed: 1 })
})

it('calls a workflow in TypeScript as a child', async () => {
  await make(`
from almanac import workflow_from
other = workflow_from("other.ts")

@workflow
async def main():
    return [await other(n=await double(2)), await other(n=5)]
`)
  await project.write({
    'other.ts': `
import { json, task, workflow } from 'almanac'
const triple = task('triple', (n: number) => 3 * n)
export default workflow('other', { input: { n: json<number>() } }, async ({ n }) => triple(n))
`,
  })
  expect(await ran('run', 'flow.py')).toMatchObject({ state: 'succeeded', output: [12, 15], executed: 3 })
})

it('a workflow in TypeScript calls one in Python, which calls one in TypeScript, which calls one in Python', async () => {
  await make(`
from almanac import workflow_from
back = workflow_from("main.ts", "back")

@workflow(limits={"seat": 1})
async def deep(n: int) -> int:
    return await seated(await back(n=n - 1)) if n > 0 else 0

@task(limits=["seat"])
def seated(n: int) -> int:
    return n + 1

@workflow
async def failing(n: int):
    await fails(n)

@workflow
async def bare(n: int = 5):
    return n
`)
  await project.write({
    'main.ts': `
import { AlmanacError, json, python, workflow, z } from 'almanac'
const deep = python.workflow('flow.py:deep', { input: { n: json(z.number()) }, output: json(z.number()) })
const failing = python.workflow<{ n: number }>('flow.py:failing')
const bare = python.workflow('flow.py:bare')
export const back = workflow('back', { input: { n: json<number>() } }, async ({ n }) => 10 * (await deep({ n })))
export default workflow('main', { input: { n: json(z.number()) } }, async ({ n }) => {
  const found = [deep({ n }), deep.key('again')({ n: 1 }), bare(), bare.key('given')({ n: 6 })]
  try {
    await failing({ n: 3 })
  } catch (error) {
    if (error instanceof AlmanacError) return { deep: found, message: error.message }
  }
})
`,
  })
  const input = ['--input', 'n=2']
  const { id, ...first } = await ran('run', 'main.ts', ...input)
  expect(first).toEqual({
    state: 'succeeded',
    output: { deep: [11, 1, 5, 6], message: 'no 3' },
    executed: 3,
    reused: 0,
    error: null,
  })
  expect(await ran('resume', id)).toMatchObject({ state: 'succeeded', executed: 0, reused: 3 })
  expect(await ran('run', 'flow.py:deep', ...input)).toMatchObject({ state: 'succeeded', output: 11 })
  const { stdout } = await project.run('show', id, 'failing')
  expect(stdout).toMatch(/flow\.py:\d+[\s\S]*ValueError: no 3/)
  const wrong = await project.run('run', 'main.ts', '--input', 'n=1.5')
  expect(wrong.stdout + wrong.stderr).toMatch(/(Input n: |The input of deep does not fit its schema: n: )/)
})

it('a task may be async: its loop is its own, in threads too, and it hears of its timeout where it waits', async () => {
  await make(`
import asyncio

@task
async def later(n: int) -> int:
    return await asyncio.sleep(0.01, 2 * n)

@task(timeout="1s")
async def never(n: int):
    try: await asyncio.sleep(600)
    finally: print("left")

@workflow
async def main():
    beside = never.options(threads=4)
    ended = await settled([later(4), never(1), beside(2)])
    return [one["value"] if one["ok"] else one["error"]["code"] for one in ended]
`)
  const output = [8, 'ALM_TASK_TIMEOUT', 'ALM_TASK_TIMEOUT']
  expect(await ran('run', 'flow.py')).toMatchObject({ state: 'succeeded', output, executed: 1 })
  const { stdout } = await project.run('logs', 'last', '--json')
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { text: string })
  expect(lines.map(({ text }) => text.trim())).toEqual(['left', 'left'])
  const text = await readFile(join(project.folder, 'flow.py'), 'utf8')
  await project.write({ 'flow.py': text.replace('2 * n)', '3 * n)') })
  expect(await ran('resume', 'last')).toMatchObject({ output: [12, ...output.slice(1)], executed: 1 })
})

it('a question to a person leaves it waiting; answered and resumed it goes on', async () => {
  await make(`
@workflow
async def main():
    n = await double(4)
    answer = await run.ask({"ok": bool}, title=f"is {n} right?")
    return [n, answer["ok"]]
`)
  const { state, id } = await ran('run', 'flow.py')
  expect(state).toBe('waiting')
  await project.run('answer', id, 'ok=true')
  expect(await ran('resume', id)).toMatchObject({ state: 'succeeded', output: [8, true], executed: 0 })
})

it('takes exception classes and paths as options, and a list of dicts as one value an item', async () => {
  project = await Project.make({
    'gains.csv': '1\n',
    'flow.py': `
from pathlib import Path
from almanac import task, workflow

@task(retries={"count": 2, "on": [OSError], "delay": 0}, reads=[Path("gains.csv")])
def flaky(counter: str) -> int:
    with open(counter, "a+") as tries:
        tries.write("x")
        tries.seek(0)
        if len(tries.read()) < 3: raise ConnectionResetError("again")
    return 3

@task
def row(row: dict, sep: str = ",") -> str:
    return sep.join(row)

@task
def only(row: dict) -> int:
    return len(row)

@workflow
async def main(counter: str):
    by_name = [{"row": {"a": 1, "b": 2}, "sep": ";"}, {}]
    return [await flaky(counter), await only.map([{}, {"b": 2}, {"row": 1}]).all(), await row.map(by_name).all()]
`,
  })
  const counter = join(project.folder, 'tries')
  expect(await ran('run', 'flow.py', '--input', `counter=${counter}`)).toMatchObject({
    state: 'succeeded',
    output: [3, [0, 1, 1], ['a;b', '']],
  })
})

it('says what is wrong with an option where the file is loaded, though no call is made', async () => {
  project = await Project.make({
    'flow.py': `from almanac import task, workflow
@task(timeout="5 minutes")
def slow(): ...
@workflow
async def main(): ...
`,
  })
  const { code, stdout, stderr } = await project.run('run', 'flow.py')
  expect(code).not.toBe(0)
  expect(stdout + stderr).toMatch(
    /option timeout of slow is not valid: '5 minutes' is no duration; write seconds, '30s', '5m' or '1h'/,
  )
})
