import { describe, expect, it } from 'vitest'
import { all } from '../../flow/list.ts'
import { task } from '../../flow/task.ts'
import { workflow } from '../../flow/workflow.ts'
import { decode } from '../../model/codec.ts'
import { SpilledRef } from '../../model/refs.ts'
import { World } from '../../testing/world.ts'

const letters = 100_000
const large = task('large', { cache: true }, (n: number) => String(n % 10).repeat(letters))
const length = task('length', { cache: true }, (text: string) => text.length)
const measures = workflow('measures', async () => [length(large(1)), length(large(2))])

/** What the journal keeps of the calls of that name. */
async function keptOf(world: World, run: string, name: string): Promise<readonly (string | undefined)[]> {
  const calls = await world.process.records.calls(run, { name, limit: 10 })
  return calls.map(({ outcome }) => outcome?.valueWire)
}

async function refsOf(world: World, run: string): Promise<readonly SpilledRef[]> {
  const wires = await keptOf(world, run, 'large')
  return wires.map((wire) => decode(wire ?? '')).filter((value) => value instanceof SpilledRef)
}

describe('a result over 64 KiB', () => {
  it('is kept beside the journal, which keeps its digest, in the run cache too', async () => {
    const world = new World()
    const { id, output } = await world.run(measures)
    const refs = await refsOf(world, id)
    const entries = await world.process.entries.list({ name: 'large', limit: 10 })
    expect(output).toEqual([letters, letters])
    expect(refs.map(({ size }) => size)).toEqual([letters + 2, letters + 2])
    expect(entries.map(({ valueWire, bytes }) => valueWire.length < 200 && bytes > letters)).toEqual([
      true,
      true,
    ])
  })

  it('is read back where the run goes on, and where another run takes it', async () => {
    const world = new World()
    const first = await world.run(measures)
    world.took()
    await world.crash()
    const second = await world.resume(first.id, measures)
    const other = await world.run(workflow('other', async () => large(1)))
    expect({ state: second.state, output: second.output, executed: second.executed }).toEqual({
      state: 'succeeded',
      output: [letters, letters],
      executed: 0,
    })
    expect({ output: String(other.output).length, reused: other.reused }).toEqual({
      output: letters,
      reused: 1,
    })
    expect(world.took()).toEqual([])
  })

  it('is made again where its blob is gone, and why says that it is', async () => {
    const world = new World()
    const first = await world.run(measures)
    for (const { digest } of await refsOf(world, first.id)) world.data.lose(digest)
    world.took()
    const other = await world.run(measures)
    const [call] = await world.process.records.calls(other.id, { name: 'large', limit: 1 })
    const parts = await world.process.records.parts(other.id, call?.call ?? -1)
    expect({ output: other.output, executed: other.executed, verdict: parts?.verdict }).toEqual({
      output: [letters, letters],
      executed: 2,
      verdict: 'gone',
    })
    // the results made of them are known all the same
    expect(world.took().filter((text) => text.startsWith('length'))).toEqual([])
  })

  it('is made again where a run goes on without it', async () => {
    const world = new World()
    const first = await world.run(measures)
    for (const { digest } of await refsOf(world, first.id)) world.data.lose(digest)
    world.took()
    const second = await world.resume(first.id, measures)
    expect({ state: second.state, output: second.output, took: world.took() }).toEqual({
      state: 'succeeded',
      output: [letters, letters],
      took: ['large(1)', 'large(2)'],
    })
  })

  it('of entries of a list, and the output of a run, are kept so too', async () => {
    const world = new World()
    const mapped = workflow('mapped', async () => all(large.map([1, 2])))
    const { id, output } = await world.run(mapped)
    const run = await world.process.records.run(id)
    expect((output as readonly string[]).map((text) => text.length)).toEqual([letters, letters])
    expect(decode(run?.outputWire ?? '')).toBeInstanceOf(SpilledRef)
    expect(await refsOf(world, id)).toHaveLength(2)
    expect((await world.resume(id, mapped)).executed).toBe(0)
  })

  it('is kept whole by the journal where it is small', async () => {
    const world = new World()
    const small = task('large', { cache: true }, () => 'x'.repeat(60_000))
    const { id } = await world.run(workflow('w', async () => small()))
    expect(await keptOf(world, id, 'large')).toEqual([JSON.stringify('x'.repeat(60_000))])
  })
})

describe('a large result of a run that goes on', () => {
  const rows = task('rows', (n: number) => Array.from({ length: 20_000 }, () => `row ${n}`))
  const count = task('count', (of: readonly string[]) => of.length)
  const early = task('late', (of: readonly string[]) => of.length)
  const late = task('late', { version: '2' }, (of: readonly string[]) => of.length + 1)

  /** How often a blob was read. */
  function reads(world: World): () => number {
    let read = 0
    world.data.onOperation = (operation) => {
      if (operation === 'readNow' || operation === 'readFile') read++
    }
    return () => read
  }

  it('is not read where nobody asks for it, though other calls take it', async () => {
    const world = new World()
    const all = workflow('all', async () => {
      void large(1)
      return [count(rows(1)), length(large(2))]
    })
    const { id, output } = await world.run(all)
    await world.crash()
    const read = reads(world)
    world.took()
    const again = await world.resume(id, all)
    expect({ first: output, again: again.output, took: world.took(), read: read() }).toEqual({
      first: [20_000, letters],
      again: [20_000, letters],
      took: [],
      read: 0,
    })
  })

  it('is read once by all that ask: what awaits it, fields of it, tasks that are executed', async () => {
    const world = new World()
    const all = (counts: typeof late) =>
      workflow('all', async () => {
        const [first, second, third] = [rows(1), rows(2), rows(3)]
        const given = await first
        const length = (await first).length
        return [given[0], length, await first[3], counts(second), count(third)]
      })
    const { id } = await world.run(all(early))
    await world.crash()
    const read = reads(world)
    world.took()
    // its code is another: it is executed, with the second
    const { output } = await world.resume(id, all(late))
    expect({ output, took: world.took().map((text) => text.slice(0, 5)), read: read() }).toEqual({
      output: ['row 1', 20_000, 'row 1', 20_001, 20_000],
      took: ['late('],
      read: 2,
    })
  })

  it('falls as it fell before where it is awaited beside others', async () => {
    const world = new World()
    const race = workflow('race', async () => {
      const [slow, quick] = [rows(1), length('x')]
      await all([slow, quick])
      return Promise.race([
        slow.all().then(() => 'large'),
        quick.then(() => 'small'),
        slow.then(() => 'first'),
      ])
    })
    const { id, output } = await world.run(race)
    await world.crash()
    expect((await world.resume(id, race)).output).toBe(output)
  })

  it('fails who asks for it where its blob is lost after it was seen', async () => {
    const world = new World()
    const asks = workflow('asks', async () => (await rows(1)).length)
    const { id } = await world.run(asks)
    await world.crash()
    const [wire] = await keptOf(world, id, 'rows')
    const { digest } = decode(wire ?? '') as SpilledRef
    world.data.onOperation = (operation) => {
      if (operation === 'readNow') world.data.lose(digest)
    }
    const lost = await world.resume(id, asks)
    world.data.onOperation = () => {}
    expect([lost.state, lost.error?.code]).toEqual(['failed', 'ALM_BLOB_MISSING'])
    expect(await world.resume(id, asks)).toMatchObject({ state: 'succeeded', output: 20_000, executed: 1 })
  })
})
