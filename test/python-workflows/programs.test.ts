import { spawn, spawnSync } from 'node:child_process'
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { Project } from '../cli/almanac.ts'

let project: Project

afterEach(() => project.remove())

const flow = `
from pathlib import Path
from almanac import Dir, File, file, task, workflow

@task(outputs={"table": file("numbers.csv")})
def write(n: int, *, table: Path) -> None:
    table.write_text(f"{n}\\n")

@task
def pick(row: dict) -> int:
    return row["tmean"]

@workflow
async def main(n: int):
    made = write(n).table
    return {"made": made, "within": {"list": [made]}, "all": Dir.of(one=made)}

@workflow
async def fails():
    return await pick({})
`

const resumable = `
from almanac import task, workflow

@task
def make(n: int) -> dict:
    return {"sum": 2 * n}

@task
def pick(row: dict) -> int:
    return row["mean"]

@workflow
async def main(n: int):
    return await pick(make(n))

@workflow
async def other():
    return await make(3)
`

const typed = `
from dataclasses import dataclass
from datetime import date, datetime, timezone
from pathlib import Path
from almanac import File, file, task, workflow

@dataclass
class Night:
    on: date
    seeing: float
    page: File

@task(outputs={"page": file("page.txt")})
def write(*, page: Path) -> None:
    page.write_text("clear")

@workflow
async def main(when: datetime, gain: float, photons: int, raw: bytes, anything):
    return [repr(one) for one in (when, gain, photons, raw, anything)]

@workflow
async def night() -> Night:
    return Night(date(2026, 1, 31), 1.0, await write().page)
`

const edited = `
from pathlib import Path
from almanac import task, workflow

@task
def first(n: int) -> int:
    file = Path(__file__)
    file.write_text(file.read_text().replace("100 *", "1000 *"))
    return n

@task
def second(n: int) -> int:
    return 100 * n

@workflow
async def main():
    return await second(await first(1))
`

const asking = `
from dataclasses import dataclass
from almanac import gather, run, workflow

@dataclass
class Verdict:
    accept: bool
    why: str = ""

@workflow
async def main():
    verdict = await run.ask(Verdict, title="Is it good?", show={"range": 13})
    return verdict.why

@workflow
async def both():
    return await gather(run.ask(str, title="a?"), run.ask(float, title="b?"))
`

const called = `
from almanac import task, workflow

@task
def double(n: int) -> int:
    return 2 * n

@task
async def later(n: int) -> int:
    return 2 * n

@workflow
async def main(n: int, label: str):
    return await later(double(n))
`

const cleaned = `
import time
from pathlib import Path
from almanac import task, workflow

@task
def work() -> None:
    Path("at-work").touch()
    time.sleep(600)

@task
def clean() -> None:
    time.sleep(1.5)
    Path("cleaned").touch()

@workflow
async def main():
    try:
        await work()
    finally:
        await clean()
`

const nested = `
from almanac import run, task, workflow

@task
def deeper(n: int) -> int:
    return run(main, n=n + 1).output

@workflow
def main(n: int):
    return deeper(n)
`

const pooled = `
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from almanac import task, workflow

@task
def one(n: int) -> int:
    return n + 1

@task
def all_of(numbers: list[int], how: str) -> list[int]:
    with ProcessPoolExecutor(1, multiprocessing.get_context(how)) as pool:
        return list(pool.map(one, numbers))

@workflow
async def main():
    return [await all_of([1, 2], how) for how in ("fork", "forkserver", "spawn")]
`

const env = (more: NodeJS.ProcessEnv = {}) => ({
  ...process.env,
  PYTHONPATH: fileURLToPath(new URL('../../python', import.meta.url)),
  ...more,
})

/** A program that imports the workflows by the path of a folder. */
const importing = (program: string, folder = project.folder) => [
  '-c',
  `import almanac, sys\nsys.path.insert(0, ${JSON.stringify(folder)})\nfrom flow import *\n${program}`,
]

/** What it prints. */
function printed(program: string, folder?: string, more?: NodeJS.ProcessEnv, python = 'python3'): string {
  const { stdout, stderr } = spawnSync(python, importing(program, folder), {
    cwd: project.folder,
    encoding: 'utf8',
    env: env(more),
  })
  return stdout + stderr
}

it('gives files and directories where they stay what its run gave, whatever a later run gives', async () => {
  project = await Project.make({ 'flow.py': flow })
  expect(
    printed(`
first = almanac.run(main, n=1).output
second = almanac.run(main, n=2).output
for output in first, second:
    paths = output["made"].path, output["within"]["list"][0].path, output["all"].path / "one"
    print(paths[0].name, [path.read_text() for path in paths])
print((almanac.run(main, n=2).directory / "numbers.csv").read_text())
`),
  ).toBe("numbers.csv ['1\\n', '1\\n', '1\\n']\nnumbers.csv ['2\\n', '2\\n', '2\\n']\n2\n\n")
})

it('is told the type of what a task raised, and where', async () => {
  project = await Project.make({ 'flow.py': flow })
  const said = printed('almanac.run(fails)').replace(/1m\w+/g, 'RUN')
  expect(said).toContain(
    [
      "almanac.errors.RunFailed: KeyError: 'tmean'",
      'Traceback (most recent call last):',
      `  File "${join(project.folder, 'flow.py')}", line 11, in pick`,
      '    return row["tmean"]',
    ].join('\n'),
  )
  expect(said).toMatch(
    /run RUN failed: `almanac\.resume\(fails\)`, or the command `(?:\S+\/)?python[\d.]* -m almanac resume RUN`, keeps what succeeded\n$/,
  )
  const caught = `
try:
    almanac.run(fails)
except almanac.RunFailed as error:
    print(type(error.run).__name__, error.code, error.type, error.line, 'return row["tmean"]' in error.traceback)
`
  expect(printed(caught)).toBe('str ALM_TASK_FAILED KeyError 11 True\n')
})

it('goes on with the newest run of a workflow as its file is now, or with one that is named', async () => {
  project = await Project.make({ 'flow.py': resumable })
  expect(printed('almanac.resume(main)')).toContain('AlmanacError: workflow main has no run to go on with')
  const failed = /run (\w+) failed/.exec(printed('almanac.run(main, n=1)'))?.[1]
  printed('almanac.run(other)')
  await project.write({ 'flow.py': resumable.replace('["mean"]', '["sum"]') })
  const figures = 'print(done.id, done.output, done.executed, done.reused)'
  expect(printed(`done = almanac.resume(main)\n${figures}`)).toBe(`${failed} 2 1 1\n`)
  expect(printed(`done = almanac.resume(main, run="${failed}")\n${figures}`)).toBe(`${failed} 2 0 2\n`)
})

it('that is killed has its run stopped with all of its clean-up', async () => {
  project = await Project.make({ 'flow.py': cleaned })
  const program = spawn('python3', importing('almanac.run(main)'), {
    cwd: project.folder,
    env: env(),
    stdio: 'ignore',
  })
  await project.there('at-work')
  program.kill('SIGKILL')
  await project.there('cleaned')
  const state = async () =>
    (JSON.parse((await project.run('runs', '--json')).stdout) as { state: string }).state
  await expect.poll(state).toBe('cancelled')
})

it('goes on with a run by whichever path its file is named', async () => {
  project = await Project.make({ 'flow.py': resumable })
  const link = `${project.folder}-link`
  await symlink(project.folder, link)
  try {
    const failed = /run (\w+) failed/.exec(printed('almanac.run(main, n=1)', link))?.[1]
    await project.write({ 'flow.py': resumable.replace('["mean"]', '["sum"]') })
    const goesOn = 'done = almanac.resume(main)\nprint(done.id, done.executed, done.reused)'
    expect(printed(goesOn, link)).toBe(`${failed} 1 1\n`)
    expect(printed(goesOn)).toBe(`${failed} 0 2\n`)
  } finally {
    await rm(link)
  }
})

it('looks in the project that its arguments name', async () => {
  project = await Project.make({ 'flow.py': resumable })
  await mkdir(join(project.folder, 'there'))
  expect(printed('print(almanac.run(other, "--project=there").graph)')).toContain('make')
  expect(printed('print(almanac.resume(other, "--project=there").reused)')).toBe('1\n')
  expect(printed('almanac.resume(other)')).toContain('AlmanacError: workflow other has no run to go on with')
})

it('says why it cannot look for a run', async () => {
  project = await Project.make({ 'flow.py': resumable })
  await mkdir(join(project.folder, '.almanac'))
  await project.write({ '.almanac/journal.db': 'no journal' })
  expect(printed('almanac.resume(other)')).toMatch(/AlmanacError: .*journal\.db/)
})

it('gives inputs that JSON does not have as they are', async () => {
  project = await Project.make({ 'flow.py': typed })
  const values =
    'when=datetime(2026, 1, 31, tzinfo=timezone.utc), gain=float("nan"), photons=2**70, raw=b"ab", anything='
  const said = [
    'datetime.datetime(2026, 1, 31, 0, 0, tzinfo=datetime.timezone.utc)',
    'nan',
    '1180591620717411303424',
    "b'ab'",
  ].join('\n')
  expect(printed(`print(*almanac.run(main, ${values}{"$": [float("inf"), 2**70]}).output, sep="\\n")`)).toBe(
    `${said}\n{'$': [inf, 1180591620717411303424]}\n`,
  )
})

it('gives what its run gave as the workflow’s annotation says', async () => {
  project = await Project.make({ 'flow.py': typed })
  expect(
    printed(`
done = almanac.run(night)
print(type(done.output) is Night, done.output.on, done.output.seeing, done.output.page.path.read_text())
print("page.txt" in done._repr_html_())
`),
  ).toBe('True 2026-01-31 1.0 clear\nTrue\n')
})

it('hears once, by what it raises, of inputs that are refused, and of a result that is not what is annotated', async () => {
  project = await Project.make({
    'flow.py': `from almanac import run, workflow

@workflow
async def main(n: int) -> int:
    run.metric("whole", 3)
    return n if n > 0 else "none"
`,
  })
  const refused = (input: string): string => `
try:
    almanac.run(main, n=${input})
except almanac.AlmanacError as error:
    print(error)
`
  expect(printed(refused('"x"'))).toBe("Input n: 'x' is not int\n")
  expect(printed(refused('0'))).toContain(
    "The result of main is not what its annotation says: 'none' is not int.\n",
  )
  expect(printed('print(almanac.run(main, n=1).metrics)')).toBe("{'whole': 3.0}\n")
})

it('is told what the engine warns of', async () => {
  project = await Project.make({ 'flow.py': edited })
  const warnings = [
    'first: flow.py:7 reads a file of its own, which does not count: name it in the option reads',
    `first: ${project.folder}/flow.py:first was edited while the run went on: what ended since is executed again by resume`,
  ]
  // standard error is printed last
  expect(printed('print(*almanac.run(main).warnings, sep="\\n")')).toBe(
    `${[...warnings, ...warnings.map((one) => `! ${one}`)].join('\n')}\n`,
  )
})

it('says how inputs are given to who gives them by place, and that pdb needs a terminal', async () => {
  project = await Project.make({ 'flow.py': resumable })
  expect(printed('almanac.run(main, 4)')).toMatch(
    /TypeError: 4 is no text: give inputs by name \(`n=4`\), and what the command takes as texts \("--parallel", "4"\)\n$/,
  )
  expect(printed('almanac.run(main, "--debug-python", n=4)')).toMatch(
    /AlmanacError: almanac\.run has no terminal for pdb\nUse the command, `almanac run flow\.py --debug-python`, or "--debug-python", "debugpy"\.\n$/,
  )
})

it('lists runs, answers what they ask, and cancels them', async () => {
  project = await Project.make({ 'flow.py': asking, 'other.py': asking })
  expect(
    printed(`
from other import main as other
almanac.run(other)
first, waiting = almanac.run(both), almanac.run(main)
ask, = almanac.asks(waiting.id)
print(ask.call, ask.title, ask.shown, ask.schema["required"])
def refused(*given, **named):
    try: almanac.answer(*given, **named)
    except almanac.AlmanacError as error: print(error.code, str(error).replace(first.id, "RUN"))
refused("last", {"accept": 4})
almanac.answer(waiting.id, Verdict(True, "sharp"), by="me")
print(almanac.resume(main).output, almanac.asks(waiting.id))
refused(first.id, "5")
refused(first.id, "5", call=7)
for ask, value in zip(almanac.asks(first.id), ["5", 5.5]): almanac.answer(first.id, value, call=ask.call)
print(almanac.resume(both).output)
almanac.cancel(almanac.run(both).id)
print([(one.workflow, one.state, str(one.next).endswith(f" -m almanac resume {one.id}")) for one in almanac.runs(limit=3)])
print(len(almanac.runs(main)), len(almanac.runs("main")), almanac.runs(both)[0].created < almanac.runs(both)[0].ended)
`),
  ).toBe(
    [
      "0 Is it good? ('range  13',) ['accept']",
      'ALM_SCHEMA The answer does not fit its schema: accept: 4 is not bool (wanted: accept=boolean why=string?). The question is still open.',
      'sharp []',
      'ALM_USAGE several questions are open; name the call: 0, 1',
      'ALM_ASK_CLOSED Run RUN has no open question at call 7.',
      "['5', 5.5]",
      "[('both', 'cancelled', True), ('main', 'succeeded', False), ('both', 'succeeded', False)]",
      '1 2 True',
      '',
    ].join('\n'),
  )
})

it('calls tasks as the functions that they are, and is told how a workflow is run', async () => {
  project = await Project.make({ 'flow.py': called })
  expect(printed('import asyncio\nprint(double(3), asyncio.run(later(4)))')).toBe('6 8\n')
  expect(printed('main(3, label="night")')).toMatch(
    /AlmanacError: workflow main was used outside a workflow\nRun it: `almanac\.run\(main, n=3, label='night'\)` gives a run with its `output`; call it in a workflow\.\n$/,
  )
})

it('has its workflow, its tasks and their code read by the Python that it is in, whichever is on the path', async () => {
  project = await Project.make({ 'flow.py': resumable })
  const python = printed('print(sys.executable)').trim()
  await mkdir(join(project.folder, 'bin'))
  for (const name of ['python', 'python3', ...[10, 11, 12, 13, 14].map((minor) => `python3.${minor}`)]) {
    const asked = join(project.folder, `asked-${name}`)
    await writeFile(join(project.folder, 'bin', name), `#!/bin/sh\ntouch ${asked}\nexit 1\n`, { mode: 0o755 })
  }
  const path = [join(project.folder, 'bin'), process.env['PATH']].join(delimiter)
  expect(printed('print(almanac.run(other).output)', project.folder, { PATH: path }, python)).toBe(
    "{'sum': 6}\n",
  )
  expect((await readdir(project.folder)).filter((name) => name.startsWith('asked-'))).toEqual([])
})

it('is stopped where its tasks run workflows that call them without end', async () => {
  project = await Project.make({ 'flow.py': nested })
  const counted = `
try: almanac.run(main, n=1)
except almanac.RunFailed as error: print(str(error).splitlines()[0], len(almanac.runs()))
`
  expect(printed(counted, project.folder, { ALMANAC_NESTING: '9' })).toBe(
    'RunFailed: AlmanacError: A run of main would be within 11 tasks, each in a run of the one before; the limit is 10. 2\n',
  )
})

it('may give tasks to the processes that a task starts', async () => {
  project = await Project.make({ 'flow.py': pooled })
  expect(printed('print(almanac.run(main).output)')).toBe('[[2, 3], [2, 3], [2, 3]]\n')
})
