import { expect, it } from 'vitest'
import { task } from '../flow/task.ts'
import { workflow } from '../flow/workflow.ts'
import { World } from '../testing/world.ts'

const slow = task('slow', (n: number) => n)
const after = task('after', (n: number) => n)
const cleanUp = task('cleanUp', () => 'clean')
const cleans = workflow('cancelled', async () => {
  try {
    return await after(slow(1))
  } finally {
    await cleanUp()
    await cleanUp()
  }
})

/** Begins, is cancelled while a call is under way, and goes on for so many steps before the process dies. */
async function cancelledWorld(steps: number): Promise<{ readonly world: World; readonly id: string }> {
  const world = new World()
  const handle = await world.start(cleans)
  handle.result.catch(() => undefined)
  await world.clock.settle()
  // it takes its time to stop
  world.process.executor.cancel = () => undefined
  handle.request('cancel', 'ann')
  await world.clock.settle()
  for (let i = 0; i < steps; i++) {
    const [next] = world.process.executor.open.keys()
    if (i === 0 && next !== undefined) world.process.executor.end(next, { kind: 'cancelled' })
    else if (next !== undefined) await world.execute(next)
    await world.clock.settle()
  }
  await world.crash()
  return { world, id: handle.id }
}

it.each([
  [0, ['cleanUp()', 'cleanUp()']],
  [1, ['cleanUp()', 'cleanUp()']],
  [2, ['cleanUp()']],
])(
  'gives up what was under way at the cancellation, and cleans up, when it is taken over (%i ended before)',
  async (steps, executed) => {
    const { world, id } = await cancelledWorld(steps)
    world.took()
    const result = await world.resume(id, cleans, { forget: 'none' })
    expect({ state: result.state, executed: world.took() }).toEqual({ state: 'cancelled', executed })
  },
)

it('does all of it when a person resumes it', async () => {
  const { world, id } = await cancelledWorld(0)
  world.took()
  const result = await world.resume(id, cleans)
  expect({ state: result.state, output: result.output, executed: world.took() }).toEqual({
    state: 'succeeded',
    output: 1,
    executed: ['slow(1)', 'after(1)', 'cleanUp()', 'cleanUp()'],
  })
})

it('gives up what was being done again, of which an older result is on record', async () => {
  let given = 1
  const give = task('give', { cache: false }, () => given++)
  const again = workflow('again', async () => slow(give()))
  const world = new World()
  const { id, output } = await world.run(again)
  expect(output).toBe(1)
  const handle = await world.startResume(id, again, { calls: [0] })
  handle.result.catch(() => undefined)
  await world.clock.settle()
  const [first] = world.process.executor.open.keys()
  await world.execute(first as string)
  await world.clock.settle()
  world.process.executor.cancel = () => undefined
  handle.request('cancel', 'ann')
  await world.clock.settle()
  await world.crash()
  world.took()
  const result = await world.resume(id, again, { forget: 'none' })
  expect({ state: result.state, executed: world.took() }).toEqual({ state: 'cancelled', executed: [] })
  expect((await world.resume(id, again)).output).toBe(2)
  expect(world.took()).toEqual(['slow(2)'])
})
