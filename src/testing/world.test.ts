import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { command } from '../flow/command.ts'
import { python } from '../flow/python.ts'
import { task } from '../flow/task.ts'
import { workflow } from '../flow/workflow.ts'
import type { AlmanacError } from '../model/errors.ts'
import { World } from './world.ts'

const predict = python.task({ name: 'predict', run: 'model.py:predict' })
const twice = workflow('twice', async () => predict({ x: await predict({ x: 1 }) }))

test('tasks in other languages are stood for by functions of the test, also after a crash', async () => {
  const world = new World(1, { tasks: { predict: ({ x }) => Number(x) + 1 } })
  const run = await world.start(twice)
  await world.crashAfter(run, 1)
  expect(await world.resume(run.id, twice)).toMatchObject({ state: 'succeeded', output: 3 })
  expect(world.took()).toEqual(['predict(1)', 'predict(2)'])
})

test('a task that nothing stands for fails with what to do, once', async () => {
  const world = new World(1, { tasks: { other: () => 1 } })
  const count = command.task({ name: 'count', run: ['wc', '-l'], retries: 3 })
  for (const [one, name] of [
    [twice, 'predict'],
    [workflow('counts', async () => count({})), 'count'],
  ] as const) {
    const why = `a world executes functions of TypeScript alone: what stands for ${name}? new World(1, { tasks: { "${name}": (inputs) => … } })`
    expect(await world.run(one)).toMatchObject({
      state: 'failed',
      error: { code: 'ALM_USAGE', message: why },
    })
  }
  expect(world.took()).toEqual(['predict(1)', 'count()'])
})

test('what was not run for a failure is caught as that failure, by its type', async () => {
  const refuse = task('refuse', (): number => {
    throw new RangeError('too far')
  })
  const after = task('after', (n: number) => n)
  const catches = workflow('catches', async () => {
    try {
      return await after(after(refuse()))
    } catch (error) {
      const { code, type, message } = (error as AlmanacError).record ?? {}
      return { code, type, message }
    }
  })
  expect(await new World().run(catches)).toMatchObject({
    state: 'succeeded',
    output: {
      code: 'ALM_UPSTREAM',
      type: 'RangeError',
      message: 'Not run, because refuse failed: too far',
    },
  })
})

test('a run that is not there cannot be gone on with', async () => {
  await expect(new World().resume('none', twice)).rejects.toMatchObject({ code: 'ALM_RUN_UNKNOWN' })
})

test('what an async function throws that nobody awaits fails the run, not the process', async () => {
  const program = `
    import { workflow } from '${new URL('../flow/workflow.ts', import.meta.url)}'
    import { World } from '${new URL('./world.ts', import.meta.url)}'
    const strays = workflow('strays', async () => {
      void (async () => { throw new Error('stray') })()
      await new Promise(() => {})
    })
    const { state, error } = await new World().run(strays)
    console.log(state, error.message)
  `
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
  expect(stdout).toBe('failed stray\n')
})
