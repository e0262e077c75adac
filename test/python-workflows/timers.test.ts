import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { Project } from '../cli/almanac.ts'

let project: Project

afterEach(() => project.remove())

/** How a run of the project went. */
async function ran(...args: string[]) {
  const { state, output, executed, reused, error, id } = await project.json(...args)
  return { state, output, executed, reused, error, id: id as string }
}

/** `wait` begins when what it depends on is durable, says so, and ends when its gate is there. */
const steps = `
import asyncio, os, time
from pathlib import Path
from almanac import TaskFailed, run, task, workflow

@task
def double(n: int) -> int: return 2 * n

@task
def seen(what): return what

@task(effect=True, variables=["GATES"])
def wait(gate: str) -> str:
    gates = Path(os.environ["GATES"])
    (gates / f"{gate}.begun").touch()
    while not (gates / gate).exists(): time.sleep(0.005)
    return gate

@task(effect=True, variables=["GATES"])
def open_(gate: str): (Path(os.environ["GATES"]) / gate).touch()
`

async function make(workflow: string): Promise<void> {
  const { folder } = await Project.make({ 'flow.py': steps + workflow })
  project = Project.at(folder, { GATES: folder })
}

const open = (gate: string): Promise<void> => writeFile(join(project.folder, gate), '')

it('killed in the midst of a wait_for it goes on with it, and what was late before is late again', async () => {
  await make(`
@workflow
async def main():
    loop = asyncio.get_running_loop()
    began, given = loop.time(), []
    try: await asyncio.wait_for(wait("late"), 0.05)
    except asyncio.TimeoutError: given.append("late")
    given.append(await seen(loop.time() - began) >= 0.05)
    given.append(await asyncio.wait_for(double(2), 600))
    await asyncio.sleep(0.01)
    given.append(await asyncio.wait_for(wait("killed"), 600))
    given.append(await seen(loop.time() - began) > 0.06)
    return given
`)
  const first = project.start('run', 'flow.py', '-j', '8')
  await project.there('killed.begun')
  first.child.kill('SIGKILL')
  await first.ended
  await open('late')
  await open('killed')
  const output = ['late', true, 4, 'killed', true]
  const again = await ran('resume', 'last')
  expect(again).toMatchObject({ state: 'succeeded', output, executed: 3, reused: 2 })
  expect(await ran('resume', 'last')).toMatchObject({ state: 'succeeded', output, executed: 0, reused: 5 })
})

it('a run that a timeout has ended awaits anew what was late, and has it when it is there', async () => {
  await make(`
@workflow
async def main():
    try: return await asyncio.wait_for(wait("gate"), 0.05)
    except asyncio.TimeoutError:
        await open_("gate")
        raise
`)
  const first = await ran('run', 'flow.py', '-j', '8')
  expect(first).toMatchObject({ state: 'failed', error: { code: 'ALM_WORKFLOW_FAILED', line: 24 } })
  const again = await ran('resume', first.id)
  expect(again).toMatchObject({ state: 'succeeded', output: 'gate', executed: 0, reused: 1 })
})

it('a call that is late goes on, ends with the run, and its failure is nobody’s', async () => {
  await make(`
@task(effect=True, variables=["GATES"])
def breaks(gate: str):
    while not (Path(os.environ["GATES"]) / gate).exists(): time.sleep(0.005)
    raise ValueError("too late to matter")

@workflow
async def main():
    given = []
    for late, gate in ((wait, "first"), (breaks, "second")):
        try: await asyncio.wait_for(late(gate), 0.05)
        except asyncio.TimeoutError: given.append("late")
        await open_(gate)
    return given
`)
  const life = await ran('run', 'flow.py', '-j', '8')
  expect(life).toMatchObject({ state: 'succeeded', output: ['late', 'late'], executed: 3 })
})

it('timers that are left, or that nobody needs any more, hold no run', async () => {
  await make(`
@workflow
async def part(n: int):
    asyncio.get_running_loop().call_later(86400, print)
    return await asyncio.wait_for(double(n), 86400)

@workflow
async def main():
    parts = [asyncio.create_task(asyncio.wait_for(part(n), 86400)) for n in range(3)]
    slept = asyncio.create_task(asyncio.sleep(86400))
    given = await asyncio.gather(*parts)
    slept.cancel()
    return given
`)
  expect(await ran('run', 'flow.py', '-j', '8')).toMatchObject({
    state: 'succeeded',
    output: [0, 2, 4],
    executed: 3,
  })
  const { counts } = (await project.json('show', 'last')) as { counts: unknown }
  expect(counts).toMatchObject({ succeeded: 3 })
})

it('cancelled it hears of it where it sleeps', async () => {
  await make(`
@workflow
async def main():
    await seen(1)
    run.event("sleeps")
    try: await asyncio.sleep(86400)
    except TaskFailed as error:
        run.event("cleaned", code=error.code)
        raise
`)
  const first = project.start('run', 'flow.py', '-j', '8', '--json')
  await first.saw(/sleeps/)
  first.child.kill('SIGINT')
  await first.ended
  const { stdout } = await project.run('logs', 'last')
  expect(stdout).toMatch(/cleaned.*ALM_CANCELLED/)
  expect(await project.json('show', 'last')).toMatchObject({ state: 'cancelled' })
})
