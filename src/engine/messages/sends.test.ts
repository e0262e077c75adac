import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { run } from '../../flow/run.ts'
import { task } from '../../flow/task.ts'
import { workflow } from '../../flow/workflow.ts'
import { World } from '../../testing/world.ts'

const find = task('find', { cache: false }, (n: number) => n * n)
const tells = workflow('tells', async () => {
  for (const n of [1, 2, 3]) await run.send('found', { peak: find(n) })
  return 'told'
})

const sent = async (world: World, id: string) =>
  (await world.process.records.messages(id, { direction: 'out', limit: 99 })).map((one) => one.valueWire)
const all = ['{"peak":1}', '{"peak":4}', '{"peak":9}']

describe('a message that a run sends', () => {
  it('is there once, in order, and is not sent again when the run goes on or is done again', async () => {
    const world = new World()
    const { id, output } = await world.run(tells)
    expect([output, await sent(world, id)]).toEqual(['told', all])
    expect((await world.resume(id, tells)).output).toBe('told')
    const calls = await world.process.records.calls(id, { limit: 99 })
    const again = { calls: calls.map(({ call }) => call) }
    expect((await world.resume(id, tells, again)).output).toBe('told')
    expect(await sent(world, id)).toEqual(all)
  })

  it.each(Array.from({ length: 14 }, (_, steps) => steps))(
    'is there once, and only with all that it depends on, wherever the process dies (%i steps)',
    async (steps) => {
      const world = new World(1, { holdCommits: true })
      const handle = await world.start(tells)
      handle.result.catch(() => undefined)
      for (let i = 0; i < steps; i++) await world.step()
      await world.crash()
      const kept = await sent(world, handle.id)
      const ended = await world.process.records.calls(handle.id, {
        name: 'find',
        states: ['succeeded'],
        limit: 9,
      })
      expect(kept).toEqual(all.slice(0, kept.length))
      expect(ended.length).toBeGreaterThanOrEqual(kept.length)
      expect((await world.resume(handle.id, tells, { forget: 'none' })).output).toBe('told')
      expect(await sent(world, handle.id)).toEqual(all)
    },
  )

  it('is sent once more where it has become something else by an edit, whatever became of that before', async () => {
    const world = new World()
    const { id } = await world.run(tells)
    for (const by of [2, 2, 1]) {
      const edited = task('find', { cache: false, version: String(by) }, (n: number) => n * n * by)
      const tellsOther = workflow('tells', async () => {
        for (const n of [1, 2, 3]) await run.send('found', { peak: edited(n) })
        return 'told'
      })
      expect((await world.resume(id, tellsOther)).output).toBe('told')
    }
    const other = ['{"peak":2}', '{"peak":8}', '{"peak":18}']
    expect(await sent(world, id)).toEqual([...all, ...other, ...all])
  })

  it('to another run is received there, once', async () => {
    const world = new World()
    const waits = workflow('waits', async () => run.receive('found', z.object({ peak: z.number() })))
    const other = await world.run(waits)
    const tell = workflow('tell', async () => run.send('found', { peak: find(2) }, { to: other.id }))
    const { id } = await world.run(tell)
    expect((await world.resume(other.id, waits)).output).toEqual({ peak: 4 })
    const [message] = await world.process.records.messages(other.id, { limit: 9 })
    expect(message).toMatchObject({ direction: 'in', run: id, call: 0 })
    const lost = workflow('lost', async () => run.send('found', 1, { to: 'nobody' }))
    expect((await world.run(lost)).error?.code).toBe('ALM_RUN_UNKNOWN')
  })

  it('to a run that it has triggered just now is received there, however slow the disk is', async () => {
    const world = new World(1, { holdCommits: true })
    const waits = workflow('waits', async () => run.receive('found', z.number()))
    const tell = workflow('tell', async () => {
      const { id } = await run.trigger(waits)
      return run.send('found', 7, { to: id })
    })
    const { id, state } = await world.run(tell)
    expect(state).toBe('succeeded')
    while (world.process.engine.triggered.open.length > 0) await world.step()
    const runs = await world.process.records.runs({ triggeredBy: id, limit: 9 })
    expect(runs.map(({ state: end, outputWire }) => [end, outputWire])).toEqual([['succeeded', '7']])
  })

  it('is not sent by a dry run, nor where it is too large or has no name', async () => {
    const world = new World()
    const large = workflow('large', async () => run.send('found', 'x'.repeat(2 ** 20)))
    expect((await world.run(large)).error?.code).toBe('ALM_VALUE_REFUSED')
    const unnamed = workflow('unnamed', async () => run.send('', 1))
    expect((await world.run(unnamed)).error?.code).toBe('ALM_NAME_REFUSED')
    world.settings = { ...world.settings, dryRun: true }
    const plain = workflow('plain', async () => run.send('found', 1))
    const { id, state } = await world.run(plain)
    expect([state, await sent(world, id)]).toEqual(['waiting', []])
  })
})
