import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import * as programs from './across-programs.ts'
import { cancelled } from './contract-waiting.ts'
import type { Program } from './rig.ts'
import { called, type Stage, succeeded } from './stage.ts'

/** Children in the other language, which have children in this one. */
export function acrossTests(stage: Stage): void {
  it('a workflow of the other language is a child like any other, and calls back', async () => {
    const file = writeBoth(stage, 'across', programs.across)
    const life = await stage.rig.run(file)
    expect(life).toMatchObject({
      ...succeeded({ values: [2, 14, 4], why: ['ALM_TASK_FAILED', 'no -1'], misfit: 'ALM_SCHEMA' }),
      executed: 4,
    })
    expect(called(life)).toEqual([
      'main child callee',
      'main/callee#0 task double',
      'main task double',
      'main child callee',
      'main/callee#1 child callee',
      'main/callee#1/callee#0 child callee',
      'main/callee#1/callee#0/callee#0 child callee',
      'main/callee#1/callee#0/callee#0/callee#0 task double',
      'main child callee',
      'main/callee:k child callee',
      'main/callee:k/callee#0 task double',
      'main child callee',
      'main/callee#2 task fails',
      'main child callee',
    ])
    const again = await stage.rig.run(file, { resume: life.run })
    expect(again).toMatchObject({ output: life.output, executed: 0, reused: 4 })
  })

  it('an edit of its task is found in the other language', async () => {
    const file = writeBoth(stage, 'across', programs.across)
    const life = await stage.rig.run(file)
    const other = stage.language === 'ts' ? 'py' : 'ts'
    stage.rig.write(`across.${other}`, programs.across[other].replace(/2 \* n/, '3 * n'))
    const again = await stage.rig.run(file, { resume: life.run })
    expect(again).toMatchObject({ state: 'succeeded', executed: 1, reused: 3 })
    expect((again.output as { values: unknown }).values).toEqual([3, 14, 4])
  })

  it('what the other language raises is said in its words, with its traceback', async () => {
    const other = stage.language === 'ts' ? 'py' : 'ts'
    const life = await stage.rig.run(writeBoth(stage, 'across-raises', programs.acrossRaises))
    expect(life).toMatchObject({
      state: 'failed',
      notes: ['event untrue {"code":"ALM_SCHEMA"}'],
      error: { message: 'over there', type: { ts: 'RangeError', py: 'ValueError' }[other] },
    })
    expect(life.error?.stack).toContain(`across-raises.${other}`)
  })

  waitingThereTests(stage)
  missingTests(stage)
}

function waitingThereTests(stage: Stage): void {
  it('a question of the other language leaves the run waiting, over processes', async () => {
    const file = writeBoth(stage, 'across-waiting', programs.acrossWaiting)
    const life = await stage.rig.run(file, { input: { hour: false } })
    expect(life.state).toBe('waiting')
    await stage.rig.kill()
    await stage.rig.ask({ do: 'answer', run: life.run, value: { ok: true } })
    expect(await stage.rig.run(file, { resume: life.run })).toMatchObject(succeeded([2, true]))
  })

  it('a cancellation is heard in the other language', async () => {
    const file = writeBoth(stage, 'across-waiting', programs.acrossWaiting)
    const life = await cancelled(stage, file, { hour: true })
    expect(life).toMatchObject({ state: 'cancelled', notes: ['event cleaned {"code":"ALM_CANCELLED"}'] })
  })
}

function missingTests(stage: Stage): void {
  it('a file that is gone, and a workflow that is not in it, are said when they are called or before', async () => {
    const file = writeBoth(stage, 'across', programs.across)
    const other = join(stage.rig.folder, `across.${stage.language === 'ts' ? 'py' : 'ts'}`)
    stage.rig.write(`across.${stage.language === 'ts' ? 'py' : 'ts'}`, '')
    const said = await stage.rig.run(file).then(
      ({ error }) => `${error?.code} ${error?.message}`,
      (error: unknown) => String(error),
    )
    expect(said).toMatch(/exports no workflow|ALM_NO_WORKFLOW/)
    rmSync(other)
    const gone = await stage.rig.run(file).then(
      ({ error }) => `${error?.code} ${error?.message}`,
      (error: unknown) => String(error),
    )
    expect(gone).toMatch(/could not be loaded: there is no such file/)
  })
}

function writeBoth(stage: Stage, name: string, program: Program): string {
  stage.rig.write(`${name}.ts`, program.ts)
  stage.rig.write(`${name}.py`, program.py)
  return join(stage.rig.folder, `${name}.${stage.language}`)
}
