import { expect, it } from 'vitest'
import { z } from 'zod'
import { task } from '../flow/task.ts'
import { workflow } from '../flow/workflow.ts'
import { World } from '../testing/world.ts'

const measure = task('measure', (n: number): { readonly mean: number; readonly mode?: number } => ({
  mean: n,
}))
const child = workflow('child', { input: z.number() }, async (n) => n)

it('a child that is given a field which is not there fails, and the run of it, each time that it is executed', async () => {
  const world = new World()
  const wrong = workflow('wrong', async () => child(measure(1).mode as never))
  const first = await world.run(wrong)
  const again = await world.resume(first.id, wrong)
  for (const { state, error } of [first, again])
    expect({ state, ...error }).toMatchObject({
      state: 'failed',
      code: 'ALM_FIELD_MISSING',
      message: 'The result of measure has no mode: it has mean.',
      file: import.meta.filename,
      line: 14,
    })
  const corrected = workflow('wrong', async () => child(measure(1).mean))
  expect(await world.resume(first.id, corrected)).toMatchObject({ state: 'succeeded', output: 1 })
})

it('who awaits such a child catches its failure, and goes on', async () => {
  const careful = workflow('careful', async () => {
    try {
      return await child(measure(1).mode as never)
    } catch (error) {
      return (error as { readonly code: string }).code
    }
  })
  expect(await new World().run(careful)).toMatchObject({ state: 'succeeded', output: 'ALM_FIELD_MISSING' })
})
