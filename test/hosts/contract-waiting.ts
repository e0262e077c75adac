import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import type { Value } from '../../src/model/value.ts'
import type { Life } from './rig.ts'
import { type Stage, succeeded } from './stage.ts'
import * as programs from './waiting-programs.ts'

const callbackUrl = /^http:\/\/127\.0\.0\.1:8787\/callbacks\/[\w-]{43}$/
const unclosed = fileURLToPath(new URL('unclosed.ts', import.meta.url))

/** Questions, cancellation, and a process that is killed. */
export function waitingTests(stage: Stage): void {
  it('a question leaves it waiting; answered and resumed it goes on', async () => {
    const file = stage.write('asking', programs.asking)
    const first = await stage.rig.run(file)
    expect(first).toMatchObject({ state: 'waiting', executed: 1 })
    await stage.rig.ask({ do: 'answer', run: first.run, value: { ok: true, why: 'seen' } })
    const again = await stage.rig.run(file, { resume: first.run })
    expect(again).toMatchObject({ ...succeeded([8, true, 'seen', 16]), executed: 1, reused: 1 })
  })

  it('a program of which all runs rest ends by itself', () => {
    const file = stage.write('receiving', programs.receiving)
    const ended = spawnSync(process.execPath, [unclosed, stage.rig.folder, file], {
      encoding: 'utf8',
      timeout: 60_000,
    })
    expect(ended).toMatchObject({ status: 0, stdout: 'waiting', stderr: '' })
  })

  it('a message is received once, whether it came before or after, by a run that rests meanwhile', async () => {
    const file = stage.write('receiving', programs.receiving)
    const first = await stage.rig.run(file)
    expect(first).toMatchObject({ state: 'waiting', executed: 0 })
    const send = (value: Value) => stage.rig.ask({ do: 'send', run: first.run, name: 'steer', value })
    await send({ n: 1, last: false })
    expect(await stage.rig.run(file, { resume: first.run })).toMatchObject({ state: 'waiting', executed: 1 })
    await send({ n: 'no number', last: false })
    await send({ n: 2, last: false })
    await send({ n: 3, last: true })
    const again = await stage.rig.run(file, { resume: first.run })
    expect(again).toMatchObject({ ...succeeded([2, 4, 6]), executed: 2, reused: 1 })
    expect(await stage.rig.ask({ do: 'messages', run: first.run })).toEqual([
      ['in', 'steer', { n: 1, last: false }, 0],
      ['in', 'steer', { n: 'no number', last: false }, 'ALM_SCHEMA'],
      ['in', 'steer', { n: 2, last: false }, 2],
      ['in', 'steer', { n: 3, last: true }, 4],
    ])
  })

  it('what it sends to another run is received there, once', async () => {
    const receiving = stage.write('receiving', programs.receiving)
    const { run } = await stage.rig.run(receiving)
    const file = stage.write('sending-to', programs.sendingTo)
    const life = await stage.rig.run(file, { input: { to: run } })
    expect(life).toMatchObject(succeeded('told'))
    expect(await stage.rig.run(file, { resume: life.run })).toMatchObject({
      ...succeeded('told'),
      executed: 0,
    })
    expect(await stage.rig.run(receiving, { resume: run })).toMatchObject(succeeded([8, 10]))
    expect(await stage.rig.ask({ do: 'messages', run })).toEqual([
      ['in', 'steer', { n: 4, last: false }, 0],
      ['in', 'steer', { n: 5, last: true }, 2],
    ])
  })

  it('the URL of a callback is the same in each life; what does not fit leaves it open, what fits is given once', async () => {
    const file = stage.write('called-back', programs.calledBack)
    const first = await stage.rig.run(file)
    expect(first).toMatchObject({ state: 'waiting', executed: 1 })
    const open = await stage.rig.ask<object[]>({ do: 'open', run: first.run })
    await stage.rig.ask({ do: 'answer', run: first.run, value: { state: 'misfit' } })
    await stage.rig.kill()
    expect(await stage.rig.run(file, { resume: first.run })).toMatchObject({ state: 'waiting', executed: 0 })
    // each language in its own terms
    const misfit = expect.stringMatching(
      /^the job \(What was posted does not fit its schema: state: (Invalid input: expected "done"|'misfit' is not 'done')\.\)$/,
    )
    expect(await stage.rig.ask({ do: 'open', run: first.run })).toEqual([{ ...open[0], title: misfit }])
    await stage.rig.ask({ do: 'answer', run: first.run, value: { state: 'done' } })
    const again = await stage.rig.run(file, { resume: first.run })
    expect(again).toMatchObject({
      ...succeeded({ url: expect.stringMatching(callbackUrl), isSame: true, state: 'done' }),
      executed: 0,
      reused: 1,
    })
    const { url } = again.output as { url: string }
    const token = createHash('sha256').update(url.slice(-43)).digest('hex')
    expect(open).toEqual([{ of: 'callback', title: 'the job', token }])
    expect(await stage.rig.ask({ do: 'open', run: first.run })).toEqual([])
  })

  it('messages that it sends are there once, in their order, also when it goes on', async () => {
    const file = stage.write('sending', programs.sending)
    const { run, ...life } = await stage.rig.run(file)
    expect(life).toMatchObject({ ...succeeded('told'), executed: 2 })
    await stage.rig.run(file, { resume: run })
    expect(await stage.rig.ask({ do: 'messages', run })).toEqual([
      ['out', 'found', { n: 2, of: 1 }, 1],
      ['out', 'found', { n: 4, of: 2 }, 3],
      ['out', 'done', null, 4],
    ])
  })

  it('runs that it triggers are runs of their own, made once, and nothing of how they end comes back', async () => {
    const file = stage.write('triggering', programs.triggering)
    const { run, ...life } = await stage.rig.run(file)
    expect(life).toMatchObject(succeeded(['other', 'first', null, 'ALM_SCHEMA']))
    const triggered = [
      { workflow: 'other', state: 'failed', input: { n: 11 }, tags: ['a'], error: 'too much' },
      { workflow: 'other', state: 'succeeded', input: { n: 8 }, name: 'first', tags: [], output: 16 },
    ]
    expect(await stage.rig.ask({ do: 'triggered', run })).toEqual(triggered)
    const again = await stage.rig.run(file, { resume: run })
    expect(again).toMatchObject({ ...succeeded(['other', 'first', null, 'ALM_SCHEMA']), executed: 0 })
    expect(await stage.rig.ask({ do: 'triggered', run })).toEqual(triggered)
  })

  it('what calls itself without end fails at the line that does', async () => {
    const { state, error } = await stage.rig.run(stage.write('endless', programs.endless))
    expect([state, error?.code, error?.message]).toEqual([
      'failed',
      'ALM_DEPTH',
      'again would be 101 deep, and the limit is 100.',
    ])
  })

  it('a failure that a person is to judge leaves it waiting; corrected and retried it goes on', async () => {
    const file = stage.write('judged', programs.judged)
    const first = await stage.rig.run(file)
    expect(first).toMatchObject({ state: 'waiting', executed: 1 })
    stage.rig.write(`judged.${stage.language}`, programs.judged[stage.language].replace('n > 0', 'n > 9'))
    await stage.rig.ask({ do: 'answer', run: first.run, value: { verdict: 'retry' } })
    const again = await stage.rig.run(file, { resume: first.run })
    expect(again).toMatchObject({ ...succeeded([8, 8]), executed: 1, reused: 1 })
    const stopped = await stage.rig.run(stage.write('stopped', programs.judged))
    await stage.rig.ask({ do: 'answer', run: stopped.run, value: { verdict: 'stop' } })
    expect(
      await stage.rig.run(stage.write('stopped', programs.judged), { resume: stopped.run }),
    ).toMatchObject({
      state: 'failed',
      error: { code: 'ALM_TASK_FAILED', message: 'no 8' },
    })
  })

  it('cancelled it hears of it where it waits, and resumed it goes on from there', async () => {
    const file = stage.write('waiting', programs.waiting)
    const life = await cancelled(stage, file)
    expect(life).toMatchObject({
      state: 'cancelled',
      executed: 1,
      notes: ['event cleaned {"code":"ALM_CANCELLED"}'],
    })
    const shorter = programs.waiting[stage.language].replace('1h', '1ms')
    stage.rig.write(`waiting.${stage.language}`, shorter)
    expect(await stage.rig.run(file, { resume: life.run })).toMatchObject({ ...succeeded(2), executed: 0 })
  })

  it('killed, it goes on with what was recorded', async () => {
    const file = stage.write('long', programs.long)
    const gate = join(stage.rig.folder, 'gate')
    const lost = stage.rig.run(file, { input: { gate } }).catch((error: unknown) => String(error))
    await expect
      .poll(() => stage.rig.ask<number>({ do: 'recorded', file }), { interval: 5, timeout: 120_000 })
      .toBeGreaterThan(20)
    await stage.rig.kill()
    expect(await lost).toContain('the process ended')
    const [run] = await stage.rig.ask<string[]>({ do: 'runs', file })
    if (run === undefined) throw new Error('no run was recorded')
    writeFileSync(gate, '')
    const life = await stage.rig.run(file, { resume: run })
    rmSync(gate)
    expect(life).toMatchObject(succeeded(800))
    expect(life.executed + life.reused).toBe(401)
    expect(life.reused).toBeGreaterThan(0)
  })
}

/** Runs it until it waits, and cancels it. */
export async function cancelled(stage: Stage, file: string, input?: object): Promise<Life> {
  const ending = stage.rig.run(file, input === undefined ? {} : { input })
  const waits = (): Promise<boolean> => stage.rig.ask<boolean>({ do: 'waits', file })
  await expect.poll(waits, { interval: 5, timeout: 120_000 }).toBe(true)
  await stage.rig.ask({ do: 'cancel', file })
  return ending
}
