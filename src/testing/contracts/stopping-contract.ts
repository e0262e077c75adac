import { describe, expect, it } from 'vitest'
import type { AttemptEnd } from '../../ports/executor.ts'
import type { Played } from '../executors/executor-bench.ts'
import { isAlive, killAfterMs } from '../executors/executor-bench.ts'
import type { ExecutorRig } from '../executors/executor-rig.ts'
import type { ExecutorStage } from '../executors/executor-stage.ts'

/** The part of the contract that is about ends that somebody else decides: time, cancel, close. */
export function stoppingContract(stage: ExecutorStage, rig: ExecutorRig): void {
  timeTests(stage, rig)
  cancelTests(stage, rig)
  graceTests(stage, rig)
  closeTests(stage, rig)
}

const cancelled: AttemptEnd = { kind: 'cancelled' }

const code = (end: AttemptEnd): string | undefined =>
  end.kind === 'failed' || end.kind === 'lost' ? end.error.code : undefined

function timeTests(stage: ExecutorStage, rig: ExecutorRig): void {
  it('ends an attempt that takes longer than its timeout', async () => {
    const { bench } = stage
    const { end } = await bench.play({ timeoutMs: 60_000 })
    await bench.clock.advance(60_000)
    const failed = await end()
    expect(failed).toMatchObject({ kind: 'failed', reason: 'timeout', retryable: true })
    expect(code(failed)).toBe('ALM_TASK_TIMEOUT')
  })

  it('ends an attempt that is silent for longer than its heartbeat', async () => {
    const { bench } = stage
    const { end } = await bench.play({ heartbeatMs: 10_000, timeoutMs: 600_000 })
    await bench.clock.advance(11_000)
    const failed = await end()
    expect(failed).toMatchObject({ kind: 'failed', reason: 'timeout', retryable: true })
    expect(code(failed)).toBe('ALM_TASK_SILENT')
  })

  it('takes lines of the log and heartbeats as signs of life', async () => {
    const { bench } = stage
    const { id, puppet, end } = await bench.play({ heartbeatMs: 10_000 })
    await bench.clock.advance(8000)
    await puppet.tell({ do: 'log', stream: 'stdout', text: 'still here' })
    await bench.heard.until(() => bench.heard.texts(id).length === 1)
    await bench.clock.advance(8000)
    await puppet.tell({ do: 'say', line: { type: 'heartbeat' } })
    // a program's is in a file, which is read as time passes
    await bench.clock.advance(1000)
    await bench.heard.until(() => bench.heard.of(id).heartbeats === 1)
    await bench.clock.advance(8000)
    await bench.clock.settle()
    expect(bench.heard.of(id)).toMatchObject({ heartbeats: 1, end: undefined })
    await bench.clock.advance(11_000)
    expect(code(await end())).toBe('ALM_TASK_SILENT')
  })

  if (rig.traits.grace) {
    it('kills an attempt that does not heed its timeout', async () => {
      const { bench } = stage
      const { id, puppet, end } = await bench.play({ timeoutMs: 1000 })
      await puppet.tell({ do: 'stubborn' })
      await bench.clock.advance(1000)
      await puppet.askedToStop()
      await bench.clock.advance(killAfterMs - 1)
      await bench.clock.settle()
      expect(bench.heard.of(id).end).toBeUndefined()
      await bench.clock.advance(1)
      expect(code(await end())).toBe('ALM_TASK_TIMEOUT')
    })
  }

  it('leaves no timer behind when an attempt has ended', async () => {
    const { bench } = stage
    const { puppet, end } = await bench.play({ timeoutMs: 86_400_000, heartbeatMs: 3_600_000 })
    await puppet.tell({ do: 'succeed', value: 1 })
    await end()
    await bench.executor.close()
    expect(bench.clock.nextDue).toBeUndefined()
  })
}

function cancelTests(stage: ExecutorStage, rig: ExecutorRig): void {
  it('cancels an attempt that has not begun', async () => {
    const { bench } = stage
    const attempt = bench.attempt(rig.instant(1))
    bench.executor.submit([attempt])
    bench.executor.cancel(attempt.id, 1000)
    expect(await bench.heard.end(attempt.id)).toEqual(cancelled)
  })

  it('cancels an attempt under way, with its child processes', async () => {
    const { bench } = stage
    const { id, puppet, end } = await bench.play()
    if (rig.traits.processes === 'own') bench.watch(id, (await puppet.tell({ do: 'child' })).pid ?? 0)
    bench.executor.cancel(id, 60_000)
    // where the grace is for nobody to use, it may pass
    if (!rig.traits.grace) await bench.clock.advance(60_000)
    expect(await end()).toEqual(cancelled)
  })

  it('cancels at once where no grace is given', async () => {
    const { bench } = stage
    const { id, puppet, end } = await bench.play()
    await puppet.tell({ do: 'stubborn' })
    bench.executor.cancel(id, 0)
    expect(await end()).toEqual(cancelled)
  })

  it('is told to cancel many times, and of attempts that have ended or never were', async () => {
    const { bench } = stage
    const { id, end } = await bench.play()
    for (const grace of [5000, 5000, 0, 5000, 0]) bench.executor.cancel(id, grace)
    expect(await end()).toEqual(cancelled)
    bench.executor.cancel(id, 0)
    bench.executor.cancel(id, 1000)
    bench.executor.cancel('r9/9.9', 0)
    await bench.clock.advance(10_000)
    await bench.clock.settle()
    const again = await bench.play()
    await again.puppet.tell({ do: 'succeed', value: 'still working' })
    expect(await again.end()).toMatchObject({ kind: 'succeeded', values: { '': 'still working' } })
  })

  it('cancels one of two attempts and leaves the other alone', async () => {
    const { bench } = stage
    const a = await bench.play()
    const b = await bench.play()
    bench.executor.cancel(a.id, 0)
    expect(await a.end()).toEqual(cancelled)
    if (rig.traits.processes === 'shared' && bench.heard.of(b.id).end?.kind === 'lost') return
    await b.puppet.tell({ do: 'succeed', value: 2 })
    expect(await b.end()).toMatchObject({ kind: 'succeeded', values: { '': 2 } })
  })
}

function graceTests(stage: ExecutorStage, rig: ExecutorRig): void {
  const stubborn = async (): Promise<Played> => {
    const played = await stage.bench.play()
    await played.puppet.tell({ do: 'stubborn' })
    stage.bench.executor.cancel(played.id, 500)
    await played.puppet.askedToStop()
    return played
  }

  if (!rig.traits.grace) return
  describe('a task that does not stop when it is asked to', () => {
    it('has its grace, and then is ended', async () => {
      const { bench } = stage
      const { id, end } = await stubborn()
      await bench.clock.advance(499)
      await bench.clock.settle()
      expect(bench.heard.of(id).end).toBeUndefined()
      await bench.clock.advance(1)
      expect(await end()).toEqual(cancelled)
    })

    it('has less of it when it is cancelled again, never more', async () => {
      const { bench } = stage
      const { id, end } = await stubborn()
      bench.executor.cancel(id, 100_000)
      bench.executor.cancel(id, 200)
      await bench.clock.advance(199)
      await bench.clock.settle()
      expect(bench.heard.of(id).end).toBeUndefined()
      await bench.clock.advance(1)
      expect(await end()).toEqual(cancelled)
    })

    it('may still say something and clean up, and is cancelled all the same', async () => {
      const { bench } = stage
      const { id, puppet, end } = await stubborn()
      await puppet.tell({ do: 'log', stream: 'stdout', text: 'cleaning up' })
      await puppet.tell({ do: 'succeed', value: 'too late' })
      expect(await end()).toEqual(cancelled)
      expect(bench.heard.texts(id, 'stdout')).toEqual(['cleaning up'])
    })

    it('is cancelled where it was cancelled while its timeout ran out', async () => {
      const { bench } = stage
      const { id, puppet, end } = await bench.play({ timeoutMs: 1000 })
      await puppet.tell({ do: 'stubborn' })
      await bench.clock.advance(1000)
      await puppet.askedToStop()
      bench.executor.cancel(id, 0)
      expect(await end()).toEqual(cancelled)
    })
  })
}

function closeTests(stage: ExecutorStage, rig: ExecutorRig): void {
  it('ends what is under way and what has not begun when it is closed', async () => {
    const { bench } = stage
    const a = await bench.play()
    const b = await bench.play()
    await b.puppet.tell({ do: 'stubborn' })
    if (rig.traits.processes === 'own') bench.watch(b.id, (await b.puppet.tell({ do: 'child' })).pid ?? 0)
    const c = bench.attempt(rig.instant(3))
    bench.executor.submit([c])
    await Promise.all([bench.executor.close(), bench.executor.close()])
    expect([a.id, b.id, c.id].map((id) => bench.heard.of(id).end)).toEqual([cancelled, cancelled, cancelled])
    if (rig.traits.processes !== 'none')
      expect([a, b].filter(({ puppet }) => isAlive(puppet.pid))).toEqual([])
  })

  it('tells of an attempt that comes after the close as lost', async () => {
    const { bench } = stage
    await bench.executor.close()
    const attempt = bench.attempt(rig.instant(1))
    bench.executor.submit([attempt])
    expect(await bench.heard.end(attempt.id)).toMatchObject({
      kind: 'lost',
      error: { code: 'ALM_WORKER_LOST' },
    })
  })
}
