import { expect, it } from 'vitest'
import { task } from '../flow/task.ts'
import { workflow } from '../flow/workflow.ts'
import { World } from '../testing/world.ts'

const leaf = task('leaf', (n: number) => n)
const add = task('add', (a: number, b: number) => a + b)

/** Makes leaves and their sum without a pause, and notes how many attempts were submitted by each of its calls. */
async function submittedIn(world: World): Promise<readonly number[]> {
  const submitted: number[] = []
  const sums = workflow('sums', async () => {
    const note = <T>(made: T): T => {
      submitted.push(world.process.executor.submitted.length)
      return made
    }
    let sum = note(leaf(0))
    for (let n = 1; n < 20; n++) sum = note(add(sum, note(leaf(n))))
    return await sum
  })
  const { output } = await world.run(sums)
  expect(output).toBe(190)
  return submitted
}

it('lets calls start while the function that made them makes others, where their code is known', async () => {
  const submitted = await submittedIn(new World(1, { isCodeKnown: true }))
  // of every eight calls four are leaves, and there are sixteen places
  const expected = Array.from({ length: 39 }, (_, i) => Math.min(16, ((i + 1) >> 3) * 4 + (i < 7 ? 0 : 1)))
  expect(submitted).toEqual(expected)
})

it('starts nothing before the function comes to rest, where code is to be looked up', async () => {
  expect(await submittedIn(new World())).toEqual(new Array(39).fill(0))
})
