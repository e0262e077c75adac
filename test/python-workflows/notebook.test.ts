import { spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ensurePythonEnv } from '../../src/executors/python/environment.ts'
import { Project } from '../cli/almanac.ts'

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

interface Cell {
  readonly code: string
  readonly interruptWhen?: string
}

interface Shown {
  readonly kind?: string
  readonly stream?: string
  readonly text?: string
  readonly data?: Readonly<Record<string, string>>
  readonly error?: string
  readonly value?: string
  readonly traceback?: readonly string[]
}

let python: string
let project: Project

beforeAll(async () => {
  const requirements = here('notebook-requirements.txt')
  python = (await ensurePythonEnv({ requirements }, { onProgress: () => undefined })).python
})
afterAll(() => project.remove())

/** Executes cells in a kernel of their own; what each showed, and how often that changed in its place. */
async function executed(cells: readonly Cell[]) {
  const child = spawn(python, [here('notebook.py')], {
    cwd: project.folder,
    env: { ...process.env, PYTHONPATH: here('../../python') },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(JSON.stringify(cells))
  let text = ''
  for await (const chunk of child.stdout) text += String(chunk)
  return JSON.parse(text) as { readonly shown: readonly Shown[]; readonly updates: number }[]
}

const cells = {
  imports: `
from pathlib import Path
import time
import almanac
from almanac import File, run, task, workflow
import helpers
FACTOR = 3
`,
  tasks: `
def twice(n):
    return 2 * n

@task(cache=True)
def step(n: int) -> int:
    print("in the task", n)
    return helpers.scale(twice(n)) + FACTOR

@task(outputs={"plot": File})
def draw(total: int, plot: Path):
    plot.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
`,
  workflow: `
@workflow
async def main(count: int = 3):
    values = [await step(n) for n in range(count)]
    print("in the workflow", values)
    run.artifact("rows", "table", rows=[{"n": n, "v": "<b>"} for n in range(2)])
    run.artifact("notes", "markdown", text="# Notes")
    run.metric("sum", sum(values))
    drawn = await draw(sum(values))
    run.artifact("picture", "image", path=drawn["plot"])
    return {"values": values, "plot": drawn["plot"]}
`,
  figures: '(done := almanac.run(main)).executed, done.reused, done.output["values"]',
} as const

/** The last thing a cell showed, as text. */
const plain = (cell: { readonly shown: readonly Shown[] } | undefined): string | undefined =>
  cell?.shown.at(-1)?.data?.['text/plain']

it('cells are a workflow: what they say counts, values too, and a run shows all that it is', async () => {
  project = await Project.make({ 'helpers.py': 'def scale(n): return 10 * n\n' })
  const codes = [
    cells.imports,
    cells.tasks,
    cells.workflow,
    'done = almanac.run(main)\ndone',
    'print(done.graph)\nprint(done.metrics)',
    'done.artifacts["notes"]',
    cells.figures,
    `${cells.tasks.replace('return 2 * n', 'return 2 * n  # doubled')}`,
    cells.figures,
    'def twice(n):\n    return 2 * n + 1',
    cells.figures,
    'FACTOR = 4',
    cells.figures,
    'Path("helpers.py").write_text("def scale(n): return 100 * n\\n")',
    cells.figures,
  ]
  const said = await executed(codes.map((code) => ({ code })))
  const [, , , first, words, notes] = said
  expect(said.flatMap(({ shown }) => shown.filter(({ error }) => error !== undefined))).toEqual([])

  expect(first?.updates).toBeGreaterThan(0)
  const [progress, printed, run] = first?.shown ?? []
  expect(progress?.data?.['text/html']).toMatch(/<b>main<\/b>.*4 succeeded/)
  expect(printed).toEqual({ stream: 'stdout', text: 'in the workflow [3, 23, 43]\n' })
  const html = run?.data?.['text/html'] ?? ''
  expect(html).toContain('alt="step × 3, draw" src="data:image/svg+xml;base64,')
  // where a notebook is not trusted, it shows no SVG among HTML
  expect(html).not.toContain('<svg')
  expect(html).toContain('&lt;b&gt;')
  // an output that is an artifact too
  expect(html.match(/alt="(plot|picture)" /g)).toEqual(['alt="picture" '])
  expect(html).not.toMatch(/<script|(src|href)="http/)
  expect(run?.data?.['text/markdown']).toMatch(/^\*\*main\*\* succeeded · 4 executed/)

  expect(words?.shown[0]?.text).toBe('flowchart LR\n  t0["step × 3"]\n  t1["draw"]\n{\'sum\': 69.0}\n')
  expect(notes?.shown[0]?.data).toEqual({ 'text/plain': '<markdown notes>', 'text/markdown': '# Notes' })
  expect([6, 8, 10, 12, 14].map((cell) => plain(said[cell]))).toEqual([
    '(1, 3, [3, 23, 43])',
    '(1, 3, [3, 23, 43])',
    '(4, 0, [13, 33, 53])',
    '(4, 0, [14, 34, 54])',
    '(4, 0, [104, 304, 504])',
  ])
  expect((await readdir(project.folder)).filter((name) => name.endsWith('.py'))).toEqual([
    'cells_main.py',
    'helpers.py',
  ])
  // the command line reads them too
  expect(await project.json('resume', 'last')).toMatchObject({ state: 'succeeded', executed: 0 })
})

it('a cell that is interrupted stops its run; a loop goes on beside one that is awaited; errors are the author’s', async () => {
  await project.remove()
  project = await Project.make({ 'helpers.py': '' })
  const slow = `
HERE = Path.cwd()

@task
def slow(n: int) -> int:
    (HERE / "began").touch()
    time.sleep(60)

@task
def fails(n: int):
    raise ValueError(f"no {n}")

@workflow
async def waits():
    return await slow(1)

@workflow
async def breaks():
    await fails(1)

@workflow
async def quick():
    return await double(1)

def twice(n: int) -> int:
    return 2 * n

double = task(twice)

table = type("Table", (), {})()

@workflow
async def captures():
    return table.rows
`
  const [, , interrupted, listed, awaited, cancelled, failed, captured, called] = await executed([
    { code: cells.imports },
    { code: slow },
    { code: 'almanac.run(waits)', interruptWhen: '1 running' },
    { code: 'print(almanac.run(quick).output)' },
    {
      code: `
import asyncio
ticks = 0
async def tick():
    global ticks
    while True:
        await asyncio.sleep(0.01)
        ticks += 1
ticking = asyncio.ensure_future(tick())
done = await almanac.run_async(quick)
ticking.cancel()
print(done.output, ticks > 3)`,
    },
    {
      code: `
(HERE / "began").unlink(missing_ok=True)
waiting = asyncio.ensure_future(almanac.run_async(waits))
while not (HERE / "began").exists():
    await asyncio.sleep(0.02)
waiting.cancel()
try:
    await waiting
except asyncio.CancelledError:
    print("stopped")`,
    },
    { code: 'almanac.run(breaks)' },
    { code: 'almanac.run(captures)' },
    { code: 'await quick()' },
  ])
  expect(interrupted?.shown.at(-1)).toMatchObject({
    error: 'KeyboardInterrupt',
    value: expect.stringMatching(
      /^run \w+ was stopped: `almanac.resume\(waits\)`, or the command `(?:\S+\/)?python[\d.]* -m almanac resume \w+`, goes on$/,
    ),
  })
  expect(listed?.shown.at(-1)?.text).toBe('2\n')
  expect(awaited?.shown.at(-1)?.text).toBe('2 True\n')
  expect(cancelled?.shown.at(-1)?.text).toBe('stopped\n')
  const states = (await project.run('runs', '--json')).stdout.trim().split('\n')
  expect(
    states.map((line) => (JSON.parse(line) as { state: string; workflow: string }).state).sort(),
  ).toEqual(['cancelled', 'cancelled', 'failed', 'succeeded', 'succeeded'])
  const { error, value, traceback = [] } = failed?.shown.at(-1) ?? {}
  expect([error, value]).toEqual(['RunFailed', 'ValueError: no 1'])
  expect(traceback.join('\n')).toMatch(
    /Cell In\[2\], line 10, in fails[\s\S]*ValueError: no 1[\s\S]*almanac resume \w+/,
  )
  for (const { traceback: lines = [] } of [interrupted, failed, captured, called].map(
    (cell) => cell?.shown.at(-1) ?? {},
  ))
    expect(lines.join('\n')).not.toMatch(/(engine|runs?|calls|workflows)\.py/)
  expect(called?.shown.at(-1)?.traceback?.join('\n')).toMatch(
    /used outside a workflow[\s\S]*almanac\.run\(quick\)/,
  )
  expect(captured?.shown.at(-1)).toMatchObject({
    error: 'AlmanacError',
    value: 'captures uses table, a Table that lives in this notebook alone',
  })
  expect(await readFile(join(project.folder, 'cells_quick.py'), 'utf8')).not.toContain('slow')
})

it('a run that failed goes on with its cells as they are now, and what it had is kept', async () => {
  project = await Project.make({})
  const task = (body: string): string => `@task\ndef pick(row: dict) -> int:\n    return row["${body}"]`
  const [, , failed, , resumed, again, file, , shown, table] = await executed(
    [
      'import almanac\nfrom almanac import task, workflow\n@task\ndef make(n: int) -> dict:\n    return {"sum": 2 * n}',
      `${task('mean')}\n@workflow\nasync def main(n: int):\n    return await pick(make(n))`,
      'almanac.run(main, n=4)',
      task('sum'),
      '(done := almanac.resume(main)).output, done.executed, done.reused',
      '(again := await almanac.resume_async(main)).id == done.id, again.output, again.executed, again.reused',
      'print(open("cells_main.py").read().count("mean"))',
      `${task('max')}\ntry: almanac.run(main, n=5)\nexcept almanac.RunFailed as error: kept = error`,
      'kept',
      'almanac.run(main, n=type("DataFrame", (), {"__module__": "pandas"})())',
    ].map((code) => ({ code })),
  )
  expect(failed?.shown.at(-1)).toMatchObject({ error: 'RunFailed', value: "KeyError: 'mean'" })
  expect(plain(resumed)).toBe('(8, 1, 1)')
  expect(plain(again)).toBe('(True, 8, 0, 2)')
  expect(file?.shown.at(-1)?.text).toBe('0\n')
  // what it failed with and where, what to do, and how far it came
  expect(shown?.shown.at(-1)?.data?.['text/html']).toMatch(
    /✗ KeyError: [\s\S]*max[\s\S]*Cell In\[8\], line 3, in pick[\s\S]*almanac\.resume\(main\)[\s\S]*alt="make, pick"/,
  )
  expect(table?.shown.at(-1)?.value).toBe('input n is a DataFrame, which lives in this program alone')
})

it('a notebook does not write over the cells that a run of another one reads, and goes on when that has ended', async () => {
  await project.remove()
  project = await Project.make({})
  const notebook = (name: string, pause: string, last: string): string => `
import almanac, time
from pathlib import Path
from almanac import task, workflow
HERE = Path.cwd()
@task
def step(n: int) -> str:
    ${pause}
    return f"${name}{n}"
@workflow
async def main():
    return [await step(n) for n in range(3)]
${last}`
  const until = (name: string) => `while not (HERE / "${name}").exists(): time.sleep(0.02)`
  const [one, other] = await Promise.all([
    executed([
      {
        code: notebook(
          'A',
          `(HERE / "began").touch()\n    ${until('go')}`,
          'print(almanac.run(main).output)\n(HERE / "ended").touch()',
        ),
      },
    ]),
    executed([
      { code: `${notebook('B', 'pass', until('began'))}\nalmanac.run(main)` },
      { code: `(HERE / "go").touch()\n${until('ended')}\nprint(almanac.run(main).output)` },
    ]),
  ])
  expect(one?.[0]?.shown.at(-1)?.text).toBe("['A0', 'A1', 'A2']\n")
  expect(other?.[0]?.shown.at(-1)).toMatchObject({
    error: 'AlmanacError',
    value: expect.stringMatching(/cells_main\.py is read by a run that goes on, of cells that are not these/),
  })
  expect(other?.[1]?.shown.at(-1)?.text).toBe("['B0', 'B1', 'B2']\n")
})
