import { describe, expect, it } from 'vitest'
import type { RunHandle } from '../../src/engine/engine.ts'
import { all } from '../../src/flow/list.ts'
import { file } from '../../src/flow/schema.ts'
import { task } from '../../src/flow/task.ts'
import type { File } from '../../src/flow/values.ts'
import { workflow } from '../../src/flow/workflow.ts'
import { World, type WorldProcess } from '../../src/testing/world.ts'

/** Concurrent identical calls are executed once: `docs/identity.md`, The run cache. */

let fails = 0
const measure = task('measure', (given: File) => {
  if (fails-- > 0) throw new Error('not now')
  return given.size
})
const nothing = task('nothing', (given: File) => {
  void given.size
})

const one = (name: string, step: (given: File) => unknown = measure as never) =>
  workflow(name, { input: { text: file() } }, async ({ text }) => step(text as never))
const many = workflow('many', { input: { text: file() } }, async ({ text }) =>
  all([1, 2, 3, 4].map(() => measure(text))),
)

async function aWorld(): Promise<{ readonly world: World; readonly input: never }> {
  const world = new World()
  fails = 0
  world.data.files.write('/a.txt', new TextEncoder().encode('one'))
  return { world, input: { text: await world.data.scan('/a.txt') } as never }
}

/** Another process beside the one of the world. */
function another(world: World): WorldProcess {
  const before = world.process
  world.open()
  return before
}

/** Everything that can happen by itself, without time passing. */
async function settle(world: World): Promise<void> {
  for (let i = 0; i < 5; i++) await world.clock.settle()
}

const openOf = ({ executor }: WorldProcess): string[] =>
  [...executor.open.values()].map(({ task: { name }, run }) => `${name} of ${run}`)

async function endOne({ executor }: WorldProcess): Promise<void> {
  const [id] = executor.open.keys()
  if (id === undefined) throw new Error('nothing is executed')
  await executor.run(id)
}

async function endOf(world: World, handle: RunHandle): Promise<unknown> {
  let ended: unknown
  handle.result.then(
    ({ state, output, executed, reused, error }) => {
      ended = { state, output, executed, reused, ...(error && { error: error.message }) }
    },
    (error: unknown) => {
      ended = error
    },
  )
  for (let i = 0; i < 50 && ended === undefined; i++) {
    await settle(world)
    if (ended === undefined) await world.clock.advance(100)
  }
  return ended
}

const did = { state: 'succeeded', output: 3, executed: 1, reused: 0 }
const took = { state: 'succeeded', output: 3, executed: 0, reused: 1 }

describe('of identical calls one is executed', () => {
  it('in one run', async () => {
    const { world, input } = await aWorld()
    const result = await world.run(many, input)
    expect({ output: result.output, executed: result.executed, reused: result.reused }).toEqual({
      output: [3, 3, 3, 3],
      executed: 1,
      reused: 3,
    })
    expect(world.took()).toEqual(['measure(a.txt)'])
  })

  it('over the runs of a process', async () => {
    const { world, input } = await aWorld()
    const first = await world.start(one('first'), input)
    await settle(world)
    const second = await world.start(one('second'), input)
    await settle(world)
    expect(openOf(world.process)).toEqual([`measure of ${first.id}`])
    await endOne(world.process)
    expect([await endOf(world, first), await endOf(world, second)]).toEqual([did, took])
  })

  it('over processes', async () => {
    const { world, input } = await aWorld()
    const first = await world.start(one('first'), input)
    await settle(world)
    const before = another(world)
    const second = await world.start(one('second'), input)
    await world.clock.advance(5000)
    expect([openOf(before), openOf(world.process)]).toEqual([[`measure of ${first.id}`], []])
    await endOne(before)
    expect([await endOf(world, first), await endOf(world, second)]).toEqual([did, took])
  })

  it('and one that looked before it was recorded, and begins after, takes it', async () => {
    const { world, input } = await aWorld()
    world.settings = { ...world.settings, cpu: 1 }
    const busy = workflow('busy', { input: { text: file() } }, async ({ text }) => {
      const long = measure.options({ version: '2' })(text)
      return all([long, measure(text)])
    })
    const second = await world.start(busy, input)
    await settle(world)
    const late = world.process
    world.open()
    const first = await world.start(one('first'), input)
    await settle(world)
    await endOne(world.process)
    expect(await endOf(world, first)).toEqual(did)
    await endOne(late)
    expect(await endOf(world, second)).toEqual({ state: 'succeeded', output: [3, 3], executed: 1, reused: 1 })
  })
})

describe('who waits for another', () => {
  it('holds no slot', async () => {
    const { world, input } = await aWorld()
    const first = await world.start(one('first'), input)
    await settle(world)
    const before = another(world)
    world.settings = { ...world.settings, cpu: 1 }
    const both = workflow('both', { input: { text: file() } }, async ({ text }) =>
      all([measure(text), measure.options({ version: '2' })(text)]),
    )
    const second = await world.start(both, input)
    await settle(world)
    expect(openOf(world.process)).toEqual([`measure of ${second.id}`])
    await endOne(world.process)
    await endOne(before)
    await endOf(world, first)
    expect(await endOf(world, second)).toEqual({ state: 'succeeded', output: [3, 3], executed: 1, reused: 1 })
  })

  it('executes itself when that one died', async () => {
    const { world, input } = await aWorld()
    const first = await world.start(one('first'), input)
    first.result.catch(() => undefined)
    await settle(world)
    const before = another(world)
    const second = await world.start(one('second'), input)
    await world.clock.advance(1000)
    expect(openOf(world.process)).toEqual([])
    before.journal.die()
    await before.journal.close()
    await world.clock.advance(1000)
    expect(openOf(world.process)).toEqual([`measure of ${second.id}`])
    await endOne(world.process)
    expect(await endOf(world, second)).toEqual(did)
  })

  it('executes itself when that one failed', async () => {
    const { world, input } = await aWorld()
    const first = await world.start(one('first'), input)
    await settle(world)
    const before = another(world)
    const second = await world.start(one('second'), input)
    await settle(world)
    fails = 1
    await endOne(before)
    expect(await endOf(world, first)).toMatchObject({ state: 'failed', error: 'not now' })
    await world.clock.advance(1000)
    await endOne(world.process)
    expect(await endOf(world, second)).toEqual(did)
  })

  it('executes itself when that one was cancelled', async () => {
    const { world, input } = await aWorld()
    const first = await world.start(one('first'), input)
    await settle(world)
    const before = another(world)
    const second = await world.start(one('second'), input)
    await settle(world)
    first.request('cancel', 'me')
    expect(await endOf(world, first)).toMatchObject({ state: 'cancelled' })
    expect(openOf(before)).toEqual([])
    await world.clock.advance(1000)
    await endOne(world.process)
    expect(await endOf(world, second)).toEqual(did)
  })

  it('is executed by whoever comes first of those that waited, the others wait on', async () => {
    const { world, input } = await aWorld()
    const first = await world.start(one('first'), input)
    await settle(world)
    const others = await Promise.all(['a', 'b', 'c'].map((name) => world.start(one(name), input)))
    await settle(world)
    fails = 1
    await endOne(world.process)
    await endOf(world, first)
    expect(openOf(world.process)).toHaveLength(1)
    await endOne(world.process)
    const ends = await Promise.all(others.map((handle) => endOf(world, handle)))
    expect(ends).toContainEqual(did)
    expect(ends.filter((end) => (end as { executed: number }).executed === 0)).toHaveLength(2)
  })

  it('can be cancelled', async () => {
    const { world, input } = await aWorld()
    const first = await world.start(one('first'), input)
    await settle(world)
    const second = await world.start(one('second'), input)
    await settle(world)
    second.request('cancel', 'me')
    expect(await endOf(world, second)).toMatchObject({ state: 'cancelled', executed: 0 })
    await endOne(world.process)
    expect(await endOf(world, first)).toEqual(did)
  })

  it('waits for two in vain at most', async () => {
    const { world, input } = await aWorld()
    const all4 = workflow('all4', { input: { text: file() } }, async ({ text }) =>
      all([1, 2, 3, 4, 5].map(() => nothing(text))),
    )
    const handle = await world.start(all4, input)
    const widths: number[] = []
    for (let i = 0; i < 4; i++) {
      await settle(world)
      widths.push(world.process.executor.open.size)
      while (world.process.executor.open.size > 0) await endOne(world.process)
    }
    expect({ widths, end: await endOf(world, handle) }).toMatchObject({
      widths: [1, 1, 3, 0],
      end: { state: 'succeeded', executed: 5, reused: 0 },
    })
  })
})

it('nobody waits with --no-cache or --refresh, nor for what is never cached', async () => {
  for (const cache of ['off', 'refresh'] as const) {
    const { world, input } = await aWorld()
    world.settings = { ...world.settings, cache }
    await world.start(many, input)
    await settle(world)
    expect(world.process.executor.open.size).toBe(4)
  }
  const { world, input } = await aWorld()
  const off = measure.options({ cache: false })
  await world.start(
    workflow('off', { input: { text: file() } }, async ({ text }) => all([off(text), off(text)])),
    input,
  )
  await settle(world)
  expect(world.process.executor.open.size).toBe(2)
})
