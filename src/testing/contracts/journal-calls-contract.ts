import { expect, it } from 'vitest'
import type { JournalRecord } from '../../model/records.ts'
import { plainCall } from '../../model/remembered.ts'
import { aCall, aDigest, anAsk, anOutcome, aRun, remembered, row } from '../journal-records.ts'
import type { Fixture } from './journal-fixture.ts'
import { code, owner } from './journal-fixture.ts'

/** Calls: appended, counted, loaded. */
export function testCalls(at: () => Fixture): void {
  it('loads calls in order of call with their newest outcome', async () => {
    const { journal, another } = at()
    await journal.create(aRun('run1'))
    const full = anOutcome(1, {
      state: 'failed',
      reason: 'error',
      order: 9,
      error: { code: 'ALM_TASK_FAILED', message: 'a\nb', file: 'steps.py', line: 3 },
      origin: { run: 'run0', call: 5 },
      map: { executed: 1, carried: 2, removed: 3 },
    })
    const {
      fingerprint: _,
      valueWire: __,
      digest: ___,
      ...scant
    } = anOutcome(2, { state: 'skipped', reason: 'upstream' })
    await journal.append('run1', [aCall(0), aCall(1), aCall(2, { call_kind: 'sleep' })])
    await journal.append('run1', [anOutcome(1), full, scant, aCall(3)])
    const expected = [
      remembered(aCall(0)),
      remembered(aCall(1), full),
      remembered(aCall(2, { call_kind: 'sleep' }), scant),
      remembered(aCall(3)),
    ]
    expect((await journal.load('run1')).map(plainCall)).toEqual(expected)
    expect((await (await another()).journal.load('run1')).map(plainCall)).toEqual(expected)
  })

  it('computes the fingerprint of an outcome that comes with what it is the digest of', async () => {
    const { journal, another } = at()
    await journal.create(aRun('run1'))
    const { fingerprint: _, ...outcome } = anOutcome(0)
    const of = { start: '"qc"\n\n', rest: '{"args":["é 😀"]}' }
    await journal.append('run1', [aCall(0), { ...outcome, fingerprintOf: of }])
    // SHA-256 of `"qc"`, an empty line, and `{"args":["é 😀"]}`
    const fingerprint = '8c2bc85f659c89e0b5334fb3a055e4d9d81779561839d8e0ddfe238035f31a07'
    const expected = [remembered(aCall(0), { ...outcome, fingerprint })]
    expect((await journal.load('run1')).map(plainCall)).toEqual(expected)
    expect((await (await another()).journal.load('run1')).map(plainCall)).toEqual(expected)
  })

  it('keeps every character of names, callers and wires', async () => {
    const { journal, records } = at()
    await journal.create(aRun('run1'))
    const odd = 'tab\t, line\n, quote" \\ nul\0 é 試験 😀 \u2028'
    const call = aCall(0, {
      name: odd,
      caller: `ingest/${odd}`,
      argsWire: JSON.stringify(odd),
      key: aDigest('k'),
    })
    const outcome = anOutcome(0, { valueWire: JSON.stringify({ [odd]: odd }) })
    await journal.append('run1', [call, outcome])
    expect((await journal.load('run1')).map(plainCall)).toEqual([remembered(call, outcome)])
    expect(await records.calls('run1', { name: odd, limit: 1 })).toEqual([row(call, outcome)])
  })

  it('counts work by state, and what was executed and reused, as they change; a map counts by its entries', async () => {
    const { journal, records } = at()
    await journal.create(aRun('run1'))
    const counted = async () => {
      const run = await records.run('run1')
      return { ...run?.counts, executed: run?.executed, reused: run?.reused }
    }
    await journal.append('run1', [
      aCall(0),
      aCall(1),
      aCall(2),
      aCall(3, { call_kind: 'map' }),
      aCall(4, { call_kind: 'now' }),
    ])
    expect(await counted()).toEqual({ waiting: 3, executed: 0, reused: 0 })
    await journal.append('run1', [
      anOutcome(0),
      anOutcome(1, { reason: 'cached', origin: { run: 'run0', call: 1 } }),
      anOutcome(2, { state: 'failed', reason: 'error' }),
      anOutcome(3, { map: { executed: 1, carried: 40, removed: 0 } }),
      anOutcome(4),
    ])
    expect(await counted()).toEqual({ succeeded: 2, failed: 1, executed: 1, reused: 41 })
    await journal.append('run1', [{ kind: 'forgotten', calls: [2, 3], at: 1 }])
    expect(await counted()).toEqual({ succeeded: 2, waiting: 1, executed: 1, reused: 1 })
    await journal.append('run1', [
      anOutcome(2),
      anOutcome(2, { reason: 'replayed' }),
      anOutcome(0, { state: 'failed', reason: 'lost' }),
    ])
    expect(await counted()).toEqual({ succeeded: 2, failed: 1, executed: 0, reused: 2 })
  })

  it('gives the attempts of a call since it was last forgotten, and all of them to people', async () => {
    const { journal, records } = at()
    await journal.create(aRun('run1'))
    const first = { kind: 'attempt', call: 0, attempt: 1, phase: 'started', startedAt: 1, at: 1 } as const
    const second = {
      kind: 'attempt',
      call: 0,
      attempt: 1,
      phase: 'failed',
      reason: 'lost',
      spent: false,
      error: { code: 'ALM_WORKER_LOST', message: 'gone' },
      startedAt: 1,
      at: 2,
    } as const
    await journal.append('run1', [aCall(0), aCall(1), first, second])
    const { kind: _, call: __, ...started } = first
    const { kind: ___, call: ____, ...failed } = second
    expect((await journal.load('run1')).map(plainCall)).toEqual([
      remembered(aCall(0), undefined, [started, failed]),
      remembered(aCall(1)),
    ])
    await journal.append('run1', [
      { kind: 'forgotten', calls: [0], at: 3 },
      { ...first, at: 4 },
    ])
    expect((await journal.load('run1')).map(plainCall)).toEqual([
      remembered(aCall(0), undefined, [{ ...started, at: 4 }]),
      remembered(aCall(1)),
    ])
    expect(await records.attempts('run1', 0)).toEqual([first, second, { ...first, at: 4 }])
    expect(await records.attempts('run1', 1)).toEqual([])
  })

  it('takes an outcome back that was forgotten, and keeps a later one', async () => {
    const { journal } = at()
    await journal.create(aRun('run1'))
    const failed = anOutcome(0, { state: 'failed', reason: 'error' })
    await journal.append('run1', [aCall(0), failed, { kind: 'forgotten', calls: [0], at: 1 }])
    expect((await journal.load('run1')).map(plainCall)).toEqual([remembered(aCall(0))])
    await journal.append('run1', [anOutcome(0, { order: 5 })])
    expect((await journal.load('run1')).map(plainCall)).toEqual([
      remembered(aCall(0), anOutcome(0, { order: 5 })),
    ])
  })

  it('keeps all records of an append or none, and none of that run afterwards until it is claimed anew', async () => {
    const { journal, records } = at()
    const forged: readonly (readonly JournalRecord[])[] = [
      [aCall(0)],
      [aCall(2), aCall(2)],
      [anOutcome(7)],
      [{ kind: 'attempt', call: 7, attempt: 1, phase: 'started', startedAt: 1, at: 1 }],
      [{ kind: 'forgotten', calls: [0, 7], at: 1 }],
      [anAsk(7)],
    ]
    for (const [i, batch] of forged.entries()) {
      const run = `run${i}`
      await journal.create(aRun(run))
      await journal.append(run, [aCall(0)])
      const refused = journal.append(run, [aCall(1), anOutcome(0), ...batch])
      const later = journal.append(run, [aCall(5)])
      await expect(refused).rejects.toEqual(code('ALM_BUG'))
      await expect(later).rejects.toEqual(code('ALM_BUG'))
      await expect(journal.append(run, [aCall(5)])).rejects.toEqual(code('ALM_BUG'))
      expect((await journal.load(run)).map(plainCall)).toEqual([remembered(aCall(0))])
      expect(await records.run(run)).toEqual(aRun(run, { counts: { waiting: 1 } }))
      const claim = await journal.claim(run, owner)
      await journal.append(run, [aCall(1)])
      expect((await journal.load(run)).map(plainCall)).toEqual([remembered(aCall(0)), remembered(aCall(1))])
      await claim?.release()
    }
  })

  it('refuses one run without harm to another that is appended to at the same time', async () => {
    const { journal } = at()
    await journal.create(aRun('good'))
    await journal.create(aRun('bad'))
    const appends = [
      journal.append('good', [aCall(0)]),
      journal.append('bad', [aCall(0), aCall(0)]),
      journal.append('good', [anOutcome(0)]),
      journal.append('none', [aCall(0)]),
    ]
    const ends = await Promise.allSettled(appends)
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected'])
    await expect(appends[3]).rejects.toEqual(code('ALM_RUN_UNKNOWN'))
    expect((await journal.load('good')).map(plainCall)).toEqual([remembered(aCall(0), anOutcome(0))])
    expect((await journal.load('bad')).map(plainCall)).toEqual([])
  })

  it('is durable in the order of the appends', async () => {
    const { journal } = at()
    await journal.create(aRun('run1'))
    const order: number[] = []
    const appends: Promise<unknown>[] = []
    for (let i = 0; i < 50; i++) appends.push(journal.append('run1', [aCall(i)]).then(() => order.push(i)))
    await Promise.all(appends)
    expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i))
    expect((await journal.load('run1')).map(({ call }) => call)).toEqual(order)
  })

  it('knows nothing of runs that were never created', async () => {
    const { journal, records } = at()
    const refused = code('ALM_RUN_UNKNOWN')
    await expect(journal.load('none')).rejects.toEqual(refused)
    await expect(journal.append('none', [])).rejects.toEqual(refused)
    await expect(journal.claim('none', owner)).rejects.toEqual(refused)
    await expect(journal.claim('../none', owner)).rejects.toEqual(refused)
    await expect(journal.answer('none', 0, '1', 'me', 1)).rejects.toEqual(refused)
    await expect(journal.request('none', { kind: 'cancel', by: 'me', at: 1 })).rejects.toEqual(refused)
    await expect(journal.take('none')).rejects.toEqual(refused)
    await expect(records.remove('none')).rejects.toEqual(refused)
    expect(await records.calls('none', { limit: 9 })).toEqual([])
    expect(await records.attempts('none', 0)).toEqual([])
    expect(await records.notes('none', { limit: 9 })).toEqual([])
    expect(await records.asks('none', { open: true })).toEqual([])
    expect(await records.parts('none', 0)).toBeUndefined()
  })
}
