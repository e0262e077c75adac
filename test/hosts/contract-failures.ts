import { expect, it } from 'vitest'
import * as programs from './failure-programs.ts'
import { type Stage, succeeded, twice } from './stage.ts'

/** Failures: caught, uncaught, unheard, raised, tried again; and what is refused. */
export function failureTests(stage: Stage): void {
  it('a failure is an exception of the language with the task’s own message; some may fail where that is said', async () => {
    const life = await twice(stage, 'caught', programs.caught)
    const message = 'ALM_TASK_FAILED: no 3'
    const output = { ended: ['inner'], message, how: [true, false], many: [true, true], after: 4 }
    expect(life).toMatchObject(succeeded(output))
  })

  it('a failure that nobody waits for fails the run all the same', async () => {
    const life = await stage.rig.run(stage.write('unheard', programs.unheard))
    expect(life).toMatchObject({ state: 'failed', error: { code: 'ALM_TASK_FAILED', message: 'no 1' } })
  })

  if (stage.style === 'async') strayTests(stage)

  it('what the function raises itself is the run’s failure, in its own words and lines', async () => {
    const life = await stage.rig.run(stage.write('raises', programs.raises))
    expect(life).toMatchObject({
      state: 'failed',
      executed: 1,
      error: { code: 'ALM_WORKFLOW_FAILED', message: 'not this way', type: 'TypeError' },
    })
    expect(life.error?.stack).toContain(`raises.${stage.language}`)
  })

  it('what fails is tried again as the task says', async () => {
    const life = await twice(stage, 'retried', programs.retried)
    expect(life).toMatchObject(succeeded(13))
    expect(life.calls).toEqual([{ at: 'main task flaky', how: 'executed', attempt: 3 }])
  })

  it.each(programs.refusals)('%s is refused: %s', async (name, code, program) => {
    const life = await stage.rig.run(stage.write(name.replaceAll(' ', '-'), program))
    expect(life).toMatchObject({ state: 'failed', error: { code } })
  })

  resumeTests(stage)
}

/** Async functions that nobody awaits. */
function strayTests(stage: Stage): void {
  it('a failure that only an async function waits for which nobody awaits fails the run', async () => {
    const file = stage.write('forgotten', programs.forgotten)
    const life = await stage.rig.run(file)
    expect(life).toMatchObject({ state: 'failed', error: { code: 'ALM_TASK_FAILED', message: 'no 4' } })
    expect(await stage.rig.run(file, { resume: life.run })).toMatchObject({
      state: 'failed',
      error: { code: 'ALM_TASK_FAILED', message: 'no 4' },
    })
  })

  it('what an async function raises that nobody awaits fails the run, in its own words and lines', async () => {
    const life = await stage.rig.run(stage.write('strays', programs.strays))
    expect(life).toMatchObject({
      state: 'failed',
      error: { code: 'ALM_WORKFLOW_FAILED', message: 'astray', type: 'TypeError' },
    })
    expect(life.error?.stack).toContain(`strays.${stage.language}`)
  })

  it('of several that are awaited together the failures after the first are dropped, whenever they come', async () => {
    const life = await stage.rig.run(stage.write('together', programs.together))
    expect(life).toMatchObject(succeeded('caught'))
  })
}

function resumeTests(stage: Stage): void {
  it('a failure that nobody catches is the run’s; resumed, what failed is executed again', async () => {
    const file = stage.write('uncaught', programs.uncaught)
    const first = await stage.rig.run(file)
    expect(first).toMatchObject({ state: 'failed', executed: 1 })
    expect(first.error).toMatchObject({
      code: 'ALM_TASK_FAILED',
      message: 'no 2',
      type: { ts: 'RangeError', py: 'ValueError' }[stage.language],
    })
    const text = programs.uncaught[stage.language].replace(
      /throw new RangeError.*?\)|raise ValueError.*?\)$/m,
      'return n',
    )
    stage.rig.write(`uncaught.${stage.language}`, text)
    expect(await stage.rig.run(file, { resume: first.run })).toMatchObject({
      state: 'succeeded',
      executed: 1,
      reused: 1,
    })
  })

  it('what is raised because a call failed: resumed, that call is executed again', async () => {
    const file = stage.write('wrapped', programs.wrapped)
    const life = await stage.rig.run(file)
    expect(life).toMatchObject({ state: 'failed', error: { message: 'in other words', type: 'TypeError' } })
    const text = programs.wrapped[stage.language].replace(
      /throw new RangeError.*?\)|raise ValueError.*?\)$/m,
      'return n',
    )
    stage.rig.write(`wrapped.${stage.language}`, text)
    expect(await stage.rig.run(file, { resume: life.run })).toMatchObject({ state: 'succeeded', executed: 1 })
  })
}
