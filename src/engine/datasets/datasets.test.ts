import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { dataset } from '../../flow/dataset.ts'
import { dir } from '../../flow/schema.ts'
import { task } from '../../flow/task.ts'
import { workflow } from '../../flow/workflow.ts'
import type { DatasetVersion } from '../../model/dataset.ts'
import { DirRef, type FileRef } from '../../model/refs.ts'
import { World } from '../../testing/world.ts'
import { showNewest } from './publish.ts'

const double = task('double', (n: number) => 2 * n)
const sum = task('sum', (numbers: number[]) => numbers.reduce((a, b) => a + b, 0))
const fragile = task('fragile', { cache: false }, (value: unknown) => {
  if (String(value) === '3') throw new Error('three')
  return value
})

/** Publishes numbers as files. */
const numbersInput = { input: z.array(z.number()) }
const publishing = workflow('publishing', numbersInput, async (numbers) =>
  dataset('numbers').publish(
    dir.of(Object.fromEntries(numbers.map((n) => [`${n}`, double(n)]))) as PromiseLike<DirRef>,
  ),
)
const reading = workflow('reading', async () => sum(dataset('numbers').read().all() as PromiseLike<number[]>))

const key = { environment: 'test', dataset: 'numbers', partition: '' }

function datasetsOf(world: World) {
  const { datasets } = world.process
  return {
    datasets,
    numbers: async () => (await datasets.versions(key, { limit: 99 })).map(({ version }) => version),
    /** Another process publishes. */
    put: async (values: Record<string, unknown>): Promise<DatasetVersion> => {
      const files = await Promise.all(
        Object.entries(values).map(async ([name, value]) => {
          const bytes = new TextEncoder().encode(JSON.stringify(value))
          return [name, await world.data.writeFile(name, bytes)] as const
        }),
      )
      const { digest, entries, size } = await world.data.assemble(files)
      return datasets.add({ ...key, digest, entries, size, kept: false, maker: 'test', madeAt: 1 })
    },
  }
}

/** A run that is about to publish upon a version that is the newest no longer. */
async function overtaken() {
  const world = new World()
  const { put, numbers } = datasetsOf(world)
  await put({ a: 1 })
  const adding = workflow('adding', async () => {
    const of = dataset('numbers')
    const all = sum(of.read().all() as PromiseLike<number[]>)
    return of.publish(dir.of({ all, twice: double(all) }) as PromiseLike<DirRef>)
  })
  const handle = await world.start(adding)
  await world.step()
  await put({ a: 10 })
  return { world, adding, handle, numbers }
}

describe('a dataset in a run', () => {
  it('is published as a version that the next run reads', async () => {
    const world = new World()
    key.environment = world.settings.environment
    const first = await world.run(publishing, [1, 2])
    const { datasets } = datasetsOf(world)
    const version = await datasets.version(key)
    expect(first.output).toEqual({
      dataset: 'numbers',
      version: 1,
      dir: new DirRef(version?.digest ?? '', 2, version?.size ?? 0),
    })
    expect(version).toMatchObject({ run: first.id, maker: 'publish', parent: 0, entries: 2 })
    expect(await world.data.shown(key.environment, 'numbers')).toBe(version?.digest)
    expect((await world.run(reading)).output).toBe(6)
    const second = await world.run(publishing, [1, 2, 3])
    expect(second.output).toMatchObject({ version: 2 })
    expect((await world.run(reading)).output).toBe(12)
  })

  it('reads the version that was named, and fails where there is none', async () => {
    const world = new World()
    const { put } = datasetsOf(world)
    await put({ a: 1 })
    await put({ a: 5 })
    const of = (version: number) =>
      world.run(
        workflow('named', async () =>
          sum(dataset('numbers').read({ version }).all() as PromiseLike<number[]>),
        ),
      )
    expect((await of(1)).output).toBe(1)
    expect((await of(2)).output).toBe(5)
    expect((await of(3)).error).toMatchObject({
      code: 'ALM_DATA_UNKNOWN',
      message: 'There is no data numbers@3.',
    })
    const none = await world.run(workflow('none', async () => dataset('none').read().all()))
    expect(none.error).toMatchObject({ code: 'ALM_DATA_UNKNOWN' })
  })

  it('is seen as it was when the run goes on, whatever was published since', async () => {
    const world = new World()
    const { put } = datasetsOf(world)
    await put({ a: 1 })
    const twice = workflow('twice', async () => {
      const before = await sum(dataset('numbers').read().all() as PromiseLike<number[]>)
      return [before, await sum(dataset('numbers').read().all() as PromiseLike<number[]>)]
    })
    const handle = await world.start(twice)
    await world.crashAfter(handle, 1)
    await put({ a: 7 })
    const result = await world.resume(handle.id, twice, { forget: 'none' })
    expect(result.output).toEqual([1, 1])
    expect((await world.run(twice)).output).toEqual([7, 7])
  })

  it('stands still for a run that reads it, and is pinned, though its version be removed meanwhile', async () => {
    const world = new World()
    key.environment = world.settings.environment
    const { datasets, put } = datasetsOf(world)
    const { digest } = await put({ a: 1, b: 2 })
    const pinned: boolean[] = []
    const between = task('between', { cache: false }, async (_: number) => {
      pinned.push((await world.data.pinned()).has(digest))
      await put({ a: 5 })
      await datasets.remove(key, [1], 5)
      return 0
    })
    const twice = workflow('twice', async () => {
      const first = await (sum(
        dataset('numbers').read().all() as PromiseLike<number[]>,
      ) as PromiseLike<number>)
      await between(first)
      return [first, await sum(dataset('numbers').read().all() as PromiseLike<number[]>)]
    })
    expect((await world.run(twice, undefined)).output).toEqual([3, 3])
    expect([pinned, (await world.data.pinned()).size]).toEqual([[true], 0])
  })

  it('is published once however often the run is resumed', async () => {
    const world = new World()
    const { numbers } = datasetsOf(world)
    const failing = workflow('failing', { input: z.number() }, async (n) => {
      await dataset('numbers').publish(dir.of({ a: n }) as PromiseLike<DirRef>)
      return fragile(3)
    })
    const first = await world.run(failing, 4)
    expect(first.state).toBe('failed')
    await world.crash()
    expect((await world.resume(first.id, failing)).state).toBe('failed')
    expect(await numbers()).toEqual([1])
  })

  it('is not published where another version came since the run asked for it, until a person resumes the run', async () => {
    const { world, adding, handle, numbers } = await overtaken()
    const result = await world.finish(handle)
    expect(result.error).toMatchObject({
      code: 'ALM_DATASET_MOVED',
      message: 'Dataset numbers is at version 2 (made by test), not at 1 as it was when it was read.',
    })
    expect(await numbers()).toEqual([2, 1])
    world.took()
    expect((await world.resume(handle.id, adding)).output).toMatchObject({ version: 3 })
    expect(world.took()).toEqual(['sum([10])', 'double(10)'])
    expect((await world.run(reading)).output).toBe(30)
  })

  it('is published by a retry of any task of a run whose publication was refused, upon what is there by then', async () => {
    const { world, adding, handle, numbers } = await overtaken()
    expect((await world.finish(handle)).error).toMatchObject({ code: 'ALM_DATASET_MOVED' })
    const calls = (await world.process.records.calls(handle.id, { name: 'double', limit: 9 })).map(
      ({ call }) => call,
    )
    world.took()
    expect((await world.resume(handle.id, adding, { calls })).output).toMatchObject({ version: 3 })
    expect(world.took()).toEqual(['sum([10])', 'double(10)'])
    expect(await numbers()).toEqual([3, 2, 1])
  })

  it('is published upon whatever is there where the author says so', async () => {
    const world = new World()
    const { put, numbers } = datasetsOf(world)
    const adding = workflow('adding', async () =>
      dataset('numbers').publish(dir.of({ a: double(1) }) as PromiseLike<DirRef>, { upon: 'newest' }),
    )
    const handle = await world.start(adding)
    await world.step()
    await put({ a: 10 })
    expect((await world.finish(handle)).output).toMatchObject({ version: 2 })
    expect(await numbers()).toEqual([2, 1])
  })

  it('may be published several times by a run', async () => {
    const world = new World()
    const steps = workflow('steps', async () => {
      const of = dataset('numbers')
      await of.publish(dir.of({ a: 1 }) as PromiseLike<DirRef>)
      const read = await of.read().all()
      await of.publish(dir.of({ a: 2 }) as PromiseLike<DirRef>)
      return [read, await of.read().all()]
    })
    expect((await world.run(steps)).output).toEqual([[1], [2]])
  })

  it.each(['none', 'uncaught'] as const)(
    'is published once by a run that died before it knew of it, whoever publishes before it goes on (%s)',
    async (forget) => {
      const world = new World(1, { holdCommits: true })
      const { numbers } = datasetsOf(world)
      const handle = await world.start(publishing, [1])
      handle.result.catch(() => {})
      for (let i = 0; i < 100 && (await numbers()).length === 0; i++) await world.step()
      expect(await numbers()).toEqual([1])
      const unknown = world.process.journal.waiting
      await world.crash()
      const after = datasetsOf(world)
      await after.put({ a: 10 })
      expect((await world.resume(handle.id, publishing, { forget })).output).toMatchObject({ version: 1 })
      expect({ unknown, numbers: await after.numbers() }).toEqual({ unknown: 1, numbers: [2, 1] })
    },
  )

  it('may be published again by a run beside others, though the run has published it before', async () => {
    const world = new World()
    const { put, numbers } = datasetsOf(world)
    let isDisturbed = true
    const between = task('between', { cache: false }, async (_: number) => {
      if (isDisturbed) await put({ a: 10 })
      isDisturbed = false
      return 0
    })
    const steps = workflow('steps', async () => {
      const of = dataset('numbers')
      const { version } = await of.publish(dir.of({ a: 1 }) as PromiseLike<DirRef>)
      await between(version)
      await of.publish(dir.of({ a: 2 }) as PromiseLike<DirRef>)
      return [version, await of.read().all()]
    })
    const first = await world.run(steps)
    expect(first.error).toMatchObject({ code: 'ALM_DATASET_MOVED' })
    expect((await world.resume(first.id, steps)).output).toEqual([1, [2]])
    expect(await numbers()).toEqual([3, 2, 1])
    await world.crash()
    expect((await world.resume(first.id, steps)).output).toEqual([1, [2]])
    expect(await numbers()).toEqual([3, 2, 1])
  })

  it('is seen as it was by a run that was cancelled before it came to its reads again', async () => {
    const world = new World()
    const { put } = datasetsOf(world)
    await put({ a: 1 })
    const twice = workflow('twice', async () => {
      const first = await sum(dataset('numbers').read().all() as PromiseLike<number[]>)
      return [await fragile(first), await sum(dataset('numbers').read().all() as PromiseLike<number[]>)]
    })
    const handle = await world.start(twice)
    for (let i = 0; i < 9 && world.executed.length === 0; i++) await world.step()
    handle.request('cancel', 'ann')
    expect((await world.finish(handle)).state).toBe('cancelled')
    // cancelled at once
    const again = await world.startResume(handle.id, twice)
    again.request('cancel', 'ann')
    expect((await world.finish(again)).state).toBe('cancelled')
    await put({ a: 5 })
    expect((await world.resume(handle.id, twice)).output).toEqual([1, 1])
  })

  it('takes a whole directory that is the same as what is left of another', async () => {
    const world = new World()
    const { put } = datasetsOf(world)
    await put({ b: 3 })
    const refuse = task('refuse', (_: FileRef): number => {
      throw new Error('three')
    })
    const length = task('length', (_: FileRef) => 1)
    const steps = workflow('steps', async () => {
      const all = dataset('numbers').read()
      const { done } = refuse.map(all).settled()
      await done.all()
      return dataset('empty').publish(all.filter(length.map(all), () => false))
    })
    const result = await world.run(steps)
    expect(result.error).toBeUndefined()
    expect(result.output).toMatchObject({ dataset: 'empty', version: 1 })
  })

  it.each(['itself', 'filtered', 'mapped'])(
    'takes what is made of a directory of the user that is the same as what is left of another (%s)',
    async (what) => {
      const world = new World()
      await datasetsOf(world).put({ b: 3 })
      world.data.files.makeDirectory('/in')
      const refuse = task('refuse', (_: FileRef): number => {
        throw new Error('three')
      })
      const length = task('length', (_: FileRef) => 1)
      const steps = workflow('steps', { input: dir() }, async (given) => {
        const { done } = refuse.map(dataset('numbers').read()).settled()
        await done.all()
        const lengths = length.map(given)
        const filtered = given.filter(lengths, () => true)
        const made = { itself: given, filtered, mapped: lengths }[what]
        return dataset('empty').publish(made as unknown as PromiseLike<DirRef>)
      })
      const result = await world.run(steps, (await world.data.scan('/in')) as DirRef)
      expect(result.error).toBeUndefined()
      expect(result.output).toMatchObject({ dataset: 'empty', version: 1 })
    },
  )

  it('is published only when all that the run did before is durable', async () => {
    const world = new World(1, { holdCommits: true })
    const { numbers } = datasetsOf(world)
    const handle = await world.start(publishing, [1])
    handle.result.catch(() => {})
    for (let i = 0; i < 20 && world.process.executor.open.size === 0; i++) await world.clock.settle()
    for (const { id } of world.process.executor.open.values()) await world.execute(id)
    await world.clock.settle()
    expect(await numbers()).toEqual([])
    await world.finish(handle)
    expect(await numbers()).toEqual([1])
  })

  it('takes no map of which entries failed, unless told', async () => {
    const world = new World()
    const { put, numbers } = datasetsOf(world)
    await put({ a: 1, b: 3, c: 4 })
    const read = task('read-number', async (file: FileRef) => {
      const text = new TextDecoder().decode(world.data.files.file(file.at ?? '')?.bytes)
      if (text === '3') throw new Error('three')
      return Number(text)
    })
    const mapped = (incomplete: boolean, nested: boolean) =>
      workflow('mapped', async () => {
        const { done } = read.map(dataset('numbers').read()).settled()
        const result = nested ? read.map(done as unknown as PromiseLike<DirRef>) : done
        return dataset('numbers').publish(result as unknown as PromiseLike<DirRef>, { incomplete })
      })
    for (const nested of [false, true])
      expect((await world.run(mapped(false, nested))).error ?? nested).toMatchObject({
        code: 'ALM_DATASET_INCOMPLETE',
        message:
          'The directory for dataset numbers is incomplete: 1 entries of read-number failed, the first is b.',
      })
    expect(await numbers()).toEqual([1])
    expect((await world.run(mapped(true, false))).output).toMatchObject({ version: 2 })
  })

  it('publishes nothing in a dry run', async () => {
    const world = new World()
    const { put, numbers } = datasetsOf(world)
    await put({ a: 1 })
    world.settings = { ...world.settings, dryRun: true }
    const copy = workflow('copy', async () => {
      const of = dataset('numbers')
      return of.publish(of.read())
    })
    const result = await world.run(copy)
    expect({ state: result.state, planned: result.planned }).toEqual({ state: 'waiting', planned: [] })
    expect(await numbers()).toEqual([1])
  })

  it('is scanned where it lies with the user: a new version if something changed there', async () => {
    const world = new World()
    const { datasets, numbers } = datasetsOf(world)
    world.data.files.write('/raw/a', new TextEncoder().encode('1'))
    await datasets.setSource(key, { path: '/raw', keep: false }, 1)
    expect((await world.run(reading)).output).toBe(1)
    expect((await world.run(reading)).output).toBe(1)
    expect(await numbers()).toEqual([1])
    world.data.files.write('/raw/b', new TextEncoder().encode('5'))
    expect((await world.run(reading)).output).toBe(6)
    expect(await datasets.version(key)).toMatchObject({ version: 2, at: '/raw', maker: 'scan', kept: false })
    const old = workflow('old', async () => dataset('numbers').read({ version: 1 }).all())
    expect((await world.run(old)).output).toEqual([1])
    world.data.files.write('/raw/a', new TextEncoder().encode('2'))
    expect((await world.run(old)).error).toMatchObject({ code: 'ALM_VERSION_GONE' })
  })

  it('keeps its place where a workflow has the same name, and is not shown twice', async () => {
    const world = new World()
    const { datasets, put } = datasetsOf(world)
    const first = await put({ a: 1 })
    await showNewest({ datasets, data: world.data }, key)
    const file = () => dir.of({ a: 7 }) as PromiseLike<DirRef>
    expect((await world.run(workflow('numbers', async () => ({ all: file() })))).shown).toBeUndefined()
    expect(await world.data.shown(key.environment, 'numbers')).toBe(first.digest)
    const published = await world.run(workflow('some', async () => dataset('some/numbers').publish(file())))
    expect(published).toMatchObject({ state: 'succeeded', output: { version: 1 } })
    expect(published.shown).toBeUndefined()
    expect((await world.run(workflow('other', async () => ({ all: file() })))).shown).toBe('/data/main/other')
  })

  it('shows the newest version although an older one is switched last', async () => {
    const world = new World()
    const { datasets, put } = datasetsOf(world)
    await put({ a: 1 })
    const { digest, entries, size } = await world.data.assemble([
      ['a', await world.data.writeFile('a', new Uint8Array([1]))],
    ])
    world.data.onOperation = (operation) => {
      if (operation !== 'show') return
      world.data.onOperation = () => undefined
      void datasets.add({ ...key, digest, entries, size, kept: false, maker: 'test', madeAt: 1 })
    }
    await showNewest({ datasets, data: world.data }, key)
    expect(await world.data.shown(key.environment, 'numbers')).toBe(digest)
  })
})
