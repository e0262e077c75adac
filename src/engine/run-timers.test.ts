import { expect, it } from 'vitest'
import { z } from 'zod'
import { run } from '../flow/run.ts'
import { task } from '../flow/task.ts'
import { workflow } from '../flow/workflow.ts'
import { World } from '../testing/world.ts'
import { sendMessage } from './messages/run-messages.ts'

const hold = task('hold', () => 'held')
const fails = task('fails', { retries: { count: 1, delay: '7d' } }, (): string => {
  throw new Error('not yet')
})

const waits = workflow('waits', async () => {
  const held = hold()
  const message = run.receive('go', z.number(), { timeout: '7d' })
  return [await message, await held]
})
const asks = workflow('asks', async () => {
  const { posted } = run.callback(z.number(), { timeout: '7d' })
  return [await run.ask(z.number(), { title: 'How many?', timeout: '7d' }), await posted]
})
const sleeps = workflow('sleeps', async () => {
  const slept = run.sleep('7d')
  return [await fails(), await slept]
})

it('no timer of a run that has ended is left, whatever came before it was due', async () => {
  const world = new World()
  const began = world.clock.now()
  const handle = await world.start(waits)
  await world.clock.settle()
  await sendMessage(world.process.journal, handle.id, 'go', 1, { id: undefined, by: 'eve', at: 0 })
  const { state, output } = await world.finish(handle)
  const passed = world.clock.now() - began
  expect([state, output, passed, world.clock.nextDue]).toEqual(['succeeded', [1, 'held'], 0, undefined])
})

it('no timer of a run that waits for people is left, as its process may go', async () => {
  const world = new World()
  const { state } = await world.run(asks)
  expect([state, world.clock.nextDue]).toEqual(['waiting', undefined])
})

it('no timer of a run that is cancelled is left, be it of a sleep or before a retry', async () => {
  const world = new World()
  const handle = await world.start(sleeps)
  await world.step()
  handle.request('cancel', 'ann')
  const { state } = await world.finish(handle)
  expect([state, world.took(), world.clock.nextDue]).toEqual(['cancelled', ['fails()'], undefined])
})
