import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { run } from '../../flow/run.ts'
import { task } from '../../flow/task.ts'
import { workflow } from '../../flow/workflow.ts'
import { World } from '../../testing/world.ts'
import { sendMessage } from './run-messages.ts'

const seen = task('seen', { cache: false }, (n: number) => n)
const two = workflow('two', async () => {
  const first = await run.receive('steer', z.number())
  await seen(first)
  const second = await run.receive('steer', z.number())
  await seen(second)
  return [first, second]
})

const send = (world: World, id: string, value: unknown, name = 'steer') =>
  sendMessage(world.process.journal, id, name, value, { id: undefined, by: 'eve', at: world.clock.now() })

/** Time passes while no process has the run. */
function threeHours({ clock }: World): void {
  const end = clock.now() + 3 * 3600_000
  clock.at(end, () => undefined)
  while (clock.now() < end) clock.fireNext()
}

describe('a message', () => {
  it('is received once each in the order in which they came, by a run that rests meanwhile', async () => {
    const world = new World()
    const { id, state, counts } = await world.run(two)
    expect({ state, counts }).toEqual({ state: 'waiting', counts: { waiting: 1, running: 0 } })
    await send(world, id, 1)
    await send(world, id, 'other', 'another')
    expect((await world.resume(id, two)).state).toBe('waiting')
    await send(world, id, 2)
    const { output } = await world.resume(id, two)
    expect([output, world.took()]).toEqual([
      [1, 2],
      ['seen(1)', 'seen(2)'],
    ])
    expect((await world.process.records.messages(id, { limit: 9 })).map(({ call }) => call)).toEqual([
      0,
      undefined,
      2,
    ])
    expect((await world.resume(id, two)).output).toEqual([1, 2])
  })

  it.each([0, 1, 2])(
    'is the same in each life of the run, whenever the process dies (%i tasks)',
    async (done) => {
      const world = new World(1, { holdCommits: true })
      const handle = await world.start(two)
      handle.result.catch(() => undefined)
      for (const value of [1, 2, 3]) await send(world, handle.id, value)
      await world.crashAfter(handle, done)
      const { output } = await world.resume(handle.id, two, { forget: 'none' })
      expect(output).toEqual([1, 2])
      const kept = await world.process.records.messages(handle.id, { limit: 9 })
      expect(kept.map(({ call }) => call)).toEqual([0, 2, undefined])
    },
  )

  it('that comes while the run goes on is received then', async () => {
    const world = new World()
    const hold = task('hold', () => 'held')
    const beside = workflow('beside', async () => {
      const held = hold()
      const got = await run.receive('steer', z.number())
      return [got, await held]
    })
    const handle = await world.start(beside)
    await world.clock.settle()
    await send(world, handle.id, 5)
    expect((await world.finish(handle)).output).toEqual([5, 'held'])
  })

  it('that does not fit is set aside, and the run goes on waiting', async () => {
    const world = new World()
    const { id } = await world.run(two)
    await send(world, id, 'three')
    await send(world, id, 3)
    expect((await world.resume(id, two)).state).toBe('waiting')
    const [aside, fits] = await world.process.records.messages(id, { limit: 9 })
    expect([aside?.error?.code, aside?.call, fits?.call]).toEqual(['ALM_SCHEMA', undefined, 0])
  })

  it('is received again where its call is forgotten, and stays received where its schema is edited', async () => {
    const world = new World()
    const { id } = await world.run(two)
    await send(world, id, 1)
    await world.resume(id, two)
    await send(world, id, 2)
    const edited = workflow('two', async () => {
      const first = await run.receive('steer', z.union([z.number(), z.string()]), { timeout: '1d' })
      await seen(first as number)
      return [first, await run.receive('steer', z.number())]
    })
    expect((await world.resume(id, edited)).output).toEqual([1, 2])
    expect((await world.resume(id, edited, { calls: [0, 2] })).output).toEqual([1, 2])
  })

  it('that does not come in time fails its call; one that came in time counts, however late it is looked at', async () => {
    const timed = workflow('timed', async () => run.receive('steer', z.number(), { timeout: '1h' }))
    const world = new World()
    const { id } = await world.run(timed)
    const late = async () => {
      threeHours(world)
      return world.resume(id, timed, { forget: 'none' })
    }
    expect((await late()).error?.code).toBe('ALM_RECEIVE_TIMEOUT')
    const other = await world.run(timed)
    await send(world, other.id, 4)
    threeHours(world)
    expect((await world.resume(other.id, timed)).output).toBe(4)
  })

  it('needs a key where equal calls wait at once, and is given to those that wait in their order', async () => {
    const equal = workflow('equal', async () => {
      const [a, b] = [run.receive('steer', z.number()), run.receive('steer', z.number())]
      return [await a, await b]
    })
    const keyed = workflow('keyed', async () => {
      const [a, b] = ['a', 'b'].map((key) => run.receive('steer', z.number(), { key }))
      return [await a, await b]
    })
    const world = new World()
    expect((await world.run(equal)).error?.code).toBe('ALM_KEY_NEEDED')
    const { id } = await world.run(keyed)
    await send(world, id, 1)
    await send(world, id, 2)
    expect((await world.resume(id, keyed)).output).toEqual([1, 2])
  })

  it('is not waited for by a run that is cancelled, nor received by a dry run', async () => {
    const world = new World()
    const { id } = await world.run(two)
    await send(world, id, 1)
    world.settings = { ...world.settings, dryRun: true }
    expect((await world.resume(id, two)).state).toBe('waiting')
    world.settings = { ...world.settings, dryRun: false }
    const kept = await world.process.records.messages(id, { limit: 9 })
    expect(kept.map(({ call }) => call)).toEqual([undefined])
    const handle = await world.startResume(id, two)
    handle.request('cancel', 'ann')
    expect((await world.finish(handle)).state).toBe('cancelled')
  })

  it('is refused where nobody could keep it', async () => {
    const world = new World()
    const { id } = await world.run(two)
    for (const name of ['', '-x', 'a b', 'x'.repeat(200)])
      expect(() => send(world, id, 1, name)).toThrow('cannot be the name of a message')
    expect(() => send(world, id, 'x'.repeat(2 ** 20))).toThrow('has at most 1048576')
  })
})
