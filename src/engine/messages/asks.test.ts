import { expect, it } from 'vitest'
import { z } from 'zod'
import { run } from '../../flow/run.ts'
import { workflow } from '../../flow/workflow.ts'
import { encode } from '../../model/codec.ts'
import { World } from '../../testing/world.ts'
import type { RunListener } from '../run-life.ts'

const asks = workflow('asks', async () => run.ask(z.object({ ok: z.boolean() }), { title: 'Publish?' }))

/** What people are told, in order. */
function listening(): { readonly told: string[]; readonly listener: RunListener } {
  const told: string[] = []
  return { told, listener: { asked: ({ title }) => told.push(title) } }
}

/** A run that waits for a person, with an answer that was given since. */
async function answered(value: { readonly ok: boolean | string }): Promise<{ world: World; id: string }> {
  const world = new World()
  const { told, listener } = listening()
  const { id, state } = await world.run(asks, undefined, { listener })
  expect([state, told]).toEqual(['waiting', ['Publish?']])
  await world.process.journal.answer(id, 0, encode(value), 'ann', 0)
  return { world, id }
}

const titles = async (world: World, id: string): Promise<string[]> =>
  (await world.process.records.asks(id, { open: true })).map(({ title }) => title)

it('is not put to people again where its answer came while no process executed the run', async () => {
  const { world, id } = await answered({ ok: true })
  const { told, listener } = listening()
  const { output } = await world.resume(id, asks, { listener })
  expect([output, told, await titles(world, id)]).toEqual([{ ok: true }, [], []])
})

it('is open and told again where that answer does not fit, with why', async () => {
  const { world, id } = await answered({ ok: 'maybe' })
  const { told, listener } = listening()
  const { state } = await world.resume(id, asks, { listener })
  const refused =
    'Publish? (The answer does not fit its schema: ok: Invalid input: expected boolean, received string.)'
  expect([state, told, await titles(world, id)]).toEqual(['waiting', [refused], [refused]])
})

it('is in what is told of the run until it is answered', async () => {
  const world = new World()
  const handle = await world.start(asks, undefined)
  const { id } = await world.finish(handle)
  expect(handle.snapshot().asks).toEqual(['Publish?'])
  await world.process.journal.answer(id, 0, encode({ ok: true }), 'ann', 0)
  const resumed = await world.startResume(id, asks)
  await world.finish(resumed)
  expect(resumed.snapshot().asks).toEqual([])
})
