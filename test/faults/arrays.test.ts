import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Project } from '../cli/almanac.ts'

/** Results that live in a worker's memory, over the end of the process. */

let project: Project

const steps = `
import pickle


class Array:
    """What NumPy's arrays do when they are pickled, without NumPy."""

    def __init__(self, data):
        self.data = data

    def __reduce_ex__(self, protocol):
        return Array, (pickle.PickleBuffer(self.data),)


def made(n, log):
    with open(log, "a") as file:
        file.write(f"made {n}\\n")
    return Array(bytearray([n]) * 1000)


def total(array, fails):
    if fails:
        raise ValueError("not yet")
    return sum(bytes(array.data))
`

const flow = (option: string, fails: boolean): string => `
import { python, run, workflow } from 'almanac'

export const made = python.task({ name: 'made', run: './steps.py:made'${option} })
export const total = python.task({ name: 'total', run: './steps.py:total' })

export default workflow('arrays', async () => {
  const array = made({ n: 3, log: ${JSON.stringify(join(project.folder, 'log'))} })
  return total({ array, fails: ${fails} })
})
`

beforeEach(async () => {
  project = await Project.make()
  await project.write({ 'steps.py': steps })
})
afterEach(() => project.remove())

const log = (): string[] => readFileSync(join(project.folder, 'log'), 'utf8').trim().split('\n')

/** Fails at the second task, and then goes on with a corrected workflow; what that gave. */
async function corrected(option = ''): Promise<Record<string, unknown>> {
  await project.write({ 'flow.ts': flow(option, true) })
  const failed = await project.json('run', 'flow.ts')
  expect(failed).toMatchObject({ state: 'failed', error: { message: 'not yet' } })
  await project.write({ 'flow.ts': flow(option, false) })
  return { id: failed['id'] }
}

it.each(['', ', persist: true', ', random: true'])(
  'keeps an array that a failed run needs to go on, with a task that says "%s"',
  async (option) => {
    const { id } = await corrected(option)
    expect(await project.json('resume', String(id))).toMatchObject({ state: 'succeeded', output: 3000 })
    expect(log()).toEqual(['made 3'])
  },
)

it('makes it again where it is larger than may be kept', async () => {
  await project.write({ 'almanac.config.ts': 'export default { arrays: 999 }\n' })
  const { id } = await corrected()
  expect(await project.json('resume', String(id))).toMatchObject({ state: 'succeeded', output: 3000 })
  expect(log()).toEqual(['made 3', 'made 3'])
})

it('makes it again where its copy is gone', async () => {
  const { id } = await corrected()
  rmSync(join(project.folder, '.almanac/store'), { recursive: true })
  expect(await project.json('resume', String(id))).toMatchObject({ state: 'succeeded', output: 3000 })
  expect(log()).toEqual(['made 3', 'made 3'])
})
