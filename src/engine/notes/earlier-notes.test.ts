import { expect, it } from 'vitest'
import { run } from '../../flow/run.ts'
import { task } from '../../flow/task.ts'
import { workflow } from '../../flow/workflow.ts'
import { World } from '../../testing/world.ts'

const double = task('double', (n: number) => 2 * n)
const fail = task('fail', () => {
  throw new Error('not yet')
})

/** Doubles each number and tells of it, as it stands in the file at some time. */
const told = (numbers: readonly number[], last?: () => unknown) =>
  workflow('told', async () => {
    for (const n of numbers) run.metric('doubled', await double(n))
    run.event('all', { of: numbers.length })
    await last?.()
  })

async function saidIn(world: World, id: string): Promise<readonly string[]> {
  const notes = await world.process.records.notes(id, { limit: 99 })
  return notes.map(({ name, bodyWire }) => `${name} ${bodyWire}`)
}

it('says after a crash what it had not said, and nothing twice', async () => {
  const world = new World()
  const all = told([1, 1, 3])
  const handle = await world.start(all)
  await world.crashAfter(handle, 2)
  await world.resume(handle.id, all)
  await world.resume(handle.id, all)
  expect(await saidIn(world, handle.id)).toEqual([
    'doubled {"value":2}',
    'doubled {"value":2}',
    'doubled {"value":6}',
    'all {"of":3}',
  ])
})

it('says what an edit made different, though later calls are remembered', async () => {
  const world = new World()
  const first = await world.run(told([1, 2], () => fail()))
  expect(first.state).toBe('failed')
  await world.resume(first.id, told([5, 2]))
  expect(await saidIn(world, first.id)).toEqual([
    'doubled {"value":2}',
    'doubled {"value":4}',
    'all {"of":2}',
    'doubled {"value":10}',
    // what it says last is the newest
    'doubled {"value":4}',
  ])
})

it('says a figure again that an edit has brought back', async () => {
  const world = new World()
  const first = await world.run(told([1]))
  await world.resume(first.id, told([2]))
  await world.resume(first.id, told([1]))
  expect(await saidIn(world, first.id)).toEqual([
    'doubled {"value":2}',
    'all {"of":1}',
    'doubled {"value":4}',
    'doubled {"value":2}',
  ])
})
