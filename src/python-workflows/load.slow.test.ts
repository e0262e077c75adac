import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { workflowOf } from '../flow/workflow.ts'
import { PythonWorkflows } from './load.ts'

let project: string
let workflows: PythonWorkflows

beforeEach(async () => {
  project = await realpath(await mkdtemp(join(tmpdir(), 'almanac-load-')))
  const load = (file: string) => workflows.load(file)
  workflows = new PythonWorkflows({ project, python: async () => 'python3', load })
})
afterEach(async () => {
  await workflows.close()
  await rm(project, { recursive: true })
})

const write = (name: string, text: string): Promise<void> =>
  writeFile(join(project, name), `from almanac import workflow, workflow_from\n${text}`)

/** Python processes that workflows of this one live in. */
const processes = (): number =>
  readdirSync('/proc/self/task')
    .flatMap((task) => textOf(`/proc/self/task/${task}/children`).trim().split(' '))
    .filter((pid) => pid !== '' && textOf(`/proc/${pid}/cmdline`).includes('almanac/_host')).length

/** Nothing of a process or a thread that has ended since it was listed. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const collect = (): void => {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}

it('a file that cannot be imported leaves no process', async () => {
  await write('flow.py', 'raise ValueError("not yet")\n')
  for (let tries = 0; tries < 2; tries++) {
    await expect(workflows.load('flow.py')).rejects.toMatchObject({ code: 'ALM_LOAD_FAILED' })
    expect(processes()).toBe(0)
  }
  await write('flow.py', '@workflow\nasync def main(): return 1\n')
  await workflows.load('flow.py')
  expect(processes()).toBe(1)
})

it('a file is imported once, however many ask; edited it is imported by another process, and the old one goes', async () => {
  await write('flow.py', '@workflow\nasync def main(): return 1\n')
  const [first, same] = await Promise.all([workflows.load('flow.py'), workflows.load('flow.py')])
  expect([same === first, processes()]).toEqual([true, 1])
  for (const n of [2, 3, 4]) {
    await write('flow.py', `@workflow\nasync def main(): return ${n}\n`)
    expect((await workflows.load('flow.py')).digest).not.toBe(first.digest)
  }
  await expect
    .poll(() => {
      collect()
      return processes()
    })
    // the first one is still had
    .toBe(2)
  expect(workflowOf(first.exports['default'])?.name).toBe('main')
})

it('files may name each other in a circle, from whichever one it begins', async () => {
  await write('a.py', 'b = workflow_from("b.py")\n@workflow\nasync def main(): return await b()\n')
  await write('b.py', 'a = workflow_from("a.py")\n@workflow\nasync def main(): return await a()\n')
  const [a, b] = await Promise.all([workflows.load('a.py'), workflows.load('b.py')])
  expect([Object.keys(a.exports), Object.keys(b.exports)]).toEqual([['default'], ['default']])
  await write('b.py', '@workflow\nasync def other(): return 1\n@workflow\nasync def another(): return 2\n')
  await expect(workflows.load('a.py')).rejects.toMatchObject({
    code: 'ALM_USAGE',
    message: expect.stringContaining('exports several workflows'),
  })
  await rm(join(project, 'b.py'))
  await expect(workflows.load('a.py')).rejects.toMatchObject({
    code: 'ALM_LOAD_FAILED',
    message: expect.stringContaining('there is no such file'),
  })
})
