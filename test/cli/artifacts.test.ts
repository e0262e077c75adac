import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { Project } from './almanac.ts'

let project: Project

afterEach(() => project.remove())

const inPython = `
from pathlib import Path
from almanac import File, run, task, workflow
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
    run.artifact("large", "markdown", text="x" * 2**20)
    return [await draw(7), leave().page]
`

const inTypeScript = `
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { file, task, type TaskContext, workflow } from 'almanac'

const leave = task('leave', { output: { page: file() } }, (_: object, { artifact, out, scratch }: TaskContext) => {
  writeFileSync(join(scratch, 'scratch.svg'), '<svg>scratch</svg>')
  artifact('scratch', { kind: 'image', path: 'scratch.svg' })
  artifact('large', { kind: 'markdown', text: 'x'.repeat(2 ** 20) })
  writeFileSync(out.page, 'page')
})

export default workflow('main', async () => leave({}).page)
`

const tooLarge = 'large: the artifact is not kept: it is more than 1 MiB; leave it as a file'

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
  expect(stderr).toContain(tooLarge)
  rmSync(join(project.folder, '7.svg'))
  const { plot, table, scratch, gone, large } = await shown()
  expect(readFileSync(String(plot?.['path']), 'utf8')).toBe('<svg>7</svg>')
  expect(plot?.['alt']).toBe('a plot')
  expect(table).toEqual({ kind: 'table', rows: [{ n: 7 }] })
  expect(readFileSync(String(scratch?.['path']), 'utf8')).toBe('<svg>scratch</svg>')
  expect(large).toBeUndefined()
  expect(gone?.['path']).toMatch(/nowhere\.svg$/)
  await project.run('gc', '--yes')
  expect(readFileSync(String((await shown())['plot']?.['path']), 'utf8')).toBe('<svg>7</svg>')
})

it('of a task in TypeScript too', async () => {
  project = await Project.make({ 'flow.ts': inTypeScript })
  const { stderr } = await project.run('run', 'flow.ts')
  expect(stderr).toContain(tooLarge)
  expect(readFileSync(String((await shown())['scratch']?.['path']), 'utf8')).toBe('<svg>scratch</svg>')
})

const wrongPython = `
from pathlib import Path
from almanac import File, run, task, workflow

@task(outputs={"plot": File})
def draw(n: int, *, plot: Path) -> None:
    plot.write_text(str(n))

@workflow
async def main(which: str):
    if which == "path":
        run.artifact("a", "image", path="gone.png")
    elif which == "future":
        run.artifact("b", "image", path=draw(1).plot)
    elif which == "rows":
        run.artifact("c", "table", rows=[1, 2])
    elif which == "event":
        run.event("d", of=[draw(1)])
`

const wrongTypeScript = `
import { file, json, run, task, workflow } from 'almanac'
import { writeFileSync } from 'node:fs'

const draw = task('draw', { output: { plot: file() } }, (n: number, { out }) => writeFileSync(out.plot, String(n)))

const says: any = {
  path: () => run.artifact('a', { kind: 'image', path: 'gone.png' }),
  future: () => run.artifact('b', { kind: 'image', path: draw(1).plot } as any),
  rows: () => run.artifact('c', { kind: 'table', rows: [1, 2] } as any),
  event: () => run.event('d', { of: [draw(1)] }),
  metric: () => run.metric('e', draw(1) as any),
}

export default workflow('main', { input: { which: json<string>() } }, async ({ which }) => void says[which]())
`

async function refusal(file: string, which: string): Promise<string> {
  const { code, stdout } = await project.run('run', file, '-i', `which=${which}`)
  expect(code).toBe(1)
  return stdout.split('\n').slice(1, 4).join('\n').replace(/ +/g, ' ')
}

it('what a workflow says of itself and cannot be shown is refused at its line', async () => {
  project = await Project.make({ 'flow.py': wrongPython, 'flow.ts': wrongTypeScript })
  const left =
    'Take the file as an input, or show it in the task that makes it: `from almanac_task import artifact`.'
  expect(await refusal('flow.py', 'path')).toBe(
    ` artifact 'a': path is a file that a task left, or an input, and not 'gone.png'\n flow.py:12 [ALM_VALUE_REFUSED]\n ${left}`,
  )
  expect(await refusal('flow.py', 'future')).toBe(
    " artifact 'b': path is not known yet: it has the future of draw\n flow.py:14 [ALM_FUTURE_AS_TEXT]\n Await it first.",
  )
  expect(await refusal('flow.py', 'rows')).toBe(
    " artifact 'c': rows is a list of dicts, and not [1, 2]\n flow.py:16 [ALM_VALUE_REFUSED]\n Pass plain values.",
  )
  expect(await refusal('flow.py', 'event')).toMatch(/of is not known yet: it has a future\n flow\.py:18 /)
  expect(await refusal('flow.ts', 'path')).toMatch(/artifact a, path .*gone\.png is a text.*\n flow\.ts:8 /)
  expect(await refusal('flow.ts', 'future')).toMatch(/artifact b .*: await it first\.\n flow\.ts:9 /)
  expect(await refusal('flow.ts', 'rows')).toMatch(/artifact c, rows .* needs a list of objects there/)
  expect(await refusal('flow.ts', 'event')).toMatch(/event d .*: await it first\.\n flow\.ts:11 /)
  expect(await refusal('flow.ts', 'metric')).toMatch(/metric e .*: a metric is a number; await futures first/)
})

const reusedPython = `
from pathlib import Path
from almanac import Dir, File, task, workflow
from almanac_task import artifact, metric

@task
def look(text: Path) -> int:
    letters = len(text.read_text())
    Path("plot.svg").write_text(f"<svg>{letters}</svg>")
    artifact(f"plot {text.name}", "image", path="plot.svg")
    artifact(f"table {text.name}", "table", rows=[{"letters": letters}])
    metric("letters", letters)
    return letters

@workflow
async def main(raw: Dir):
    return look.map(raw)

@workflow
async def one(raw: File):
    return await look(raw)
`

const reusedTypeScript = `
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { dir, type File, file, task, type TaskContext, workflow } from 'almanac'

const look = task('look', (text: File, { artifact, metric, scratch }: TaskContext) => {
  const letters = readFileSync(text.at!, 'utf8').length
  writeFileSync(join(scratch, 'plot.svg'), \`<svg>\${letters}</svg>\`)
  artifact(\`plot \${text.name}\`, { kind: 'image', path: 'plot.svg' })
  artifact(\`table \${text.name}\`, { kind: 'table', rows: [{ letters }] })
  metric('letters', letters)
  return letters
})

export const one = workflow('one', { input: { raw: file() } }, async ({ raw }) => look(raw))

export default workflow('main', { input: { raw: dir() } }, async ({ raw }) => look.map(raw))
`

it.each([
  ['flow.py', reusedPython, 'flow.py:main'],
  ['flow.ts', reusedTypeScript, 'flow.ts'],
])(
  'what a reused call showed is shown again, also when the run that made it is forgotten: %s',
  async (file, text, main) => {
    project = await Project.make({ [file]: text })
    const raw = join(project.folder, 'raw')
    const run = async (workflow: string) => {
      const { stdout, stderr } = await project.run(
        'run',
        workflow,
        '--input',
        workflow.endsWith('one') ? 'raw=raw/a.txt' : 'raw=raw',
        '--json',
      )
      const last = stdout.trim().split('\n').at(-1) ?? stderr
      const { executed, reused, id } = JSON.parse(last) as Readonly<Record<string, unknown>>
      return { executed, reused, id: String(id) }
    }
    const seen = async () => {
      const { stdout } = await project.run('show', 'last', '--json')
      const { artifacts, metrics } = JSON.parse(stdout) as Shown & { readonly metrics: unknown }
      const bodies = artifacts.map(({ name, body }) => [
        name,
        body['kind'] === 'image' ? readFileSync(String(body['path']), 'utf8') : body['rows'],
      ])
      return { artifacts: Object.fromEntries(bodies) as unknown, metrics }
    }
    mkdirSync(raw)
    writeFileSync(join(raw, 'a.txt'), 'a')
    const first = await run(`${file}:one`)
    expect(first).toMatchObject({ executed: 1, reused: 0 })
    const ofA = { 'plot a.txt': '<svg>1</svg>', 'table a.txt': [{ letters: 1 }] }
    const alone = { artifacts: ofA, metrics: { letters: { value: 1, count: 1 } } }
    expect(await seen()).toEqual(alone)
    const again = await run(`${file}:one`)
    expect(again).toMatchObject({ executed: 0, reused: 1 })
    expect(await seen()).toEqual(alone)

    writeFileSync(join(raw, 'b.txt'), 'bb')
    const mapped = await run(main)
    expect(mapped).toMatchObject({ executed: 1, reused: 1 })
    const ofB = { 'plot b.txt': '<svg>2</svg>', 'table b.txt': [{ letters: 2 }] }
    expect((await seen()).artifacts).toEqual({ ...ofA, ...ofB })

    await project.run('rm', first.id, again.id, mapped.id)
    await project.run('gc')
    expect(await run(main)).toMatchObject({ executed: 0, reused: 2 })
    expect((await seen()).artifacts).toEqual({ ...ofA, ...ofB })

    rmSync(join(raw, 'a.txt'))
    writeFileSync(join(raw, 'c.txt'), 'ccc')
    expect(await run(main)).toMatchObject({ executed: 1, reused: 1 })
    const ofC = { 'plot c.txt': '<svg>3</svg>', 'table c.txt': [{ letters: 3 }] }
    expect((await seen()).artifacts).toEqual({ ...ofB, ...ofC })
    expect(await run(main)).toMatchObject({ executed: 0, reused: 2 })
    expect((await seen()).artifacts).toEqual({ ...ofB, ...ofC })
  },
)
