import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as programs from './programs.ts'
import { type Language, type Life, type Program, WorkflowRig } from './rig.ts'

/**
 * Registers the tests that every host of workflow functions passes: the same programs, in the host's language, have the
 * same calls, the same outcomes and the same answers to edits, failures and interruptions.
 */
export function workflowHostContract(language: Language): void {
  describe(`${language}: the contract of hosts of workflow functions`, () => {
    const stage = openStage(language)
    callTests(stage)
    editTests(stage)
    failureTests(stage)
    waitingTests(stage)
    acrossTests(stage)
  })
}

interface Stage {
  readonly rig: WorkflowRig
  readonly language: Language
  /** Writes a program, and gives its file. */
  write(name: string, program: Program): string
}

function openStage(language: Language): Stage {
  let rig: WorkflowRig | undefined
  beforeAll(() => {
    rig = new WorkflowRig()
  })
  afterAll(() => rig?.close())
  const there = (): WorkflowRig => rig as WorkflowRig
  return {
    get rig() {
      return there()
    },
    language,
    write: (name, program) => there().write(`${name}.${language}`, program[language]),
  }
}

const called = (life: Life): string[] => life.calls.map(({ at }) => at)
const succeeded = (output: unknown): object => ({ state: 'succeeded', output })

/** Runs a program to its end, and resumes it: nothing is executed and the same comes of it. */
async function twice(stage: Stage, name: string, program: Program, input?: object): Promise<Life> {
  const file = stage.write(name, program)
  const first = await stage.rig.run(file, input === undefined ? {} : { input })
  const again = await stage.rig.run(file, { resume: first.run })
  expect({ ...again, executed: 0 }).toEqual({
    ...first,
    executed: 0,
    reused: first.executed + first.reused,
  })
  expect(again.executed).toBe(0)
  return first
}

function callTests(stage: Stage): void {
  it('equal calls are apart by their order, or by keys; what holds futures is known when it is needed', async () => {
    const life = await twice(stage, 'equal', programs.equalCalls)
    expect(life).toMatchObject(
      succeeded({ twice: [2, 2], keyed: [2, 2], nested: { of: [4, { deep: 6 }] } }),
    )
    expect(called(life)).toEqual([...Array<string>(6).fill('main task double'), ...Array<string>(2).fill('main view all')])
    expect(life.executed).toBe(6)
  })

  it('what arrives first does so again', async () => {
    const life = await twice(stage, 'arrivals', programs.arrivals)
    expect(life).toMatchObject(succeeded({ order: expect.any(Array), values: [16, 2, 4] }))
    expect(life.executed).toBe(7)
  })

  it('maps: of functions with steps, of tasks over lists that are known and over those that are not', async () => {
    const first = await twice(stage, 'mapped', programs.mapped, { items: [1, 2] })
    expect(first).toMatchObject(succeeded({ branches: [4, 8], calls: [2, 4], later: [4, 6] }))
    const more = await stage.rig.run(join(stage.rig.folder, `mapped.${stage.language}`), {
      input: { items: [2, 3] },
    })
    expect(more).toMatchObject(succeeded({ branches: [8, 12], calls: [4, 6], later: [6, 8] }))
    console.log(stage.language, 'mapped', JSON.stringify(called(first)))
  })

  it('children and stages: their calls are their own, their failures their callers’', async () => {
    const life = await twice(stage, 'children', programs.children)
    const why = 'below -1'
    expect(life).toMatchObject(succeeded({ values: [6, 6], staged: 2, why, misfit: 'ALM_SCHEMA' }))
    console.log(stage.language, 'children', JSON.stringify(called(life)))
  })

  it('time and chance are remembered, and what was said is said once', async () => {
    const life = await twice(stage, 'remembered', programs.remembered)
    expect(life.state).toBe('succeeded')
    expect(life.notes).toEqual(['event begun {"n":1}', 'metric figure {"value":0.5,"step":2}'])
    expect(called(life)).toEqual(['main now now', 'main random random', 'main sleep sleep'])
  })

  it('documents: read, written, merged, and declared by tasks', async () => {
    const life = await twice(stage, 'documents', programs.documents)
    expect(life).toMatchObject(
      succeeded({
        before: { value: { gain: 1, flags: [] }, version: 0 },
        first: 2,
        put: { value: { gain: 3, flags: ['A'] }, version: 1 },
        patched: { value: { gain: 5, flags: ['A'] }, version: 2 },
        second: 10,
        version: 2,
      }),
    )
    console.log(stage.language, 'documents', JSON.stringify(called(life)))
  })
}

function editTests(stage: Stage): void {
  it.each(Object.entries(programs.edits))('edited: %s', async (name, edit) => {
    const file = `edit-${Object.keys(programs.edits).indexOf(name)}`
    const before = programs.edited
    const first = await stage.rig.run(stage.write(file, before))
    expect(first).toMatchObject({ ...succeeded(22), executed: 4 })
    const [from, to] = edit[stage.language]
    const text = before[stage.language].replace(from, to)
    expect(text).not.toBe(before[stage.language])
    const path = stage.rig.write(`${file}.${stage.language}`, text)
    const again = await stage.rig.run(path, { resume: first.run })
    expect(again).toMatchObject({ ...succeeded(edit.output), executed: edit.again.length })
    // another run takes the same from the cache
    expect(await stage.rig.run(path)).toMatchObject(succeeded(edit.output))
  })
}

function failureTests(stage: Stage): void {
  it('a failure is an exception of the language with the task’s own message; some may fail where that is said', async () => {
    const life = await twice(stage, 'caught', programs.caught)
    const message = 'ALM_TASK_FAILED: no 3'
    const output = { ended: ['inner'], message, how: [true, false], many: [true, true], after: 4 }
    expect(life).toMatchObject(succeeded(output))
  })

  it('a failure that nobody catches is the run’s; resumed, what failed is executed again', async () => {
    const file = stage.write('uncaught', programs.uncaught)
    const first = await stage.rig.run(file)
    expect(first).toMatchObject({ state: 'failed', executed: 1 })
    expect(first.error).toMatchObject({
      code: 'ALM_TASK_FAILED',
      message: 'no 2',
      type: { ts: 'RangeError', py: 'ValueError' }[stage.language],
    })
    const text = programs.uncaught[stage.language]
      .replace(/throw new RangeError.*?\)|raise ValueError.*?\)$/m, 'return n')
    stage.rig.write(`uncaught.${stage.language}`, text)
    expect(await stage.rig.run(file, { resume: first.run })).toMatchObject({
      state: 'succeeded',
      executed: 1,
      reused: 1,
    })
  })

  it('a failure that nobody waits for fails the run all the same', async () => {
    const life = await stage.rig.run(stage.write('unheard', programs.unheard))
    expect(life).toMatchObject({ state: 'failed', error: { code: 'ALM_TASK_FAILED', message: 'no 1' } })
  })

  it('what the function raises itself is the run’s failure, in its own words and lines', async () => {
    const life = await stage.rig.run(stage.write('raises', programs.raises))
    expect(life).toMatchObject({
      state: 'failed',
      executed: 1,
      error: { code: 'ALM_WORKFLOW_FAILED', message: 'not this way', type: 'TypeError' },
    })
    expect(life.error?.stack).toContain(`raises.${stage.language}`)
  })

  it('what is raised because a call failed: resumed, that call is executed again', async () => {
    const file = stage.write('wrapped', programs.wrapped)
    const life = await stage.rig.run(file)
    expect(life).toMatchObject({ state: 'failed', error: { message: 'in other words', type: 'TypeError' } })
    const text = programs.wrapped[stage.language]
      .replace(/throw new RangeError.*?\)|raise ValueError.*?\)$/m, 'return n')
    stage.rig.write(`wrapped.${stage.language}`, text)
    expect(await stage.rig.run(file, { resume: life.run })).toMatchObject({ state: 'succeeded', executed: 1 })
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
}

function waitingTests(stage: Stage): void {
  it('a question leaves it waiting; answered and resumed it goes on', async () => {
    const file = stage.write('asking', programs.asking)
    const first = await stage.rig.run(file)
    expect(first).toMatchObject({ state: 'waiting', executed: 1 })
    await stage.rig.ask({ do: 'answer', run: first.run, value: { ok: true, why: 'seen' } })
    const again = await stage.rig.run(file, { resume: first.run })
    expect(again).toMatchObject({ ...succeeded([8, true, 'seen', 16]), executed: 1, reused: 1 })
  })

  it('cancelled it hears of it where it waits, and resumed it goes on from there', async () => {
    const file = stage.write('waiting', programs.waiting)
    const life = await cancelled(stage, file)
    expect(life).toMatchObject({ state: 'cancelled', executed: 1, notes: ['event cleaned {"code":"ALM_CANCELLED"}'] })
    const shorter = programs.waiting[stage.language].replace('1h', '1ms')
    stage.rig.write(`waiting.${stage.language}`, shorter)
    expect(await stage.rig.run(file, { resume: life.run })).toMatchObject({ ...succeeded(2), executed: 0 })
  })

  it('killed, it goes on with what was recorded', async () => {
    const file = stage.write('long', programs.long)
    const lost = stage.rig.run(file).catch((error: unknown) => String(error))
    await expect.poll(() => stage.rig.ask<number>({ do: 'recorded', file }), { interval: 5, timeout: 20_000 }).toBeGreaterThan(20)
    await stage.rig.kill()
    expect(await lost).toContain('the process ended')
    const [run] = await stage.rig.ask<string[]>({ do: 'runs', file })
    const life = await stage.rig.run(file, { resume: run as string })
    expect(life).toMatchObject(succeeded(800))
    expect(life.executed + life.reused).toBe(400)
    expect(life.reused).toBeGreaterThan(0)
  })
}

/** Runs it until it waits, and cancels it. */
async function cancelled(stage: Stage, file: string, input?: object): Promise<Life> {
  const ending = stage.rig.run(file, input === undefined ? {} : { input })
  const waits = (): Promise<boolean> => stage.rig.ask<boolean>({ do: 'waits', file })
  await expect.poll(waits, { interval: 5, timeout: 20_000 }).toBe(true)
  await stage.rig.ask({ do: 'cancel', file })
  return ending
}

function acrossTests(stage: Stage): void {
  const writeBoth = (name: string, program: Program): string => {
    stage.rig.write(`${name}.ts`, program.ts)
    stage.rig.write(`${name}.py`, program.py)
    return join(stage.rig.folder, `${name}.${stage.language}`)
  }

  it('a workflow of the other language is a child like any other, and calls back', async () => {
    const file = writeBoth('across', programs.across)
    const life = await stage.rig.run(file)
    expect(life).toMatchObject({
      ...succeeded({ values: [2, 14, 4], why: ['ALM_TASK_FAILED', 'no -1'], misfit: 'ALM_SCHEMA' }),
      executed: 4,
    })
    console.log(stage.language, 'across', JSON.stringify(called(life)))
    const again = await stage.rig.run(file, { resume: life.run })
    expect(again).toMatchObject({ output: life.output, executed: 0, reused: 4 })
  })

  it('an edit of its task is found in the other language', async () => {
    const file = writeBoth('across', programs.across)
    const life = await stage.rig.run(file)
    const other = stage.language === 'ts' ? 'py' : 'ts'
    stage.rig.write(`across.${other}`, programs.across[other].replace(/2 \* n/, '3 * n'))
    const again = await stage.rig.run(file, { resume: life.run })
    expect(again).toMatchObject({ state: 'succeeded', executed: 1, reused: 3 })
    expect((again.output as { values: unknown }).values).toEqual([3, 14, 4])
  })

  it('a question of the other language leaves the run waiting, over processes', async () => {
    const file = writeBoth('across-waiting', programs.acrossWaiting)
    const life = await stage.rig.run(file, { input: { hour: false } })
    expect(life.state).toBe('waiting')
    await stage.rig.kill()
    await stage.rig.ask({ do: 'answer', run: life.run, value: { ok: true } })
    expect(await stage.rig.run(file, { resume: life.run })).toMatchObject(succeeded([2, true]))
  })

  it('a cancellation is heard in the other language', async () => {
    const file = writeBoth('across-waiting', programs.acrossWaiting)
    const life = await cancelled(stage, file, { hour: true })
    expect(life).toMatchObject({ state: 'cancelled', notes: ['event cleaned {"code":"ALM_CANCELLED"}'] })
  })

  it('a file that is gone, and a workflow that is not in it, are said when they are called or before', async () => {
    const file = writeBoth('across', programs.across)
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
