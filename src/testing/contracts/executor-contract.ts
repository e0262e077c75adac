import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import { isAlive } from '../executors/executor-bench.ts'
import type { HostedWork } from '../executors/executor-host.ts'
import type { ExecutorRig } from '../executors/executor-rig.ts'
import type { ExecutorStage } from '../executors/executor-stage.ts'
import { openStage } from '../executors/executor-stage.ts'
import { patience } from '../patience.ts'
import { stoppingContract } from './stopping-contract.ts'

/** Registers the tests that every executor passes. `puppet-control.ts` says what its puppet has to do. */
export function executorContract(rig: ExecutorRig): void {
  describe(`${rig.name}: the contract of executors`, () => {
    const stage = openStage(rig)
    sayingTests(stage, rig)
    endingTests(stage, rig)
    stoppingContract(stage, rig)
    limitTests(stage)
    batchTests(stage, rig)
    hostTests(stage, rig)
  })
}

function sayingTests(stage: ExecutorStage, rig: ExecutorRig): void {
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

function endingTests(stage: ExecutorStage, rig: ExecutorRig): void {
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

function limitTests(stage: ExecutorStage): void {
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

function batchTests(stage: ExecutorStage, rig: ExecutorRig): void {
  const count = rig.batch ?? 1000
  it(`ends each attempt of a batch of ${count} once, with its own value`, async () => {
    const { bench } = stage
    const attempts = Array.from({ length: count }, (_, n) => bench.attempt(rig.instant(n)))
    bench.executor.submit(attempts)
    const ends = await Promise.all(attempts.map(({ id }) => bench.heard.end(id)))
    expect(ends.map((end) => end.kind === 'succeeded' && end.values[''])).toEqual(attempts.map((_, n) => n))
    expect(attempts.filter(({ id }) => bench.heard.of(id).started !== 1)).toEqual([])
  })
}

function hostTests(stage: ExecutorStage, rig: ExecutorRig): void {
  it('leaves no process when the process that hosts it is killed', async () => {
    const { bench } = stage
    const attempts = [bench.puppetAttempt(), bench.puppetAttempt(), bench.puppetAttempt()]
    const work: HostedWork = { ...rig.hosted, attempts: attempts.map(({ fn, ...attempt }) => attempt) }
    const program = fileURLToPath(new URL('../executors/executor-host.ts', import.meta.url))
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
    await vi.waitUntil(() => pids.filter(isAlive).length === 0, patience)
  })
}
