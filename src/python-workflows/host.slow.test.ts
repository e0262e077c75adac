import { AsyncLocalStorage } from 'node:async_hooks'
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { bindAmbient } from '../flow/ambient.ts'
import { workflowOf } from '../flow/workflow.ts'
import type { Caller, CallRequest } from '../ports/caller.ts'
import { PythonWorkflows } from './load.ts'

const flow = `
from almanac import task, workflow

@task
def numbers() -> list[int]: return [1, 2]

@workflow
async def main(): return await numbers().filter(lambda n: n > 1)
`

it('a predicate that is asked when its run is over is refused, and the process of others goes on', async () => {
  const project = await realpath(await mkdtemp(join(tmpdir(), 'almanac-host-')))
  const workflows: PythonWorkflows = new PythonWorkflows({
    project,
    python: async () => 'python3',
    load: (file) => workflows.load(file),
  })
  try {
    await writeFile(join(project, 'flow.py'), flow)
    const { exports } = await workflows.load('flow.py')
    const { view, caller, over } = calledRun()
    const storage = new AsyncLocalStorage<Caller>()
    bindAmbient({ current: () => storage.getStore(), run: (one, within) => storage.run(one, within) })
    void storage.run(caller, () => workflowOf(exports['default'])?.fn({} as never))
    const { fn } = await view
    expect(await fn?.(...([2] as never[]))).toBe(true)
    over()
    await expect(fn?.(...([2] as never[]))).rejects.toMatchObject({ code: 'ALM_CANCELLED' })
    await writeFile(join(project, 'other.py'), flow)
    expect(Object.keys((await workflows.load('other.py')).exports)).toEqual(['default'])
  } finally {
    await workflows.close()
    await rm(project, { recursive: true })
  }
})

/** A run whose function waits for its first view, and that can be over. */
function calledRun() {
  const { promise: view, resolve } = Promise.withResolvers<CallRequest>()
  let over = (): void => undefined
  let calls = 0
  const caller: Caller = {
    run: 'run',
    path: 'main',
    call: (request) => {
      if (request.kind === 'view') resolve(request)
      return calls++
    },
    enteredAt: 0,
    outcome: () => undefined,
    withdraw: () => undefined,
    becauseOf: () => undefined,
    unheard: () => undefined,
    remote: {
      atWork: () => () => undefined,
      whenCancelled: () => undefined,
      whenStuck: () => undefined,
      whenOver: (then) => {
        over = then
      },
      load: () => Promise.reject(new Error('there are no files')),
      declare: () => undefined,
    },
    note: () => undefined,
  }
  return { view, caller, over: () => over() }
}
