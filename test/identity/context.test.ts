import { describe, expect, it } from 'vitest'
import { document } from '../../src/flow/document.ts'
import { all, map } from '../../src/flow/list.ts'
import { run } from '../../src/flow/run.ts'
import { task } from '../../src/flow/task.ts'
import { type Workflow, workflow } from '../../src/flow/workflow.ts'
import type { TaskContext } from '../../src/model/task-context.ts'
import { World } from '../../src/testing/world.ts'
import { rule } from './rules.ts'

interface Calibration {
  readonly gain: number
  readonly flags?: readonly string[]
}

const calibration = document<Calibration>('calibration', { initial: { gain: 1 } })
const beam = document<{ readonly width: number }>('beam', { of: { project: 'alma' } })

const read = task('read', (name: string) => name.length)
const solve = task('solve', (raw: number) => ({ gain: raw * 10 }))
const solveEdited = solve.options({ version: '2' })
const image = task(
  'image',
  { context: { calibration }, cache: true },
  (raw: number, { context }: TaskContext) => raw * (context['calibration'] as Calibration).gain,
)
const weigh = task('weigh', (n: number) => n + 1)

const at = { environment: 'main', scope: 'workflow:imaging', name: 'calibration' }

const versionsIn = async (world: World): Promise<string[]> => {
  const rows = await world.process.documents.list('main', { limit: 9 })
  const each = await Promise.all(rows.map((row) => world.process.documents.versions(row, { limit: 99 })))
  return each.flat().map(({ scope, name, version, json }) => `${scope}/${name}@${version} ${json}`)
}

/** Somebody else writes. */
const set = (world: World, value: object, more: object = {}) =>
  world.process.documents.write({ ...at, json: JSON.stringify(value), maker: 'test', madeAt: 1, ...more })

/** Reads, writes from what a task gives, and has tasks read what was written. */
const imaging = workflow('imaging', async () => {
  const before = image(2)
  const raw = read('m87')
  void calibration.put(solve(raw))
  const after = image(raw)
  void calibration.patch({ flags: ['A'] })
  return all({ before, after, state: calibration.get() })
})
const imaged = { before: 2, after: 90, state: { value: { gain: 30, flags: ['A'] }, version: 2 } }

describe('documents are seen in the order of the program', () => {
  rule('nothing edited: nothing is executed again, whenever it was killed', {
    before: imaging,
    again: [],
    gives: imaged,
  })

  rule('what a document is made of edited, with the same result: what reads it is kept', {
    before: imaging,
    after: workflow('imaging', async () => {
      const before = image(2)
      const raw = read('m87')
      void calibration.put(solveEdited(raw))
      const after = image(raw)
      void calibration.patch({ flags: ['A'] })
      return all({ before, after, state: calibration.get() })
    }),
    again: ['solve(3)'],
    gives: imaged,
  })

  rule('a step before it put in: what reads the document as it was before is kept', {
    before: imaging,
    after: workflow('imaging', async () => {
      const before = image(2)
      const raw = weigh(read('m87'))
      void calibration.put(solve(raw))
      const after = image(raw)
      void calibration.patch({ flags: ['A'] })
      return all({ before, after, state: calibration.get().value })
    }),
    again: [],
    added: ['weigh(3)', 'solve(4)', 'image(4)'],
    gives: { before: 2, after: 160, state: { gain: 40, flags: ['A'] } },
  })
})

/** Kills a run at every step, with and without commits held back, and goes on with it. */
async function killedEverywhere(
  before: Workflow<undefined, unknown>,
  after: Workflow<undefined, unknown>,
  check: (world: World, output: unknown, label: string) => Promise<void>,
): Promise<number> {
  for (let steps = 0; ; steps++) {
    const world = new World(1, { holdCommits: true })
    const handle = await world.start(before)
    handle.result.catch(() => undefined)
    let isOver = false
    for (let done = 0; done < steps && !isOver; done++) isOver = !(await world.step())
    await world.crash()
    world.took()
    const result = await world.resume(handle.id, after, { forget: 'none' })
    await check(world, result.output, `killed after ${steps} steps`)
    if (isOver) return steps
  }
}

describe('a document is written exactly once', () => {
  it('wherever its process dies', async () => {
    const undisturbed = new World()
    await undisturbed.run(imaging)
    const wanted = await versionsIn(undisturbed)
    expect(wanted).toEqual([
      'workflow:imaging/calibration@2 {"flags":["A"],"gain":30}',
      'workflow:imaging/calibration@1 {"gain":30}',
    ])
    const deaths = await killedEverywhere(imaging, imaging, async (world, output, label) => {
      expect({ label, output, versions: await versionsIn(world) }).toEqual({
        label,
        output: imaged,
        versions: wanted,
      })
    })
    expect(deaths).toBeGreaterThan(10)
  })

  it('and an edit that goes on from any death ends as if it had been there from the start', async () => {
    const edited = workflow('imaging', async () => {
      const before = image(2)
      const raw = weigh(read('m87'))
      void calibration.put(solve(raw))
      void calibration.patch({ flags: ['A'] })
      return all({ before, after: image(raw), state: calibration.get() })
    })
    await killedEverywhere(imaging, edited, async (world, output, label) => {
      const { before, after, state } = output as typeof imaged
      const [newest] = await versionsIn(world)
      expect({ label, before, after, value: state.value, newest }).toEqual({
        label,
        before: 2,
        after: 160,
        value: { gain: 40, flags: ['A'] },
        newest: `workflow:imaging/calibration@${state.version} {"flags":["A"],"gain":40}`,
      })
    })
  })

  it('by branches that write at the same time, each in its turn', async () => {
    const writers = workflow('imaging', async () => {
      await map(['A', 'B', 'C'], async (name) => {
        const n = await read(name.repeat(2))
        await calibration.patch({ [name]: n } as never)
        return n
      }).all()
      return calibration.get()
    })
    const { output } = await new World().run(writers)
    expect(output).toEqual({ value: { gain: 1, A: 2, B: 2, C: 2 }, version: 3 })
    await killedEverywhere(writers, writers, async (world, again, label) => {
      expect({ label, again }).toEqual({ label, again: output })
      expect(await versionsIn(world)).toHaveLength(3)
    })
  })
})

describe('within a run a document stands still', () => {
  const twice = workflow('imaging', async () => {
    const first = await image(2)
    return [first, await image(3), (await calibration.get()).version]
  })

  it('whatever others write meanwhile, also after a crash and for calls that an edit adds', async () => {
    const world = new World()
    await set(world, { gain: 5 })
    const handle = await world.start(twice)
    await world.crashAfter(handle, 1)
    await set(world, { gain: 7 })
    const edited = workflow('imaging', async () => {
      const first = await image(2)
      return [first, await image(3), await image(4), (await calibration.get()).version]
    })
    expect((await world.resume(handle.id, edited)).output).toEqual([10, 15, 20, 1])
    expect((await world.run(twice)).output).toEqual([14, 21, 2])
  })

  it('unless it asks for the newest', async () => {
    const world = new World()
    await set(world, { gain: 5 })
    const asking = workflow('imaging', async () => {
      const first = (await calibration.get()).value.gain
      await read('x')
      const newest = (await calibration.get({ newest: true })).value.gain
      return [first, newest, await image(1), (await calibration.get({ version: 1 })).value.gain]
    })
    const handle = await world.start(asking)
    await world.clock.settle()
    await set(world, { gain: 7 })
    expect((await world.finish(handle)).output).toEqual([5, 7, 7, 5])
    await set(world, { gain: 9 })
    world.took()
    expect((await world.resume(handle.id, asking)).output).toEqual([5, 7, 7, 5])
    expect(world.took()).toEqual([])
  })

  it('and fields are merged into what it is to begin with', async () => {
    const world = new World()
    const patching = workflow('imaging', async () => calibration.patch({ flags: ['A'] }))
    expect((await world.run(patching)).output).toEqual({ value: { gain: 1, flags: ['A'] }, version: 1 })
  })

  it('and calls share what they get: a thousand readers record it once', async () => {
    const world = new World()
    await set(world, { gain: 3 })
    const many = workflow('imaging', async () =>
      map([...Array(50).keys()], async (n) => (await image(n)) + (await calibration.get()).version).all(),
    )
    const { id, output } = await world.run(many)
    expect((output as number[])[49]).toBe(49 * 3 + 1)
    const calls = await world.process.records.calls(id, { limit: 1000 })
    expect(calls.filter((call) => call.call_kind === 'get')).toHaveLength(1)
  })
})

describe('another run', () => {
  const reading = workflow('imaging', async () => all([image(2), image(3), weigh(1)]))

  it('executes only what reads a document that has changed, by its content', async () => {
    const world = new World()
    await set(world, { gain: 5 })
    await world.run(reading)
    world.took()
    expect((await world.run(reading)).output).toEqual([10, 15, 2])
    expect(world.took()).toEqual(['weigh(1)'])
    await set(world, { gain: 6 })
    expect((await world.run(reading)).output).toEqual([12, 18, 2])
    expect(world.took().sort()).toEqual(['image(2)', 'image(3)', 'weigh(1)'])
    // back to what it was: the version is another one, the content is not
    await set(world, { gain: 5 })
    expect((await world.run(reading)).output).toEqual([10, 15, 2])
    expect(world.took()).toEqual(['weigh(1)'])
  })

  it('sees documents of its workflow, its project and its environment only, and none of another run', async () => {
    const world = new World()
    const own = document<number>('scratch', { of: 'run', initial: 0 })
    const looks = async () => [(await own.get()).value, (await calibration.get()).value.gain]
    const writing = workflow('imaging', async () => {
      await own.put(4)
      await calibration.put({ gain: 8 })
      await beam.put({ width: 2 })
      return looks()
    })
    expect((await world.run(writing)).output).toEqual([4, 8])
    expect((await world.run(workflow('imaging', looks))).output).toEqual([0, 8])
    expect((await world.run(workflow('other', looks))).output).toEqual([0, 1])
    const sharing = workflow('other', async () => beam.get().value.width)
    expect((await world.run(sharing)).output).toBe(2)
    const begun = await world.start(writing)
    await world.crashAfter(begun, 0)
    world.settings = { ...world.settings, environment: 'test' }
    // a run stays in the environment where it began
    expect((await world.resume(begun.id, writing)).output).toEqual([4, 8])
    expect((await world.run(workflow('imaging', looks))).output).toEqual([0, 1])
    expect((await world.run(sharing)).error).toMatchObject({
      code: 'ALM_CONTEXT_UNKNOWN',
      message: 'There is no document project:alma/beam.',
    })
  })
})

describe('a write upon what others have changed', () => {
  const careless = workflow('imaging', async () => {
    const { gain } = (await calibration.get()).value
    const raw = await read('m87')
    return calibration.put({ gain: gain + raw })
  })

  it('is refused, and a resumed run goes on from the newest version', async () => {
    const world = new World()
    const handle = await world.start(careless)
    await world.clock.settle()
    await set(world, { gain: 100 })
    const refused = await world.finish(handle)
    expect(refused).toMatchObject({ state: 'failed', error: { code: 'ALM_CONTEXT_MOVED' } })
    world.took()
    const resumed = await world.resume(handle.id, careless)
    expect(resumed.output).toEqual({ value: { gain: 103 }, version: 2 })
    expect(world.took()).toEqual([])
  })

  it('can be tried again by the workflow, which then gets the newest; a replay goes the same way', async () => {
    const trying = workflow('imaging', async () => {
      for (let tries = 1; ; tries++) {
        const { gain } = (await calibration.get()).value
        await read('m87')
        try {
          return [tries, await calibration.put({ gain: gain + 1 })]
        } catch (error) {
          if ((error as { code?: string }).code !== 'ALM_CONTEXT_MOVED') throw error
        }
      }
    })
    const world = new World()
    const handle = await world.start(trying)
    await world.clock.settle()
    await set(world, { gain: 100 })
    const wanted = [2, { value: { gain: 101 }, version: 2 }]
    expect((await world.finish(handle)).output).toEqual(wanted)
    await set(world, { gain: 500 })
    world.took()
    expect((await world.resume(handle.id, trying)).output).toEqual(wanted)
    expect(world.took()).toEqual([])
  })

  it('is not refused where fields are merged, or the author says so', async () => {
    const world = new World()
    const merging = workflow('imaging', async () => {
      await calibration.get()
      await read('m87')
      const merged = await calibration.patch({ flags: ['B'] })
      const over = await calibration.put({ gain: 2 }, { seen: 'newest' })
      return [merged, over.version]
    })
    const handle = await world.start(merging)
    await world.clock.settle()
    await set(world, { gain: 9 })
    expect((await world.finish(handle)).output).toEqual([{ value: { gain: 9, flags: ['B'] }, version: 2 }, 3])
    const named = workflow('imaging', async () => calibration.patch({ gain: 1 }, { seen: 1 }))
    expect((await world.run(named)).error).toMatchObject({
      code: 'ALM_CONTEXT_MOVED',
      message: expect.stringContaining('is at version 3 (written by run'),
    })
  })
})

describe('what a document cannot be', () => {
  const refusal = async (fn: () => PromiseLike<unknown>) => {
    const { error } = await new World().run(workflow('imaging', async () => fn()))
    return `${error?.code}: ${error?.message}`
  }

  it('is refused by name, place and reason', async () => {
    expect(await refusal(() => beam.get())).toBe(
      'ALM_CONTEXT_UNKNOWN: There is no document project:alma/beam.',
    )
    expect(await refusal(() => calibration.get({ version: 4 }))).toBe(
      'ALM_CONTEXT_UNKNOWN: There is no document workflow:imaging/calibration@4.',
    )
    const value = async (bad: unknown) => refusal(() => calibration.put(bad as Calibration))
    expect(await value({ gain: [1, Number.NaN] })).toBe(
      'ALM_CONTEXT_VALUE: A document cannot hold the value at gain[1]: NaN is no number of JSON.',
    )
    expect(await value({ at: new Date(0) })).toContain('the value at at: it is a Date.')
    expect(await value(undefined)).toContain('the value at the document: it is undefined.')
    expect(await value({ text: 'x'.repeat(2 ** 20) })).toContain('1048576 at most')
    expect(await refusal(async () => document('a/b'))).toContain('ALM_CONTEXT_NAME: "a/b" cannot be')
    expect(await refusal(async () => document('a', { off: 'run' } as object))).toContain('of may be meant')
    const context = { calibration: 3 }
    expect(() => task('bad', { context: context as never }, () => 1)).toThrow('it is no document')
  })

  it('is held to its schema by whoever wrote it', async () => {
    const { z } = await import('zod')
    const checked = document('calibration', { schema: z.object({ gain: z.number().positive() }) })
    const world = new World()
    await set(world, { gain: -1 })
    const error = async (fn: () => PromiseLike<unknown>) =>
      (await world.run(workflow('imaging', async () => fn()))).error?.code
    expect(await error(() => checked.get())).toBe('ALM_SCHEMA')
    expect(await error(() => checked.put({ gain: -2 }))).toBe('ALM_SCHEMA')
    expect(await error(() => checked.patch({ gain: -2 }))).toBe('ALM_SCHEMA')
    expect(await versionsIn(world)).toHaveLength(1)
    expect(await error(() => checked.patch({ gain: 2 }))).toBeUndefined()
  })

  it('nothing is written in a dry run, and a run says what it would do', async () => {
    const world = new World()
    world.settings = { ...world.settings, dryRun: true }
    const { planned } = await world.run(imaging)
    expect(planned?.map(({ name }) => name).sort()).toEqual(['image', 'read'])
    expect(await versionsIn(world)).toEqual([])
  })

  it('run.context gives documents as well outside of workflows', () => {
    expect(run.context('calibration').name).toBe('calibration')
    expect(() => calibration.get()).toThrow('was used outside a workflow')
  })
})
