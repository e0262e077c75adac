import { expect, it } from 'vitest'
import { z } from 'zod'
import { requireCaller } from '../flow/ambient.ts'
import { run } from '../flow/run.ts'
import { task } from '../flow/task.ts'
import { workflow } from '../flow/workflow.ts'
import { World } from '../testing/world.ts'

const minute = 60_000

/** As an event loop has them: `rang` is the time at which it did. */
function setTimer(ms: number) {
  const caller = requireCaller('a timer')
  const timer = caller.call({ kind: 'timer', name: 'timer' }, { ms })
  const rang = new Promise<number>((resolve, reject) => {
    caller.outcome(timer, [], (_, at) => resolve(at), reject)
  })
  // of one that is withdrawn nobody hears
  rang.catch(() => undefined)
  return { timer, caller, rang, withdraw: () => caller.withdraw(timer) }
}

/** What comes first: it, or the timer; as `asyncio.wait_for` does it. */
async function within<T>(ms: number, awaited: PromiseLike<T>): Promise<T> {
  const { timer, caller, rang, withdraw } = setTimer(ms)
  const late = rang.then((): never => {
    const error = new Error('too late')
    caller.becauseOf(timer, error)
    throw error
  })
  try {
    return await Promise.race([awaited, late])
  } finally {
    withdraw()
  }
}

const began = (world: World): number => world.clock.now()
const hold = task('hold', { cache: false }, (n: number) => n)

it('one that is withdrawn does not hold the run, leaves nothing behind, and counts as no call', async () => {
  const world = new World()
  const start = began(world)
  const { state, output, counts } = await world.run(workflow('w', () => within(7 * minute, hold(1))))
  expect({ state, output, counts, passed: world.clock.now() - start, due: world.clock.nextDue }).toEqual({
    state: 'succeeded',
    output: 1,
    counts: { succeeded: 1, waiting: 0, running: 0 },
    passed: 0,
    due: undefined,
  })
})

it('one that is withdrawn when it has rung has rung', async () => {
  const world = new World()
  const { output } = await world.run(
    workflow('w', async () => {
      const { rang, withdraw } = setTimer(minute)
      await rang
      withdraw()
      withdraw()
      return 'rang'
    }),
  )
  expect(output).toBe('rang')
})

it('rings when it is due, and tells the same time whenever the run goes on', async () => {
  const sleeps = workflow('sleeps', async () => {
    const { enteredAt } = requireCaller('w')
    return [enteredAt, (await setTimer(minute).rang) - enteredAt]
  })
  const world = new World()
  const start = began(world)
  const first = await world.run(sleeps)
  await world.clock.advance(minute)
  await world.crash()
  const again = await world.resume(first.id, sleeps)
  expect([first.output, again.output]).toEqual([
    [start, minute],
    [start, minute],
  ])
})

it('a child is entered when all that it takes was there, in each life', async () => {
  const child = workflow(
    'child',
    { input: z.object({ n: z.any() }) },
    async () => requireCaller('w').enteredAt,
  )
  const main = workflow('main', async () => {
    await setTimer(minute).rang
    return child({ n: run.sleep(minute) })
  })
  const world = new World()
  const start = began(world)
  const first = await world.run(main)
  await world.clock.advance(minute)
  await world.crash()
  const again = await world.resume(first.id, main)
  expect([first.output, again.output]).toEqual([start + 2 * minute, start + 2 * minute])
})

it('is due as it was when the process died, and not a whole duration later', async () => {
  const waits = workflow('waits', async () => setTimer(3 * minute).rang)
  const world = new World()
  const start = began(world)
  const handle = await world.start(waits)
  handle.result.catch(() => undefined)
  await world.clock.settle()
  await world.clock.advance(minute)
  await world.crash()
  const { output } = await world.resume(handle.id, waits)
  expect(output).toBe(start + 3 * minute)
})

it('falls as it fell: a call that was late stays so, and one that came in time, however long ago', async () => {
  const races = workflow('races', async () => {
    const late = await within(minute, run.sleep(2 * minute)).catch(({ message }: Error) => message)
    const slept = await within(2 * minute, run.sleep(minute))
    return [late, slept ?? 'in time', await run.ask(z.boolean(), { title: 'Go on?' })]
  })
  const world = new World()
  const first = await world.run(races)
  expect(first.state).toBe('waiting')
  await world.clock.advance(100 * minute)
  await world.crash()
  await world.process.journal.answer(first.id, 4, 'true', 'ann', 0)
  const again = await world.resume(first.id, races)
  expect([again.state, again.output]).toEqual(['succeeded', ['too late', 'in time', true]])
})

it('what is done anew has its time anew, though its timer was due long ago', async () => {
  let fails = true
  const works = task('works', { cache: false }, () => {
    if (fails) throw new Error('not yet')
    return 'done'
  })
  const bounded = workflow('bounded', () => within(minute, works()))
  const world = new World()
  const first = await world.run(bounded)
  await world.clock.advance(100 * minute)
  fails = false
  const again = await world.resume(first.id, bounded)
  expect([first.state, again.state, again.output]).toEqual(['failed', 'succeeded', 'done'])
})

it('a run that failed of a timeout awaits anew what was late when it is resumed', async () => {
  const fails = workflow('fails', () => within(minute, run.sleep(2 * minute)))
  const world = new World()
  const first = await world.run(fails)
  await world.clock.advance(minute)
  await world.crash()
  const again = await world.resume(first.id, fails)
  expect([first.state, first.error?.message, again.state]).toEqual(['failed', 'too late', 'succeeded'])
})

it('a timeout that the workflow caught stays, also where another one ended the run', async () => {
  const fails = workflow('fails', async () => {
    const caught = await within(minute, run.sleep(4 * minute)).catch(({ message }: Error) => message)
    return [caught, await within(minute, run.sleep(3 * minute))]
  })
  const world = new World()
  const first = await world.run(fails)
  await world.clock.advance(10 * minute)
  const again = await world.resume(first.id, fails)
  expect([first.state, again.state, again.output]).toEqual(['failed', 'succeeded', ['too late', undefined]])
})

it('a cancelled run ends at once, and resumed it sets its timers anew', async () => {
  const sleeps = workflow('sleeps', async () => {
    await setTimer(minute).rang
    return 'woken'
  })
  const world = new World()
  const handle = await world.start(sleeps)
  await world.clock.settle()
  handle.request('cancel', 'ann')
  const { state, id } = await world.finish(handle)
  await world.clock.advance(100 * minute)
  const start = began(world)
  const again = await world.resume(id, sleeps)
  expect([state, again.output, world.clock.now() - start]).toEqual(['cancelled', 'woken', minute])
})
