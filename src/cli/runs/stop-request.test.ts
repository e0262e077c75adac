import { beforeEach, expect, it } from 'vitest'
import { owner } from '../../testing/contracts/journal-fixture.ts'
import { aRun } from '../../testing/journal-records.ts'
import { World, type WorldProcess } from '../../testing/world.ts'
import { requestStop } from './stop-request.ts'

let open: WorldProcess
beforeEach(async () => {
  open = new World().process
  await open.journal.create(aRun('run1', { state: 'waiting' }))
})

/** this process, which had it last */
const here = { host: '', pid: process.pid, bootId: '' }
const cancel = { kind: 'cancel', by: 'Ada', at: 7 } as const

it('stops a run that nobody has at once', async () => {
  const { journal, records } = open
  expect(await requestStop(open, 'run1', { ...cancel, kind: 'pause' })).toBe(false)
  expect(await records.run('run1')).toEqual(aRun('run1', { ...here, state: 'paused' }))
  expect(await requestStop(open, 'run1', cancel)).toBe(false)
  expect(await records.run('run1')).toEqual(aRun('run1', { ...here, state: 'cancelled', endedAt: 7 }))
  expect(await journal.claim('run1', owner)).toBeDefined()
})

it('asks the process that has the run', async () => {
  const { journal, records } = open
  await journal.claim('run1', owner)
  expect(await requestStop(open, 'run1', cancel)).toBe(true)
  expect((await journal.take('run1')).requests).toEqual([cancel])
  expect((await records.run('run1'))?.state).toBe('waiting')
})

it.each(['cancel', 'pause'] as const)(
  'leaves a run that ends while it is looked at as it ended: %s',
  async (kind) => {
    const { journal, records } = open
    const ends: typeof records = {
      ...records,
      // once it has been looked at, the process that has it ends it, and goes
      run: async (id) => {
        const found = await records.run(id)
        if (found?.state === 'waiting')
          await journal.append(id, [{ kind: 'run', state: 'succeeded', outputWire: '1', at: 5 }])
        return found
      },
    }
    const asked = requestStop({ journal, records: ends }, 'run1', { ...cancel, kind })
    await expect(asked).rejects.toMatchObject({
      code: 'ALM_RUN_ENDED',
      message: 'Run run1 has ended: succeeded.',
    })
    expect(await records.run('run1')).toEqual(
      aRun('run1', { ...here, state: 'succeeded', outputWire: '1', endedAt: 5 }),
    )
    // and gives it back
    expect(await journal.claim('run1', owner)).toBeDefined()
  },
)
