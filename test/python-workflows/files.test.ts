import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { open, python } from '../../src/index.ts'
import { Project } from '../cli/almanac.ts'

let project: Project

afterEach(() => project.remove())

const head = `
from dataclasses import dataclass
from pathlib import Path
from almanac import Dir, File, task, workflow

@dataclass
class Scene:
    observed: File
    also: dict[str, Path]

@task(outputs={"text": File})
def write(n: int, *, text: Path) -> None:
    text.write_text("x" * n)

@task
def sizes(first: Path | None, more: list[Path], named: dict[str, list[File]] | None = None) -> list:
    paths = [first, *more, *(path for paths in (named or {}).values() for path in paths)]
    return [None if path is None else path.stat().st_size for path in paths]

@task
def scene(scene: Scene) -> list:
    return [scene.observed.name, *(path.name for path in scene.also.values())]
`

async function make(workflow: string): Promise<void> {
  project = await Project.make({ 'flow.py': head + workflow })
  await mkdir(join(project.folder, 'raw'))
  await writeFile(join(project.folder, 'raw', 'a.txt'), 'a')
  await writeFile(join(project.folder, 'raw', 'b.txt'), 'bb')
}

it('files are given within lists, dicts, dataclasses, and where there may be none', async () => {
  await make(`
@workflow
async def main(files: list[File], named: dict[str, Path], one: Scene, maybe: Path | None = None):
    return [
        await sizes(maybe, files),
        await sizes(write(3).text, [write(4).text], {"x": [named["b"], write(5).text], "y": []}),
        await scene(one),
        [type(kept).__name__ for kept in (*named.values(), one.observed, *one.also.values())],
    ]
`)
  const inputs = [
    'files=["raw/a.txt", "raw/b.txt"]',
    'named={"b": "raw/b.txt", "raw": "raw"}',
    'one={"observed": "raw/a.txt", "also": {"b": "raw/b.txt"}}',
  ].flatMap((input) => ['--input', input])
  const { output } = await project.json('run', 'flow.py', ...inputs)
  expect(output).toEqual([
    [null, 1, 2],
    [3, 4, 2, 5],
    ['a.txt', 'b.txt'],
    ['File', 'Dir', 'File', 'File'],
  ])
  // and the three that are written, as what takes no file is not cached
  const again = await project.json('run', 'flow.py', ...inputs, '--input', 'maybe=raw/b.txt')
  expect(again).toMatchObject({ executed: 4, output: { 0: [2, 1, 2] } })
})

it('a default that is a path is read beside the file that says so; a child is given its files', async () => {
  await make(`
@workflow
async def main(raw: Dir = Path("raw"), files: list[Path] = [Path("raw") / "b.txt"]):
    return [raw.entries, await sizes(None, files)]

@workflow
async def parent():
    return await main()
`)
  await mkdir(join(project.folder, 'elsewhere'))
  const there = Project.at(join(project.folder, 'elsewhere'))
  const { output } = await there.json('run', '../flow.py')
  expect(output).toEqual([2, [null, 2]])
  const child = await project.json('run', 'flow.py:parent')
  expect(child).toMatchObject({
    state: 'failed',
    error: {
      code: 'ALM_SCHEMA',
      message: expect.stringContaining(
        'input raw is missing: a path that is a default is looked up for a run of its own only',
      ),
    },
  })
})

it('a default that is a path is read for runs that are triggered, or started by a program in TypeScript', async () => {
  await make(`
from almanac import run

@workflow
async def main(raw: Dir = Path("raw"), files: list[Path] = [Path("raw") / "b.txt"]):
    return [raw.entries, await sizes(None, files)]

@workflow
async def starts():
    return await run.trigger(main)
`)
  const { output: triggered } = await project.json('run', 'flow.py:starts')
  expect(await project.json('show', (triggered as { id: string }).id)).toMatchObject({
    state: 'succeeded',
    output: [2, [null, 2]],
  })
  const almanac = await open({ project: project.folder })
  try {
    const main = python.workflow(join(project.folder, 'flow.py:main'))
    expect(await almanac.run(main, {})).toEqual([2, [null, 2]])
  } finally {
    await almanac.close()
  }
})

it.each([
  [
    'a text in a list of files',
    `@workflow\nasync def main(): return await sizes(None, ["raw/a.txt"])\n`,
    /sizes: more\[0\] is a file or directory, and 'raw\/a\.txt' is a str\n {2}flow\.py:\d+ \[ALM_VALUE_REFUSED\]\n {2}Take files/,
  ],
  [
    'a task that says that it returns a file',
    `@task\ndef index(raw: Path) -> dict[str, Path]: ...\n@workflow\nasync def main(): ...\n`,
    /flow\.py:\d+: task index is annotated to return dict\[str, Path\]: files are left at a path.*\[ALM_LOAD_FAILED\]\n +Write @task\(outputs=/,
  ],
])('%s is refused with what to write', async (_, workflow, said) => {
  await make(workflow)
  const { code, stdout, stderr } = await project.run('run', 'flow.py')
  expect(code).not.toBe(0)
  expect(stdout + stderr).toMatch(said)
})
