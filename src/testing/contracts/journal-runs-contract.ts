import { expect, it } from 'vitest'
import { plainCall } from '../../model/remembered.ts'
import type { Records } from '../../ports/journal.ts'
import { aCall, aDigest, anOutcome, aRun, remembered } from '../journal-records.ts'
import type { Fixture } from './journal-fixture.ts'
import { anyone, code, owner } from './journal-fixture.ts'

/** Runs: created, listed, changed. */
export function testRuns(at: () => Fixture): void {
  it('gives a run back as it was created', async () => {
    const { journal, records } = at()
    const plain = aRun('run1')
    const full = aRun('run2', {
      file: 'flows/ingest.ts',
      state: 'failed',
      codeDigest: aDigest('code'),
      gitCommit: 'abc',
      name: 'nightly',
      tags: ['a', 'b,"c"'],
      startedAt: 1001,
      endedAt: 1002,
      outputWire: '{}',
      error: { code: 'ALM_TASK_FAILED', message: 'no', line: 3 },
      uncaught: [1, 2],
      host: 'h',
      pid: 1,
      bootId: 'b',
      counts: { succeeded: 2, failed: 1 },
      executed: 2,
      reused: 1,
    })
    await journal.create(plain)
    await journal.create(full)
    expect(await records.run('run1')).toEqual(plain)
    expect(await records.run('run2')).toEqual(full)
    expect(await records.run('run3')).toBeUndefined()
  })

  it('refuses a second run of the same id, and ids that are no plain names', async () => {
    const { journal } = at()
    await journal.create(aRun('run1'))
    await expect(journal.create(aRun('run1'))).rejects.toEqual(code('ALM_RUN_EXISTS'))
    for (const id of ['', '../run', 'a/b', '.run', 'a b', 'x'.repeat(129)]) {
      await expect(journal.create(aRun(id))).rejects.toEqual(code('ALM_NAME_REFUSED'))
    }
  })

  it('lists runs newest first, by workflow, environment, file and state, page by page', async () => {
    const { journal, records } = at()
    for (let i = 0; i < 6; i++) {
      await journal.create(
        aRun(`run${i}`, {
          workflow: i % 2 === 0 ? 'even' : 'odd',
          state: i < 3 ? 'succeeded' : 'running',
          ...(i === 4 && { file: 'f.ts' }),
          ...(i > 1 && i < 4 && { environment: 'test' }),
        }),
      )
    }
    const ids = async (query: Parameters<Records['runs']>[0]) =>
      (await records.runs(query)).map(({ id }) => id)
    expect(await ids({ limit: 10 })).toEqual(['run5', 'run4', 'run3', 'run2', 'run1', 'run0'])
    expect(await ids({ limit: 2 })).toEqual(['run5', 'run4'])
    expect(await ids({ limit: 2, before: 'run4' })).toEqual(['run3', 'run2'])
    expect(await ids({ limit: 10, workflow: 'odd' })).toEqual(['run5', 'run3', 'run1'])
    expect(await ids({ limit: 10, workflow: 'odd', states: ['succeeded', 'failed'] })).toEqual(['run1'])
    expect(await ids({ limit: 10, environment: 'test', workflow: 'odd' })).toEqual(['run3'])
    expect(await ids({ limit: 10, environment: 'test', states: ['succeeded'] })).toEqual(['run2'])
    expect(await ids({ limit: 10, file: 'f.ts' })).toEqual(['run4'])
    expect(await ids({ limit: 10, states: [] })).toEqual([])
  })

  it('lists of each workflow the newest run, however many of another came since', async () => {
    const { journal, records } = at()
    const workflows = ['old', 'much', 'failing', 'much', 'much', 'failing']
    for (const [i, workflow] of workflows.entries())
      await journal.create(aRun(`run${i}`, { workflow, state: i === 5 ? 'failed' : 'succeeded' }))
    const ids = async (query: Omit<Parameters<Records['runs']>[0], 'newestOfEach'>) =>
      (await records.runs({ ...query, newestOfEach: true })).map(({ id }) => id)
    expect(await ids({ limit: 9 })).toEqual(['run5', 'run4', 'run0'])
    expect(await ids({ limit: 9, states: ['succeeded'] })).toEqual(['run4', 'run2', 'run0'])
    expect(await ids({ limit: 1, states: ['succeeded'], before: 'run4' })).toEqual(['run2'])
    expect(await ids({ limit: 9, workflow: 'much' })).toEqual(['run4'])
  })

  it('makes a run that another one triggers with the outcome of its call, or not at all', async () => {
    const { journal, records } = at()
    const triggeredBy = { run: 'run1', call: 0, depth: 1 }
    const child = aRun('run2', { workflow: 'report', file: 'report.ts', name: 'nightly', triggeredBy })
    const call = aCall(0, { call_kind: 'trigger', name: 'report' })
    await journal.create(aRun('run1', { triggeredBy: { run: 'run0', call: 7, depth: 3 } }))
    await journal.append('run1', [call, { kind: 'triggered', call: 0, run: child }, anOutcome(0)])
    expect(await records.run('run2')).toEqual(child)
    expect(await records.run('run1')).toMatchObject({ triggeredBy: { run: 'run0', call: 7, depth: 3 } })
    const ids = async (triggeredBy: string) =>
      (await records.runs({ triggeredBy, limit: 10 })).map(({ id }) => id)
    expect([await ids('run1'), await ids('run0'), await ids('run2')]).toEqual([['run2'], ['run1'], []])
    // it is a run like any other
    await journal.claim('run2', owner)
    await journal.append('run2', [{ kind: 'run', state: 'running', at: 10 }, aCall(0)])
    expect(await records.run('run2')).toMatchObject({ state: 'running', startedAt: 10, triggeredBy })

    const again = { kind: 'triggered', call: 1, run: aRun('run2') } as const
    const refused = journal.append('run1', [
      aCall(1, { call_kind: 'trigger', name: 'report' }),
      { kind: 'triggered', call: 1, run: aRun('run3') },
      again,
    ])
    await expect(refused).rejects.toEqual(code('ALM_RUN_EXISTS'))
    expect(await records.run('run3')).toBeUndefined()
    expect((await journal.load('run1')).map(({ call }) => call)).toEqual([0])
  })

  it('changes only what a change tells of', async () => {
    const { journal, records } = at()
    await journal.create(aRun('run1'))
    await journal.append('run1', [{ kind: 'run', state: 'running', at: 10, codeDigest: aDigest('code') }])
    await journal.append('run1', [{ kind: 'run', state: 'paused', at: 20 }])
    const paused = aRun('run1', { state: 'paused', startedAt: 10, codeDigest: aDigest('code') })
    expect(await records.run('run1')).toEqual(paused)
    const error = { code: 'ALM_TASK_FAILED', message: 'no' }
    await journal.append('run1', [{ kind: 'run', state: 'failed', at: 30, error, uncaught: [4] }])
    expect(await records.run('run1')).toEqual({
      ...paused,
      state: 'failed',
      endedAt: 30,
      error,
      uncaught: [4],
    })
    // corrected by whoever goes on with it
    await journal.append('run1', [{ kind: 'run', state: 'running', at: 40, inputWire: '"new"' }])
    expect(await records.run('run1')).toEqual({ ...paused, state: 'running', inputWire: '"new"' })
  })

  it('forgets how a run ended when it goes on', async () => {
    const { journal, records } = at()
    await journal.create(aRun('run1'))
    const error = { code: 'ALM_TASK_FAILED', message: 'no' }
    await journal.append('run1', [
      { kind: 'run', state: 'running', at: 10 },
      { kind: 'run', state: 'failed', at: 20, error, uncaught: [4], outputWire: '1' },
      { kind: 'run', state: 'running', at: 30 },
    ])
    expect(await records.run('run1')).toEqual(aRun('run1', { state: 'running', startedAt: 10 }))
  })
}

/** Who may execute a run. */
export function testOwnership(at: () => Fixture): void {
  it('lets one process at a time have a run', async () => {
    const { journal, records, another } = at()
    const other = await another()
    await journal.create(aRun('run1'))
    await journal.create(aRun('run2'))
    const claim = await journal.claim('run1', owner)
    expect(claim).toBeDefined()
    expect(await other.journal.claim('run1', anyone)).toBeUndefined()
    expect(await journal.claim('run1', owner)).toBeUndefined()
    expect(await other.records.run('run1')).toEqual(aRun('run1', owner))
    expect(await other.journal.claim('run2', anyone)).toBeDefined()
    await claim?.release()
    await claim?.release()
    expect(await other.journal.claim('run1', anyone)).toBeDefined()
    expect(await records.run('run1')).toEqual(aRun('run1', anyone))
  })

  it('says which runs a living process has, and changes nothing by that', async () => {
    const { journal, records, another } = at()
    const other = await another()
    for (const run of ['run1', 'run2', 'run3']) await journal.create(aRun(run))
    const claim = await journal.claim('run1', owner)
    await other.journal.claim('run2', anyone)
    const asked = ['run3', 'run2', 'run1', 'run0']
    expect(await records.claimed(asked)).toEqual(['run2', 'run1'])
    expect(await other.records.claimed(asked)).toEqual(['run2', 'run1'])
    expect(await records.run('run1')).toEqual(aRun('run1', owner))
    await claim?.release()
    await other.journal.close()
    expect(await records.claimed(asked)).toEqual([])
    expect(await records.claimed([])).toEqual([])
  })

  it('gives the runs of a process free when it ends', async () => {
    const { journal, another } = at()
    const other = await another()
    await journal.create(aRun('run1'))
    const claim = await other.journal.claim('run1', anyone)
    await other.journal.close()
    await claim?.release()
    expect(await journal.claim('run1', owner)).toBeDefined()
  })

  it('lets a new owner go on where the last one was', async () => {
    const { journal, another } = at()
    const other = await another()
    await journal.create(aRun('run1'))
    const claim = await journal.claim('run1', owner)
    await journal.append('run1', [aCall(0), aCall(1)])
    await claim?.release()
    const second = await other.journal.claim('run1', anyone)
    await other.journal.append('run1', [
      anOutcome(0),
      aCall(2),
      anOutcome(2, { state: 'failed', reason: 'error' }),
    ])
    await second?.release()
    await journal.claim('run1', owner)
    await journal.append('run1', [anOutcome(1), anOutcome(0, { reason: 'replayed' }), anOutcome(2)])
    expect((await journal.load('run1')).map(plainCall)).toEqual([
      remembered(aCall(0), anOutcome(0, { reason: 'replayed' })),
      remembered(aCall(1), anOutcome(1)),
      remembered(aCall(2), anOutcome(2)),
    ])
    expect(await (await another()).records.run('run1')).toEqual(
      aRun('run1', { ...owner, counts: { succeeded: 3 }, executed: 2, reused: 1 }),
    )
  })

  it('refuses everything once it is closed', async () => {
    const { another } = at()
    const { journal } = await another()
    await journal.close()
    await journal.close()
    await expect(journal.create(aRun('run1'))).rejects.toEqual(code('ALM_BUG'))
    await expect(journal.append('run1', [])).rejects.toEqual(code('ALM_BUG'))
  })
}
