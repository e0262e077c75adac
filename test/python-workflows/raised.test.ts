import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { Project } from '../cli/almanac.ts'

let project: Project

afterEach(() => project.remove())

/** What a workflow gives, when it is begun and when it is replayed, in a package and in a file of its own. */
async function outputs(workflow: string): Promise<unknown[]> {
  const errors = 'class Faint(ValueError): pass\n'
  project = await Project.make({ 'errors.py': errors, 'flow.py': head + workflow })
  await mkdir(join(project.folder, 'sky'))
  const inPackage = head.replace('from errors', 'from .errors') + workflow
  await project.write({ 'sky/__init__.py': '', 'sky/errors.py': errors, 'sky/flow.py': inPackage })
  const found: unknown[] = []
  for (const file of ['flow.py', 'sky/flow.py']) {
    const { id, output, error } = await project.json('run', file)
    found.push(error ?? output, (await project.json('resume', id as string))['output'])
  }
  return found
}

const head = `
import time
from pathlib import Path
from errors import Faint
from almanac import Dir, TaskFailed, map, stage, task, workflow

class Noisy(Faint):
    def __init__(self, scene, noise):
        super().__init__(f"{scene}: {noise}")
        self.noise = noise

@task
def look(how: str) -> int:
    if how == "key": return {}[how]
    if how == "noisy": raise Noisy("m31", 3)
    if how == "faint": raise Faint("m31")
    if how == "reset": raise ConnectionResetError(104, "reset")
    if how == "slow": time.sleep(60)

@task(outputs={"parts": Dir})
def split(after: int = 0, *, parts: Path) -> None:
    parts.mkdir()
    (parts / "a").write_text("a")

@task
def read(part: Path) -> int:
    return int(part.read_text())
`

it('a failure is caught as what the task raised, and is a TaskFailed still', async () => {
  const workflow = `
async def caught(kind, how):
    try:
        await (look.options(timeout=0.3)(how) if how == "slow" else look(how))
    except kind as error:
        return [kind.__name__, isinstance(error, TaskFailed), error.type, error.code, error.args[0]]

@workflow
async def main():
    return [
        await caught(KeyError, "key"), await caught(OSError, "reset"), await caught(ValueError, "faint"),
        await caught(Faint, "noisy"), await caught(Noisy, "noisy"), (await caught(TimeoutError, "slow"))[:4],
    ]
`
  const expected = [
    ['KeyError', true, 'KeyError', 'ALM_TASK_FAILED', "'key'"],
    ['OSError', true, 'ConnectionResetError', 'ALM_TASK_FAILED', '[Errno 104] reset'],
    ['ValueError', true, 'Faint', 'ALM_TASK_FAILED', 'm31'],
    ['Faint', true, 'Noisy', 'ALM_TASK_FAILED', 'm31: 3'],
    ['Noisy', true, 'Noisy', 'ALM_TASK_FAILED', 'm31: 3'],
    ['TimeoutError', true, null, 'ALM_TASK_TIMEOUT'],
  ]
  expect(await outputs(workflow)).toEqual([expected, expected, expected, expected])
})

it('what a child, a stage, a branch or an entry of a map raised is caught so too; what is raised on fails the run as it was', async () => {
  const workflow = `
@workflow
async def child():
    raise Noisy("m33", 4)

async def branch(how):
    return await look(how)

@workflow
async def main():
    found = []
    calls = [child, lambda: stage("s", lambda: branch("key")), lambda: map(branch, ["key"]).all(), lambda: read.map(split().parts)]
    calls.append(lambda: split.options(name="after")(after=look("reset")))
    for kind, call in zip([Noisy, KeyError, LookupError, ValueError, OSError], calls):
        try:
            await call()
        except kind as error:
            found.append([error.type, error.code])
    return found
`
  const expected = [
    ['Noisy', 'ALM_WORKFLOW_FAILED'],
    ['KeyError', 'ALM_TASK_FAILED'],
    ['KeyError', 'ALM_UPSTREAM'],
    ['ValueError', 'ALM_MAP_FAILED'],
    ['ConnectionResetError', 'ALM_UPSTREAM'],
  ]
  expect(await outputs(workflow)).toEqual([expected, expected, expected, expected])
  await project.write({
    'flow.py': `${head}
@workflow
async def main():
    try:
        await look("noisy")
    except OSError:
        return "caught"
    except Faint as error:
        raise
`,
  })
  const failed = await project.json('run', 'flow.py')
  expect(failed).toMatchObject({
    state: 'failed',
    error: {
      code: 'ALM_TASK_FAILED',
      message: 'm31: 3',
      type: 'Noisy',
      types: [
        'flow.Noisy',
        'errors.Faint',
        'builtins.ValueError',
        'builtins.Exception',
        'builtins.BaseException',
      ],
    },
  })
})

it('a group is taken apart by what it holds, whether a task, a child, an entry or a call before raised it', async () => {
  const workflow = `
@task
def many(part: Path | None = None) -> int:
    raise ExceptionGroup("many", [Faint("m31"), ExceptionGroup("within", [KeyError("k"), Noisy("m33", 4)])])

@workflow
async def child():
    await many()

@workflow
async def main():
    found = []
    for call in [lambda: many(), child, lambda: many.map(split().parts), lambda: split.options(name="after")(after=many())]:
        try:
            await call()
        except* Faint as group:
            found.append([group.subgroup(Noisy) is not None, len(group.exceptions)])
        except* KeyError as group:
            found.append([one.args[0] for one in group.exceptions[0].exceptions])
    return found
`
  const expected = [1, 2, 3, 4].flatMap(() => [[true, 2], ["'k'"]])
  expect(await outputs(workflow)).toEqual([expected, expected, expected, expected])
})
