import { expect, it } from 'vitest'
import { z } from 'zod'
import { all } from '../../flow/list.ts'
import { run } from '../../flow/run.ts'
import { json } from '../../flow/schema.ts'
import { task } from '../../flow/task.ts'
import type { TriggeredRun } from '../../flow/trigger.ts'
import { type Workflow, workflow } from '../../flow/workflow.ts'
import { isAlmanacError } from '../../model/errors.ts'
import type { RunRecord } from '../../model/records.ts'
import { World } from '../../testing/world.ts'

const double = task('double', (n: number) => 2 * n)
const report = workflow('report', { input: { n: json<number>() } }, async ({ n }) => double(n))
const main = workflow('main', async () => {
  const { id } = await run.trigger(report, { n: double(2) }, { name: 'nightly', tags: ['a'] })
  return id
})

/** All runs, oldest first: what each is of, how it stands, what it gave and what triggered it. */
async function runsOf(world: World): Promise<readonly unknown[]> {
  const runs = await world.process.records.runs({ limit: 100 })
  const brief = ({ workflow: of, state, outputWire, triggeredBy }: RunRecord): unknown => [
    of,
    state,
    ...(outputWire === undefined ? [] : [outputWire]),
    ...(triggeredBy === undefined ? [] : [triggeredBy.depth]),
  ]
  return runs.toReversed().map(brief)
}

/** Until nothing happens any more. */
async function finishAll(world: World): Promise<void> {
  for (let steps = 0; world.process.engine.triggered.open.length > 0 && steps < 10_000; steps++)
    if (!(await world.step())) await world.clock.settle()
}

it('starts a run of its own without waiting for it', async () => {
  const world = new World()
  const told: string[] = []
  const handle = await world.start(main, undefined, {
    listener: {
      triggered: (one) => told.push(`triggered ${one.name}`),
      triggeredEnded: (one, { result }) => told.push(`${one.workflow} ${result?.state}`),
    },
  })
  const { state, output } = await world.finish(handle)
  await finishAll(world)
  const [made] = await world.process.records.runs({ limit: 1, triggeredBy: handle.id })
  expect({ state, output }).toEqual({ state: 'succeeded', output: made?.id })
  expect(made).toMatchObject({ name: 'nightly', tags: ['a'], triggeredBy: { run: handle.id, depth: 1 } })
  expect(await runsOf(world)).toEqual([
    ['main', 'succeeded', JSON.stringify(made?.id)],
    ['report', 'succeeded', '8', 1],
  ])
  expect(told).toEqual(['triggered nightly', 'report succeeded'])
})

it('gives the same run on replay, and starts none again', async () => {
  const world = new World()
  const { id, output } = await world.run(main)
  await finishAll(world)
  world.took()
  expect((await world.resume(id, main)).output).toBe(output)
  await finishAll(world)
  expect([await runsOf(world), world.took()].map((list) => list.length)).toEqual([2, 0])
})

it('makes one run whenever the process dies, and executes it', async () => {
  // a crash after so many commits
  for (let commits = 0; commits < 14; commits++) {
    const world = new World(commits, { holdCommits: true })
    const handle = await world.start(main)
    handle.result.catch(() => undefined)
    for (let done = 0; done < commits; ) {
      await world.clock.settle()
      const [next] = world.process.executor.open.keys()
      if (next !== undefined) await world.execute(next)
      else if (world.process.journal.commit()) done++
      else break
    }
    await world.clock.settle()
    await world.crash()
    const { state, output } = await world.resume(handle.id, main)
    await finishAll(world)
    expect([commits, state, await runsOf(world)]).toEqual([
      commits,
      'succeeded',
      [
        ['main', 'succeeded', JSON.stringify(output)],
        ['report', 'succeeded', '8', 1],
      ],
    ])
  }
})

it('does not begin before what it depends on is durable', async () => {
  const world = new World(1, { holdCommits: true })
  const handle = await world.start(main)
  handle.result.catch(() => undefined)
  for (let steps = 0; steps < 20; steps++) {
    await world.clock.settle()
    const [next] = world.process.executor.open.keys()
    if (next !== undefined) await world.execute(next)
  }
  // its input is known, and nothing of it is committed
  expect([world.took(), world.process.engine.triggered.open]).toEqual([['double(2)'], []])
  await world.finish(handle)
  await finishAll(world)
  expect(world.took()).toEqual(['double(4)'])
})

it('neither fails nor is cancelled with the run that triggers it, nor the other way round', async () => {
  const fails = workflow('fails', async () => {
    throw new Error('no')
  })
  const both = workflow('both', async () => {
    await all([run.trigger(fails), run.trigger(report, { n: 1 })])
    await run.sleep('1h')
  })
  const world = new World()
  const triggered: string[] = []
  const listener = { triggered: (one: RunRecord) => triggered.push(one.workflow) }
  const handle = await world.start(both, undefined, { listener })
  for (let steps = 0; triggered.length < 2 && steps < 1000; steps++) await world.step()
  handle.request('cancel', 'ann')
  expect((await world.finish(handle)).state).toBe('cancelled')
  await finishAll(world)
  expect((await runsOf(world)).map(String).sort()).toEqual([
    'both,cancelled',
    'fails,failed,1',
    'report,succeeded,2,1',
  ])
})

it('refuses at its line what does not fit the schema', async () => {
  const strict = workflow('strict', { input: z.object({ n: z.number() }) }, async ({ n }) => double(n))
  const wrong = workflow('wrong', async () => run.trigger(strict, { n: 'four' as unknown as number }))
  const world = new World()
  const { error } = await world.run(wrong)
  const line = new Error().stack?.split('\n')[1]?.match(/:(\d+):\d+\)?$/)?.[1]
  expect({ ...error, hint: undefined, stack: undefined, call: undefined }).toMatchObject({
    code: 'ALM_SCHEMA',
    file: import.meta.filename,
    line: Number(line) - 3,
  })
  expect(await runsOf(world)).toEqual([['wrong', 'failed']])
})

it('starts one run for each of two equal calls, and for each key', async () => {
  const twice = workflow('twice', async () =>
    all([
      run.trigger(report, { n: 1 }),
      run.trigger(report, { n: 1 }),
      run.trigger(report, { n: 1 }, { key: 'third' }),
    ]),
  )
  const world = new World()
  const { output } = await world.run(twice)
  await finishAll(world)
  const ids = (output as unknown as readonly TriggeredRun[]).map(({ id }) => id)
  expect([new Set(ids).size, (await runsOf(world)).length]).toEqual([3, 4])
})

it('triggers nothing in a dry run', async () => {
  const world = new World()
  world.settings = { ...world.settings, dryRun: true }
  const result = await world.run(main)
  expect(result.planned?.map(({ name }) => name)).toEqual(['double'])
  expect(await runsOf(world)).toEqual([])
})

it('executes a few at a time, and those that were left when somebody goes on with the run', async () => {
  const many = workflow('many', async () => {
    const ids: PromiseLike<TriggeredRun>[] = []
    for (let n = 0; n < 10; n++) ids.push(run.trigger(report, { n }))
    await all(ids)
  })
  const world = new World()
  const { id } = await world.run(many)
  const states = async (): Promise<Record<string, number>> => {
    const counts: Record<string, number> = {}
    for (const { state } of await world.process.records.runs({ limit: 100, triggeredBy: id }))
      counts[state] = (counts[state] ?? 0) + 1
    return counts
  }
  const before = await states()
  expect([before['running'], (before['scheduled'] ?? 0) > 0]).toEqual([4, true])
  world.process.engine.triggered.leave()
  await world.process.engine.triggered.idle()
  expect(await states()).toEqual(before)
  await world.crash()
  await world.resume(id, many)
  await finishAll(world)
  expect([await states(), new Set(world.took()).size]).toEqual([{ succeeded: 10 }, 10])
})

it('leaves to others what they have, and what they have brought to its end', async () => {
  const world = new World(1, { holdCommits: true })
  const handle = await world.start(main)
  while (world.process.engine.triggered.open.length === 0) await world.step()
  const [record] = world.process.engine.triggered.open
  world.process.engine.triggered.leave()
  await world.finish(handle)
  // a person says that it is not to be
  const claim = await world.process.journal.claim(record?.id ?? '', { host: '', pid: 2, bootId: '' })
  await world.crash()
  void claim?.release()
  const at = world.clock.now()
  await world.process.journal.append(record?.id ?? '', [{ kind: 'run', state: 'cancelled', at }])
  await world.resume(handle.id, main)
  await finishAll(world)
  expect(await runsOf(world)).toEqual([
    ['main', 'succeeded', JSON.stringify(record?.id)],
    ['report', 'cancelled', 1],
  ])
})

it('says where to go on with what is below a run that has ended, where a program has defined it', async () => {
  const world = new World(1, { holdCommits: true })
  const middle = workflow('middle', async () => (await run.trigger(report, { n: 1 })).id)
  const first = workflow('first', async () => (await run.trigger(middle)).id)
  const handle = await world.start(first)
  const stateOf = async (of: string) =>
    (await world.process.records.runs({ workflow: of, limit: 1 }))[0]?.state
  while ((await stateOf('middle')) !== 'succeeded') await world.step()
  await handle.result
  await world.crash()
  const [{ id: below } = { id: '' }] = await world.process.records.runs({ workflow: 'middle', limit: 1 })
  await world.resume(handle.id, first)
  await world.process.engine.triggered.idle()
  expect(await stateOf('report')).toBe('scheduled')
  const notes = await world.process.records.notes(handle.id, { limit: 9 })
  const [{ id: left } = { id: '' }] = await world.process.records.runs({ workflow: 'report', limit: 1 })
  expect(notes.map(({ bodyWire }) => JSON.parse(bodyWire) as unknown)).toEqual([
    `run ${left}, which was triggered before, is not gone on with: Workflow report cannot be triggered: a program has defined it: resume run ${below}, which triggered it.`,
  ])
  await world.resume(below, middle)
  await finishAll(world)
  expect(await stateOf('report')).toBe('succeeded')
})

it('stops a workflow that triggers itself without end', async () => {
  const world = new World()
  const endless: Workflow<{ n: number }, unknown> = workflow(
    'endless',
    { input: { n: json<number>() } },
    async ({ n }) => run.trigger(endless, { n: n + 1 }),
  ) as never
  await world.run(endless, { n: 0 })
  await finishAll(world)
  const runs = await world.process.records.runs({ limit: 100 })
  const failures = runs.filter(({ state }) => state !== 'succeeded').map(({ error }) => error?.message)
  expect([runs.length, failures]).toEqual([21, ['A run of endless would be 21 deep, and the limit is 20.']])
})

it('stops a workflow that calls itself without end, at the line that does', async () => {
  const world = new World()
  const calls: Workflow<undefined, unknown> = workflow('calls', async () => await calls()) as never
  const caught: Workflow<{ n: number }, number> = workflow(
    'caught',
    { input: { n: json<number>() } },
    async ({ n }): Promise<number> => {
      try {
        return await caught({ n: n + 1 })
      } catch (error) {
        return isAlmanacError(error) && error.code === 'ALM_DEPTH' ? n : -1
      }
    },
  ) as never
  const { state, error } = await world.run(calls)
  expect([state, error?.code, error?.message, error?.file]).toEqual([
    'failed',
    'ALM_DEPTH',
    'calls would be 21 deep, and the limit is 20.',
    import.meta.filename,
  ])
  expect((await world.run(caught, { n: 0 })).output).toBe(20)
})
