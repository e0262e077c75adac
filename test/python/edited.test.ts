import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Project } from '../cli/almanac.ts'

/** Files of Python that are edited while a run goes on. */

const pipeline = `
import { existsSync, writeFileSync, watch } from 'node:fs'
import { json, python, task, workflow } from 'almanac'
const of = (name, more) => python.task({ run: 'steps.py:' + name, input: { n: json() }, ...more })
export const said = of('said')
export const other = of('other')
export const sent = of('sent', { effect: true })
export const edited = task('edited', () => new Promise((resolve) => {
  const watcher = watch('.', () => {
    if (!existsSync('edited')) return
    watcher.close()
    resolve()
  })
  writeFileSync('begun', '')
}))
export default workflow('three', async () => {
  const before = [await said({ n: 1 }), await sent({ n: 0 })]
  await edited()
  return [...before, await said({ n: 2 }), await other({ n: 3 }), await sent({ n: 4 })]
})
`

const steps = (word: string) => `
def said(n):
    return f"${word} {n}"

def other(n):
    return f"other {n}"

def sent(n):
    return f"${word} {n}"
`

it('does not take what an edited function gave for what the function gave before it was edited', async () => {
  const project = await Project.make({ 'steps.py': steps('old'), 'pipeline.js': pipeline })
  try {
    const run = project.json('run', 'pipeline.js')
    await expect.poll(() => existsSync(join(project.folder, 'begun')), { timeout: 240_000 }).toBe(true)
    await project.write({ 'steps.py': steps('new') })
    await project.write({ edited: '' })
    const first = await run
    expect([first['state'], first['output']]).toEqual([
      'succeeded',
      ['old 1', 'old 0', 'new 2', 'other 3', 'new 4'],
    ])

    await project.write({ 'steps.py': steps('old') })
    const again = await project.json('resume', 'last')
    // an effect is not repeated
    expect([again['executed'], again['output']]).toEqual([1, ['old 1', 'old 0', 'old 2', 'other 3', 'new 4']])
    expect((await project.json('resume', 'last'))['executed']).toBe(0)
  } finally {
    await project.remove()
  }
})

const mapped = `
from pathlib import Path
from almanac import Dir, task, workflow

@task
def said(file: Path) -> str:
    me = Path(__file__)
    if file.name == "a" and not me.with_name("edited").exists():
        me.write_text(me.read_text().replace('"old "', '"new "'))
        me.with_name("edited").touch()
    return "old " + file.name

@workflow
async def main(data: Dir) -> list[str]:
    return await said.map(data).all()
`

it('does not take it for what an entry of a map gave either, in this run or in another', async () => {
  const project = await Project.make({ 'flow.py': mapped })
  await mkdir(join(project.folder, 'data'))
  await project.write({ 'data/a': '', 'data/b': '' })
  const run = async (...words: string[]): Promise<readonly unknown[]> => {
    const { executed, output } = await project.json(...words)
    return [executed, output]
  }
  const again = ['run', 'flow.py', '-j', '1', '--input', 'data=data']
  try {
    expect((await run(...again))[0]).toBe(2)
    expect(await run('resume', 'last', '-j', '1')).toEqual([2, ['new a', 'new b']])
    await project.write({ 'flow.py': mapped })
    expect(await run(...again)).toEqual([2, ['old a', 'old b']])
  } finally {
    await project.remove()
  }
})

const flow = `
import os, time
from almanac import task, workflow

@task
def slow(n: int) -> int:
    open("begun", "w").close()
    while not os.path.exists("edited"):
        time.sleep(0.01)
    return n

@task
def after(n: int) -> int:
    return n + 1

@workflow
async def main() -> int:
    return await after(await slow(1))
`

it.each([
  ['is no valid Python', (project: Project) => project.write({ 'flow.py': `${flow}\ndef (` })],
  ['is gone', (project: Project) => rm(join(project.folder, 'flow.py'))],
])('says that a file %s, and not that it was edited, and counts no result as kept', async (_, edit) => {
  const project = await Project.make({ 'flow.py': flow })
  try {
    const run = project.run('run', 'flow.py')
    await project.there('begun')
    await edit(project)
    await project.write({ edited: '' })
    const { code, stdout, stderr } = await run
    const said = stdout + stderr
    expect(code).toBe(1)
    expect(said).toContain(
      `${join(project.folder, 'flow.py')}:slow cannot be read: its file is gone, or is no valid Python. What ends meanwhile is executed again by resume`,
    )
    expect(said).not.toMatch(/was edited|kept/)

    await project.write({ 'flow.py': flow })
    const again = await project.json('resume', 'last')
    expect([again['executed'], again['output']]).toEqual([2, 2])
  } finally {
    await project.remove()
  }
})
