import { expect, it } from 'vitest'
import { task } from '../../flow/task.ts'
import { workflow } from '../../flow/workflow.ts'
import { World } from '../../testing/world.ts'

const double = task('double', { retries: 0 }, (n: number) => {
  if (n < 0) throw new Error('no')
  return 2 * n
})

it('what is made of a future by `then` can be awaited, whether one function is given or both', async () => {
  const thens = workflow('thens', async () => {
    const why = (error: unknown) => (error as Error).message
    return [
      await double(1).then((two) => two + 1),
      await double(2).then((four) => four + 1, why),
      await double(-1).then(() => 'none', why),
      await double(3)
        .then(() => Promise.reject(new Error('after')), why)
        .then(undefined, why),
    ]
  })
  expect((await new World().run(thens)).output).toEqual([3, 5, 'no', 'after'])
})
