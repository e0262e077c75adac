import { expect, it } from 'vitest'
import { testSettings } from '../../src/executors/container/rig.ts'
import { containerTasks } from './container-programs.ts'
import { type Stage, succeeded, twice } from './stage.ts'

const { why } = testSettings

/** Programs in containers, where one can be run. */
export function containerTests(stage: Stage): void {
  if (why !== undefined)
    return it(`programs in containers are not tested here: ${why}`, () => {
      expect(process.env['ALMANAC_TEST_CONTAINERS'], why).not.toBe('1')
    })
  it('programs in containers: files and values between them, exit codes that are tried again, failures', async () => {
    const life = await twice(stage, 'containers', containerTasks)
    expect(life).toMatchObject(succeeded({ size: 5, page: 5, codes: ['ALM_TASK_EXIT', 'ALM_TASK_EXIT'] }))
    expect(life.calls.map(({ at, attempt }) => `${at} ${attempt}`)).toEqual([
      'main task write 1',
      'main task ends 2',
      'main task ends 1',
      'main task size 1',
      'main view all 0',
    ])
    expect(life.executed).toBe(2)
  })
}
