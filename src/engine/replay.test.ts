import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { run } from '../flow/run.ts'
import { task } from '../flow/task.ts'
import { workflow } from '../flow/workflow.ts'
import { World } from '../testing/world.ts'

describe('a run', () => {
  const double = task('double', (n: number) => 2 * n)
  const add = task('add', (a: number, b: number) => a + b)
  const sums = workflow('sums', async () => add(double(1), double(2)))

  it('executes each call once and gives the value', async () => {
    const world = new World()
    const result = await world.run(sums)
    expect({ state: result.state, output: result.output, executed: result.executed }).toEqual({
      state: 'succeeded',
      output: 6,
      executed: 3,
    })
    expect(world.took()).toEqual(['double(1)', 'double(2)', 'add(2, 4)'])
  })

  it('executes nothing again when it is resumed after its end', async () => {
    const world = new World()
    const first = await world.run(sums)
    world.took()
    await world.crash()
    const second = await world.resume(first.id, sums)
    expect({
      state: second.state,
      output: second.output,
      executed: second.executed,
      reused: second.reused,
    }).toEqual({ state: 'succeeded', output: 6, executed: 0, reused: 3 })
    expect(world.took()).toEqual([])
  })

  it('executes only the rest after a crash', async () => {
    const world = new World()
    const handle = await world.start(sums)
    await world.crashAfter(handle, 2)
    expect(world.took()).toEqual(['double(1)', 'double(2)'])
    const second = await world.resume(handle.id, sums)
    expect(second.output).toBe(6)
    expect(world.took()).toEqual(['add(2, 4)'])
  })
})

it('tells of a failure in the life in which it came, and not where it is remembered', async () => {
  const fail = task('fail', (): number => {
    throw new Error('broken')
  })
  const caught = workflow('caught', async () => {
    await fail().then(undefined, () => undefined)
    return run.ask({ go: z.boolean() }, { title: 'Go on?' })
  })
  const told: string[] = []
  const listener = { failed: ({ id }: { readonly id: number }) => void told.push(`call ${id}`) }
  const world = new World()
  const first = await world.run(caught, undefined, { listener })
  const again = await world.resume(first.id, caught, { listener })
  expect([first.state, again.state, told]).toEqual(['waiting', 'waiting', ['call 0']])
})

it('counts as executed what was executed, and not what only follows another order than before', async () => {
  const give = task('give', { cache: false }, () => 1)
  const double = task('double', (n: number) => 2 * n)
  const both = workflow('both', async () => double(give()))
  const world = new World()
  const first = await world.run(both)
  expect(first).toMatchObject({ executed: 2, reused: 0 })
  world.took()
  const again = await world.resume(first.id, both, { calls: [0] })
  expect({ did: world.took(), executed: again.executed, reused: again.reused }).toEqual({
    did: ['give()'],
    executed: 1,
    reused: 1,
  })
})
