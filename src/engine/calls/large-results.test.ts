import { expect, it } from 'vitest'
import { task } from '../../flow/task.ts'
import { workflow } from '../../flow/workflow.ts'
import { World } from '../../testing/world.ts'

it('refuses a result that is too large to be kept as a value, and says where it belongs', async () => {
  const large = task('large', () => 'x'.repeat(65 * 2 ** 20))
  const { state, error } = await new World().run(workflow('w', async () => large()))
  expect({ state, code: error?.code }).toEqual({ state: 'failed', code: 'ALM_RESULT_REFUSED' })
  expect(error?.message).toContain(
    'it is 66 MiB as JSON, and 64 MiB may be kept as a value: leave it in a file output',
  )
})
