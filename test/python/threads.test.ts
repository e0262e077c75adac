import { expect, it } from 'vitest'
import { Project } from '../cli/almanac.ts'

/** How many calls a process may run at once is said by environments and tasks, and is no part of a call's identity. */

const steps = `
import os
import time


def meet(n: int, folder: str) -> int:
    open(f"{folder}/met-{n}", "w").close()
    while not os.path.exists(f"{folder}/met-{3 - n}"):
        time.sleep(0.005)
    return os.getpid()
`

const typescript = (said: string) => `
import { json, python, workflow } from 'almanac'
const env = python.env('requirements.txt'${said})
export const meet = python.task({
  env, run: 'steps.py:meet', cache: true,
  input: { n: json(), folder: json() }, output: { pid: json() },
})
export default workflow('pair', { input: { folder: json() } }, async ({ folder }) => {
  const pair = [meet({ n: 1, folder }), meet({ n: 2, folder })]
  return [await pair[0].pid, await pair[1].pid]
})
`

const pythonText = (said: string) => `
from almanac import Environment, module, task, workflow

env = Environment("requirements.txt"${said})
meet = task(module("steps.py", env=env).meet, cache=True)


@workflow
async def pair(folder: str):
    both = [meet(1, folder), meet(2, folder)]
    return [await both[0], await both[1]]
`

it.each([
  ['pair.js', typescript, ', { threads: 2 }', ', { threads: 3 }'],
  ['pair.py', pythonText, ', threads=2', ', threads=3'],
] as const)(
  '%s: an environment says it for its tasks, and a change executes nothing again',
  async (name, text, two, three) => {
    const project = await Project.make({
      'requirements.txt': '',
      'steps.py': steps,
      [name]: text(two),
      // one process, in which the two calls can meet only at once
      'almanac.config.ts': 'export default { python: { processes: 1 }, parallel: 2 }\n',
    })
    try {
      const run = async () => {
        const { executed, output } = await project.json('run', name, '--input', `folder=${project.folder}`)
        return { executed, output: output as readonly number[] }
      }
      const first = await run()
      expect([first.executed, new Set(first.output).size]).toEqual([2, 1])
      await project.write({ [name]: text(three) })
      expect(await run()).toEqual({ executed: 0, output: first.output })
      await project.write({ [name]: text('') })
      expect(await run()).toEqual({ executed: 0, output: first.output })
    } finally {
      await project.remove()
    }
  },
)
