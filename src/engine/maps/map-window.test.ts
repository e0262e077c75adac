import { expect, it } from 'vitest'
import { dir } from '../../flow/schema.ts'
import { task } from '../../flow/task.ts'
import type { File } from '../../flow/values.ts'
import { workflow } from '../../flow/workflow.ts'
import { World } from '../../testing/world.ts'
import type { RunHandle } from '../engine.ts'

const size = task('size', (of: File) => of.size)
const sum = task('sum', (all: number[]) => all.reduce((a, b) => a + b, 0))
const sizes = workflow('sizes', { input: { texts: dir() } }, async ({ texts }) => sum(size.map(texts).all()))

function aWorld(files: number): World {
  const world = new World()
  world.data.files.makeDirectory('/texts')
  for (let i = 0; i < files; i++)
    world.data.files.write(`/texts/${i}`, new TextEncoder().encode('x'.repeat(i)))
  world.settings = { ...world.settings, mapWindow: 4, cpu: 2 }
  return world
}

it('makes entries as others end, and counts those that are to come', async () => {
  const world = aWorld(20)
  let most = 0
  const waiting = new Set<number>()
  let handle: RunHandle | undefined
  const open = () => {
    const { running = 0, waiting: more = 0 } = handle?.snapshot().counts ?? {}
    return running + more
  }
  handle = await world.start(sizes, { texts: await world.data.scan('/texts') } as never, {
    listener: {
      applied: (_, { graph }) => {
        most = Math.max(most, graph.size - graph.count('ended'))
        waiting.add(open())
      },
    },
  })
  const { output, executed } = await world.finish(handle)
  expect({ output, executed }).toEqual({ output: 190, executed: 21 })
  // with the map itself, what is made of it and the sum
  expect(most).toBeLessThanOrEqual(4 + 3)
  expect(Math.max(...waiting)).toBeGreaterThan(20)
})

it('makes no more when the run is cancelled, and all the others when a person goes on', async () => {
  const world = aWorld(20)
  const input = { texts: await world.data.scan('/texts') } as never
  const handle = await world.start(sizes, input)
  while (world.executed.length < 5) await world.step()
  handle.request('cancel', 'test')
  const cancelled = await world.finish(handle)
  expect(cancelled.state).toBe('cancelled')
  const before = world.executed.length
  expect(before).toBeLessThan(10)
  const { output, state } = await world.resume(handle.id, sizes)
  expect({ output, state }).toEqual({ output: 190, state: 'succeeded' })
  expect(world.executed.length).toBe(21)
})

it('names all entries in a dry run', async () => {
  const world = aWorld(20)
  world.settings = { ...world.settings, dryRun: true }
  const { planned } = await world.run(sizes, { texts: await world.data.scan('/texts') } as never)
  expect(planned?.length).toBe(20)
})

it('lets go of entries when they have ended, and of their values when their map has', async () => {
  const world = aWorld(200)
  const most = { entries: 0, valuesAfter: 0 }
  const run = await world.run(sizes, { texts: await world.data.scan('/texts') } as never, {
    listener: {
      applied: (event, { graph }, { calls, outcomes }) => {
        const entries = [...calls].filter(({ request }) => request.kind === 'entry').length
        most.entries = Math.max(most.entries, entries)
        if (event.kind === 'left' && graph.call(event.call).kind === 'map') most.valuesAfter = outcomes.kept
      },
    },
  })
  expect({ output: run.output, executed: run.executed }).toEqual({ output: 19_900, executed: 201 })
  // as many as are made ahead; and of values that of the map itself
  expect(most).toEqual({ entries: 4, valuesAfter: 1 })

  await world.crash()
  world.settings = { ...world.settings, cache: 'off' }
  const resumed = await world.resume(run.id, sizes, { calls: [0] })
  expect({ output: resumed.output, executed: resumed.executed, reused: resumed.reused }).toEqual({
    output: 19_900,
    executed: 0,
    reused: 201,
  })
})
