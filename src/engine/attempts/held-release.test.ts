import { expect, it } from 'vitest'
import { task } from '../../flow/task.ts'
import { workflow } from '../../flow/workflow.ts'
import { HeldRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import type { Attempt } from '../../ports/executor.ts'
import { World } from '../../testing/world.ts'

const make = task('make', (name: string, ..._of: unknown[]) => name)

/** `total` takes `made`, which is made of `source`; beside that `other` is taken by `its user`. */
const flow = workflow('flow', async () => {
  const made = make('made', make('source'))
  const total = make('total', made, make('gate'))
  const user = make('user', make('other'))
  await user
  return total
})

const handles: Readonly<Record<string, number>> = { source: 1, other: 2, made: 3, 'made again': 4 }

/** A run whose attempts end by name, with a value that is held where it has a handle. */
class Steps {
  readonly world = new World()

  get executor() {
    return this.world.process.executor
  }

  /** Ends the attempt that is under way of this name. */
  async end(name: string, as = name): Promise<void> {
    await this.world.clock.settle()
    const attempt = [...this.executor.open.values()].find((one) => nameOf(one) === name)
    if (attempt === undefined) throw new Error(`${name} is not under way`)
    const handle = handles[as]
    const value: Value =
      handle === undefined ? as : new HeldRef(attempt.key, [], 'Array', 8, this.executor.name, handle)
    this.executor.end(attempt.id, { kind: 'succeeded', values: { '': value } })
    await this.world.clock.settle()
  }
}

const nameOf = ({ inputs }: Attempt): string => String((inputs['args'] as readonly Value[])[0])

it('lets go of nothing that a result is being made again of, and of all in the end', async () => {
  const steps = new Steps()
  const { world, executor } = steps
  world.settings = { ...world.settings, sparedCalls: 1 }
  const run = await world.start(flow)
  for (const name of ['source', 'other', 'made']) await steps.end(name)
  executor.lose([3])
  await steps.end('gate')
  // `source` was spared till now: `other` takes its place
  await steps.end('user')
  expect(executor.released).toEqual([])
  await steps.end('made', 'made again')
  expect(executor.released).toEqual([2])
  await steps.end('total')
  expect(await world.finish(run)).toMatchObject({ state: 'succeeded', output: 'total' })
  expect(executor.released).toEqual([2, 1, 4])
})
