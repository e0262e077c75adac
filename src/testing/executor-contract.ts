import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AttemptEnd } from '../ports/executor.ts'
import type { Played } from './executor-bench.ts'
import { ExecutorBench, isAlive, killAfterMs } from './executor-bench.ts'
import type { HostedWork } from './executor-host.ts'
import type { ExecutorRig } from './executor-rig.ts'

/** A test's executor, opened before it and closed after it, with X1 and X2 checked over all that was heard. */
interface Stage {
  readonly bench: ExecutorBench
  reopen(limits: { readonly logBytes?: number; readonly notes?: number }): Promise<void>
}

/** Registers the tests that every executor passes. `puppet-control.ts` says what its puppet has to do. */
export function executorContract(rig: ExecutorRig): void {
  describe(`${rig.name}: the contract of executors`, () => {
    const stage = openStage(rig)
    sayingTests(stage, rig)
    endingTests(stage, rig)
    timeTests(stage, rig)
    cancelTests(stage, rig)
    graceTests(stage, rig)
    closeTests(stage, rig)
    limitTests(stage)
    batchTests(stage, rig)
    hostTests(stage, rig)
  })
}

function openStage(rig: ExecutorRig): Stage {
  let bench: ExecutorBench | undefined
  const close = async (): Promise<void> => {
    await bench?.close()
    expect(bench?.heard.violations).toEqual([])
    expect(bench?.survivors).toEqual([])
    bench = undefined
  }
  beforeEach(async () => {
    bench = await ExecutorBench.open(rig)
  })
  afterEach(close)
  return {
    get bench() {
      if (bench === undefined) throw new Error('no test is running')
      return bench
    },
    reopen: async (limits) => {
      await close()
      bench = await ExecutorBench.open(rig, limits)
    },
  }
}

const cancelled: AttemptEnd = { kind: 'cancelled' }

const code = (end: AttemptEnd): string | undefined =>
  end.kind === 'failed' || end.kind === 'lost' ? end.error.code : undefined

function sayingTests(stage: Stage, rig: ExecutorRig): void {
  it('tells of the start, of what the task says in its order, and of its value', async () => {
    const { bench } = stage
    const { id, puppet, end } = await bench.play()
    await puppet.tell({ do: 'log', stream: 'stdout', text: 'one\ntwo' })
    await puppet.tell({ do: 'log', stream: 'stdout', text: 'drei: äöü 🌍' })
    await puppet.tell({ do: 'log', stream: 'stderr', text: 'hm' })
    await puppet.tell({ do: 'succeed', value: { n: 3, list: ['a', null, true] } })
    expect(await end()).toMatchObject({
      kind: 'succeeded',
      values: { '': { n: 3, list: ['a', null, true] } },
    })
    expect(bench.heard.of(id).started).toBe(1)
    expect(bench.heard.texts(id, 'stdout')).toEqual(['one', 'two', 'drei: äöü 🌍'])
    expect(bench.heard.texts(id, 'stderr')).toEqual(['hm'])
  })

  it('passes on events, metrics, artifacts and progress', async () => {
    const { bench } = stage
    const { id, puppet, end } = await bench.play()
    await puppet.tell({ do: 'say', line: { type: 'event', name: 'arrived', cycle: '12', size: 7 } })
    await puppet.tell({ do: 'say', line: { type: 'metric', name: 'rmse', value: 0.25, step: 4 } })
    await puppet.tell({
      do: 'say',
      line: { type: 'artifact', name: 'report', kind: 'markdown', text: '# Fine' },
    })
    await puppet.tell({ do: 'say', line: { type: 'progress', done: 3, total: 10 } })
    await puppet.tell({ do: 'succeed', value: null })
    await end()
    expect(bench.heard.of(id).notes).toEqual([
      { type: 'event', name: 'arrived', body: { cycle: '12', size: 7 } },
      { type: 'metric', name: 'rmse', body: { value: 0.25, step: 4 } },
      { type: 'artifact', name: 'report', body: { kind: 'markdown', text: '# Fine' } },
      { type: 'progress', name: '', body: { done: 3, total: 10 } },
    ])
  })

  it('keeps apart what attempts say that run at the same time', async () => {
    const { bench } = stage
    const attempts = [bench.puppetAttempt(), bench.puppetAttempt()] as const
    bench.executor.submit(attempts)
    const [a, b] = await Promise.all([bench.played(attempts[0]), bench.played(attempts[1])])
    for (const round of ['1', '2', '3']) {
      await a.puppet.tell({ do: 'log', stream: 'stdout', text: `a${round}` })
      await b.puppet.tell({ do: 'log', stream: 'stdout', text: `b${round}` })
    }
    await Promise.all([
      a.puppet.tell({ do: 'succeed', value: 'a' }),
      b.puppet.tell({ do: 'succeed', value: 'b' }),
    ])
    expect(await a.end()).toMatchObject({ kind: 'succeeded', values: { '': 'a' } })
    expect(await b.end()).toMatchObject({ kind: 'succeeded', values: { '': 'b' } })
    expect(bench.heard.texts(a.id, 'stdout')).toEqual(['a1', 'a2', 'a3'])
    expect(bench.heard.texts(b.id, 'stdout')).toEqual(['b1', 'b2', 'b3'])
  })

  it('accepts its own tasks only', () => {
    const { task } = rig.instant(1)
    expect(stage.bench.executor.accepts(task)).toBe(true)
    const kind = task.body.kind === 'function' ? 'python' : 'function'
    const other = {
      ...task,
      body: { kind, name: 'f', file: '/f.py', function: 'f', threads: 1 } as typeof task.body,
    }
    expect(stage.bench.executor.accepts(other)).toBe(false)
  })
}

function endingTests(stage: Stage, rig: ExecutorRig): void {
  it('tells of a failure with the words of the task, and that it may be tried again', async () => {
    const { puppet, end } = await stage.bench.play()
    await puppet.tell({ do: 'fail', message: 'the disk of the moon is full' })
    const failed = await end()
    expect(failed).toMatchObject({ kind: 'failed', reason: 'error', retryable: true })
    expect(JSON.stringify(failed)).toContain('the disk of the moon is full')
  })

  if (rig.traits.killed !== undefined) {
    it('tells of an attempt whose process is killed', async () => {
      const { puppet, end } = await stage.bench.play()
      await puppet.tell({ do: 'die' })
      expect((await end()).kind).toBe(rig.traits.killed)
    })
  }

  if (rig.traits.processes === 'own') {
    it('leaves no process of an attempt that has succeeded', async () => {
      const { id, puppet, end } = await stage.bench.play()
      const { pid = 0 } = await puppet.tell({ do: 'child' })
      stage.bench.watch(id, pid)
      await puppet.tell({ do: 'succeed', value: 1 })
      expect(await end()).toMatchObject({ kind: 'succeeded', values: { '': 1 } })
    })
  }
}

function timeTests(stage: Stage, rig: ExecutorRig): void {
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

function cancelTests(stage: Stage, rig: ExecutorRig): void {
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

function graceTests(stage: Stage, rig: ExecutorRig): void {
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

function closeTests(stage: Stage, rig: ExecutorRig): void {
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

function limitTests(stage: Stage): void {
  it('drops output over its limit, says so, and lets the task go on', async () => {
    await stage.reopen({ logBytes: 100_000 })
    const { bench } = stage
    const { id, puppet, end } = await bench.play()
    await puppet.tell({ do: 'flood', bytes: 1_000_000 })
    await puppet.tell({ do: 'succeed', value: 'done' })
    expect(await end()).toMatchObject({ kind: 'succeeded', values: { '': 'done' } })
    expect(bench.heard.texts(id, 'stdout')).toHaveLength(1000)
    expect(bench.heard.texts(id, 'log')).toEqual([
      'The log is full at 97.7 KiB: what follows is dropped.',
      // a line that was cut may count for one more
      expect.stringMatching(/^90000[01] bytes of output were dropped\.$/),
    ])
  })

  it('drops notes over their limit and says so', async () => {
    await stage.reopen({ notes: 3 })
    const { bench } = stage
    const { id, puppet, end } = await bench.play()
    for (let n = 1; n <= 5; n++) await puppet.tell({ do: 'say', line: { type: 'event', name: `e${n}` } })
    await puppet.tell({ do: 'succeed', value: null })
    await end()
    const { notes } = bench.heard.of(id)
    expect(notes.map((note) => note.name)).toEqual(['e1', 'e2', 'e3', 'limit', 'limit'])
    expect(notes.slice(3).map((note) => note.body)).toEqual([
      { text: 'It said 3 things: what follows is dropped.' },
      { text: '2 notes were dropped.' },
    ])
  })
}

function batchTests(stage: Stage, rig: ExecutorRig): void {
  it('ends each attempt of a batch of 1000 once, with its own value', async () => {
    const { bench } = stage
    const attempts = Array.from({ length: 1000 }, (_, n) => bench.attempt(rig.instant(n)))
    bench.executor.submit(attempts)
    const ends = await Promise.all(attempts.map(({ id }) => bench.heard.end(id)))
    expect(ends.map((end) => end.kind === 'succeeded' && end.values[''])).toEqual(attempts.map((_, n) => n))
    expect(attempts.filter(({ id }) => bench.heard.of(id).started !== 1)).toEqual([])
  }, 60_000)
}

function hostTests(stage: Stage, rig: ExecutorRig): void {
  it('leaves no process when the process that hosts it is killed', async () => {
    const { bench } = stage
    const attempts = [bench.puppetAttempt(), bench.puppetAttempt(), bench.puppetAttempt()]
    const work: HostedWork = { ...rig.hosted, attempts: attempts.map(({ fn, ...attempt }) => attempt) }
    const program = fileURLToPath(new URL('./executor-host.ts', import.meta.url))
    const host = spawn(process.execPath, [program, JSON.stringify(work)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    const exited = new Promise((resolve) => {
      host.once('exit', resolve)
    })
    const puppets = await Promise.all(attempts.map(({ call }) => bench.control.puppet(`p${call}`)))
    const pids = puppets.map(({ pid }) => pid)
    if (rig.traits.processes === 'own') {
      for (const puppet of puppets) pids.push((await puppet.tell({ do: 'child' })).pid ?? 0)
    }
    expect(pids.filter(isAlive)).toEqual(pids)
    host.kill('SIGKILL')
    await exited
    await Promise.all(puppets.map(({ gone }) => gone))
    await vi.waitUntil(() => pids.filter(isAlive).length === 0, { interval: 5, timeout: 5000 })
  }, 20_000)
}
