import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { Project } from './almanac.ts'

let project: Project

afterEach(() => project.remove())

const inPython = `
from pathlib import Path
from almanac import File, task, workflow
from almanac_task import artifact

@task
def draw(n: int) -> int:
    Path(f"{n}.svg").write_text(f"<svg>{n}</svg>")
    artifact("plot", "image", path=f"{n}.svg", alt="a plot")
    artifact("table", "table", rows=[{"n": n}])
    return n

@task(outputs={"page": File})
def leave(page: Path) -> None:
    Path("scratch.svg").write_text("<svg>scratch</svg>")
    artifact("scratch", "image", path="scratch.svg")
    artifact("gone", "image", path="nowhere.svg")
    page.write_text("page")

@workflow
async def main():
    return [await draw(7), leave().page]
`

const inTypeScript = `
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { file, task, type TaskContext, workflow } from 'almanac'

const leave = task('leave', { output: { page: file() } }, (_: object, { artifact, out, scratch }: TaskContext) => {
  writeFileSync(join(scratch, 'scratch.svg'), '<svg>scratch</svg>')
  artifact('scratch', { kind: 'image', path: 'scratch.svg' })
  writeFileSync(out.page, 'page')
})

export default workflow('main', async () => leave({}).page)
`

interface Shown {
  readonly artifacts: readonly { readonly name: string; readonly body: Readonly<Record<string, unknown>> }[]
}

/** What `almanac show` gives, in a process of its own. */
async function shown(): Promise<Readonly<Record<string, Readonly<Record<string, unknown>>>>> {
  const { stdout } = await project.run('show', 'last', '--json')
  const { artifacts } = JSON.parse(stdout) as Shown
  return Object.fromEntries(artifacts.map(({ name, body }) => [name, body]))
}

it('an image that a task shows is kept with its run, whatever becomes of its file', async () => {
  project = await Project.make({ 'flow.py': inPython })
  const { stderr } = await project.run('run', 'flow.py')
  expect(stderr).toMatch(/gone: the image is not kept: .*nowhere\.svg/)
  rmSync(join(project.folder, '7.svg'))
  const { plot, table, scratch, gone } = await shown()
  expect(readFileSync(String(plot?.['path']), 'utf8')).toBe('<svg>7</svg>')
  expect(plot?.['alt']).toBe('a plot')
  expect(table).toEqual({ kind: 'table', rows: [{ n: 7 }] })
  expect(readFileSync(String(scratch?.['path']), 'utf8')).toBe('<svg>scratch</svg>')
  expect(gone?.['path']).toMatch(/nowhere\.svg$/)
  await project.run('gc', '--yes')
  expect(readFileSync(String((await shown())['plot']?.['path']), 'utf8')).toBe('<svg>7</svg>')
})

it('of a task in TypeScript too', async () => {
  project = await Project.make({ 'flow.ts': inTypeScript })
  await project.run('run', 'flow.ts')
  expect(readFileSync(String((await shown())['scratch']?.['path']), 'utf8')).toBe('<svg>scratch</svg>')
})
