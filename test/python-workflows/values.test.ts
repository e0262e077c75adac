import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { ensurePythonEnv } from '../../src/executors/python/environment.ts'
import { Project } from '../cli/almanac.ts'

let project: Project

afterEach(() => project.remove())

it('a named tuple is one where an annotation says so, in tasks, in the workflow and before it is known', async () => {
  project = await Project.make({
    'flow.py': `
from typing import NamedTuple
from almanac import task, workflow

class Sky(NamedTuple):
    ra: float
    dec: float = 0

@task
def turned(sky: Sky, by: float = 0) -> Sky:
    return Sky(sky.dec + by, sky.ra)

@task
def unsaid(sky):
    return Sky(*sky)

@workflow
async def child(sky: Sky) -> Sky:
    return sky

@workflow
async def main(sky: Sky = Sky(1, 2)):
    once = turned(sky)
    again = turned(once, by=once.ra)
    mapped = turned.map([{"sky": once}, {"sky": sky}])
    return [
        [repr(one) for one in (await once, await again, await child(once), *await mapped.all())],
        [await once.dec, await once[0], await again.ra, repr(await unsaid(once))],
    ]
`,
  })
  const made = (ra: number, dec: number) => `Sky(ra=${ra}.0, dec=${dec}.0)`
  const run = await project.json('run', 'flow.py')
  expect(run['output']).toEqual([
    [made(2, 1), made(3, 2), made(2, 1), made(1, 2), made(2, 1)],
    [1, 2, 3, '[2, 1]'],
  ])
  expect(await project.json('resume', run['id'] as string)).toMatchObject({ output: run['output'] })
  const given = await project.json('run', 'flow.py', '--input', 'sky=[4]')
  expect(given).toMatchObject({ output: { 0: { 0: made(0, 4) } } })
})

it('times keep their microseconds, and have a zone when they come back', async () => {
  project = await Project.make({
    'flow.py': `
from datetime import datetime, timedelta, timezone
from almanac import task, workflow

@task
def later(time: datetime, by: int = 1):
    return time + timedelta(microseconds=by)

@task(cache=True)
def text(time: datetime) -> str:
    return time.isoformat()

@workflow
async def main():
    naive = datetime(2026, 1, 31, 12, 0, 0, 999_999)
    east = datetime(2026, 1, 31, 12, 0, 0, 123_456, timezone(timedelta(hours=2)))
    times = [await later(naive), await later(later(east)), await later(naive, by=-999)]
    return [[await text(naive), await text(east)], [time.isoformat() for time in times], times]
`,
  })
  const output = [
    ['2026-01-31T12:00:00.999999+00:00', '2026-01-31T10:00:00.123456+00:00'],
    ['2026-01-31T12:00:01+00:00', '2026-01-31T10:00:00.123458+00:00', '2026-01-31T12:00:00.999000+00:00'],
    ['2026-01-31T12:00:01.000Z', '2026-01-31T10:00:00.123458Z', '2026-01-31T12:00:00.999Z'].map((v) => ({
      $: 'date',
      v,
    })),
  ]
  const run = await project.json('run', 'flow.py')
  expect(run['output']).toEqual(output)
  expect(await project.json('resume', run['id'] as string)).toMatchObject({ output, executed: 0 })
})

it('models of pydantic take files along, which a task gets as paths', async () => {
  const requirements = fileURLToPath(new URL('pydantic-requirements.txt', import.meta.url))
  const { python } = await ensurePythonEnv({ requirements }, { onProgress: () => undefined })
  const { folder } = await Project.make({
    'a.txt': 'a',
    'b.txt': 'bb',
    'flow.py': `
from pathlib import Path
from pydantic import BaseModel
from almanac import Dir, File, task, workflow

class Part(BaseModel):
    observed: File
    n: int = 1

class Scene(BaseModel):
    part: Part
    also: list[File] = []
    around: Dir | None = None

class Named(BaseModel):
    path: Path

@task(outputs={"text": File})
def write(scene: Scene, *, text: Path) -> None:
    paths = [scene.part.observed, *scene.also]
    text.write_text("".join(path.read_text() for path in paths) * scene.part.n)

@task
def size(named: Named) -> int:
    return named.path.stat().st_size

@workflow
async def main(scene: Scene):
    text = await write(scene).text
    more = write(Scene(part=Part(observed=text, n=2), also=[scene.part.observed])).text
    return [type(scene.part.observed).__name__, text.size, await size({"path": more})]

@workflow
async def other(file: File) -> Named:
    return {"path": file}
`,
  })
  project = Project.at(folder, { ALMANAC_PYTHON: python })
  const input = JSON.stringify({ part: { observed: 'a.txt', n: 3 }, also: ['b.txt'] })
  const run = await project.json('run', 'flow.py', '--input', `scene=${input}`)
  expect(run).toMatchObject({ output: ['File', 9, 20] })
  const missing = await project.run('run', 'flow.py', '--input', 'scene={"part":{"observed":"c.txt"}}')
  expect(missing.stderr).toMatch(/Input scene\.part\.observed: .*c\.txt does not exist/)
  const refused = await project.json('run', 'flow.py:other', '--input', 'file=a.txt')
  expect(refused).toMatchObject({
    error: {
      code: 'ALM_SCHEMA',
      message: expect.stringContaining('A field that is a file is annotated File, Dir or Url.'),
    },
  })
})
