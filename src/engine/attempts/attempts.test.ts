import { describe, expect, it } from 'vitest'
import { json } from '../../flow/schema.ts'
import { task } from '../../flow/task.ts'
import { workflow } from '../../flow/workflow.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { FileRef } from '../../model/refs.ts'
import type { DataPlane } from '../../ports/data.ts'
import { World } from '../../testing/world.ts'

const size = task('size', (file: FileRef) => file.size)
const sizes = workflow('sizes', { input: { file: json<FileRef>() } }, async ({ file }) => size(file))

/** A run of an attempt with a file for its input; `does` happens when that operation is asked for. */
async function run(when: keyof DataPlane, does: (cancel: () => void) => void) {
  const world = new World()
  const handle = await world.start(sizes, {
    file: await world.data.writeFile('a', new Uint8Array([1])),
  })
  world.data.onOperation = (operation) => {
    if (operation === when) does(() => handle.request('cancel', 'ann'))
  }
  const { state } = await world.finish(handle)
  return { state, took: world.took(), inUse: [...world.data.inUse] }
}

const fail = (): never => {
  throw new AlmanacError('ALM_STORE_FAILED', { path: 'a', why: 'the disk is odd' })
}

describe('the inputs of an attempt are no longer in use', () => {
  it('when it has ended', async () => {
    expect(await run('pinned', () => undefined)).toEqual({
      state: 'succeeded',
      took: ['size(a)'],
      inUse: [],
    })
  })

  it.each(['open', 'verify', 'workspace'] as const)(
    'when it could not begin, as what was laid out for it failed: %s',
    async (when) => {
      expect(await run(when, fail)).toEqual({ state: 'failed', took: [], inUse: [] })
    },
  )

  it('when it was given up while they were laid out', async () => {
    const given = await run('workspace', (cancel) => cancel())
    expect(given).toEqual({ state: 'cancelled', took: [], inUse: [] })
  })
})
