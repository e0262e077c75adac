import { expect, it } from 'vitest'
import type { NoteQuery, Records } from '../../ports/journal.ts'
import { aCall, aDigest, anOutcome, aRun, row } from '../journal-records.ts'
import type { Fixture } from './journal-fixture.ts'
import { owner } from './journal-fixture.ts'

/** What people page through. */
export function testPages(at: () => Fixture): void {
  it('lists calls by state, name and id, page by page, in order of id', async () => {
    const { journal, records } = at()
    await journal.create(aRun('run0'))
    await journal.append('run0', [
      aCall(0, { name: 'index' }),
      anOutcome(0, { state: 'failed', reason: 'error' }),
    ])
    await journal.create(aRun('run1'))
    const names = ['qc', 'index', 'qc', 'qc', 'index', 'qc']
    const calls = names.map((name, i) => aCall(i, { name, call_kind: i === 2 ? 'map' : 'task' }))
    const failed = anOutcome(1, { state: 'failed', reason: 'timeout' })
    const skipped = anOutcome(3, { state: 'skipped', reason: 'upstream' })
    await journal.append('run1', [...calls, skipped, failed, anOutcome(0), anOutcome(4)])
    const ids = async (query: Parameters<Records['calls']>[1]) =>
      (await records.calls('run1', query)).map(({ call }) => call)
    expect(await records.calls('run1', { limit: 2 })).toEqual([
      row(calls[0]!, anOutcome(0)),
      row(calls[1]!, failed),
    ])
    expect(await ids({ limit: 3, after: 1 })).toEqual([2, 3, 4])
    expect(await ids({ limit: 9, name: 'qc' })).toEqual([0, 2, 3, 5])
    expect(await ids({ limit: 2, name: 'qc', after: 0 })).toEqual([2, 3])
    expect(await ids({ limit: 9, name: 'none' })).toEqual([])
    expect(await ids({ limit: 9, states: ['failed', 'skipped'] })).toEqual([1, 3])
    expect(await ids({ limit: 1, states: ['failed', 'skipped'] })).toEqual([1])
    expect(await ids({ limit: 9, states: ['skipped'], name: 'qc', after: 1 })).toEqual([3])
    expect(await ids({ limit: 9, states: ['waiting'] })).toEqual([2, 5])
    expect(await ids({ limit: 9, states: ['succeeded', 'failed'] })).toEqual([0, 1, 4])
    expect(await ids({ limit: 9, states: ['succeeded'], name: 'index' })).toEqual([4])
    expect(await ids({ limit: 9, states: ['running'] })).toEqual([])
    expect(await ids({ limit: 9, call: 3 })).toEqual([3])
    expect(await ids({ limit: 9, call: 3, after: 3 })).toEqual([])
    expect(await ids({ limit: 9, call: 9 })).toEqual([])
  })

  it('tells what a run did by task, as its calls are made, end, and are taken back', async () => {
    const { journal, records, another } = at()
    await journal.create(aRun('run1'))
    const future = (call: number) => `{"$":"future","call":${call},"path":[]}`
    const task = (call: number, name: string, argsWire = '[1]') => aCall(call, { name, argsWire })
    await journal.append('run1', [
      task(0, 'fetch'),
      task(1, 'read', `[${future(0)}]`),
      aCall(2, { name: 'all', call_kind: 'view', argsWire: `{"of":[${future(0)},${future(1)}]}` }),
      task(3, 'sum', `[${future(2)}]`),
      anOutcome(0, { costMs: 7 }),
    ])
    const fetch = { name: 'fetch', kind: 'task', calls: 1, counts: { succeeded: 1 }, executed: 1, reused: 0 }
    const waiting = { kind: 'task', calls: 1, counts: { waiting: 1 }, executed: 0, reused: 0, costMs: 0 }
    expect(await records.tasks('run1')).toEqual([
      { ...fetch, costMs: 7, inputs: [] },
      { ...waiting, name: 'read', inputs: ['fetch'] },
      { ...waiting, name: 'sum', inputs: ['fetch', 'read'] },
    ])

    const other = await another()
    await journal.close()
    await other.journal.claim('run1', owner)
    await other.journal.append('run1', [
      // what only looks like a future, and what an author's object hides
      task(4, 'sum', `["${future(1).replaceAll('"', '\\"')}"]`),
      task(5, 'fetch', `[{"$":"object","v":{"$":"future","call":1}}]`),
      task(6, 'sum', `[{"$":"object","v":{"$":1,"a":${future(6)}}},${future(2)}]`),
      aCall(7, { name: 'other', call_kind: 'view', argsWire: `[${future(2)},${future(5)}]` }),
      task(8, 'show', `[${future(7)}]`),
      { kind: 'forgotten', calls: [0], at: 3 },
      anOutcome(1, { state: 'failed', reason: 'error' }),
      anOutcome(3, { reason: 'cached', costMs: 9 }),
      anOutcome(3, { reason: 'executed', costMs: 2 }),
      anOutcome(5, { costMs: 3 }),
      aCall(9, { name: 'qc', call_kind: 'map' }),
      aCall(10, { name: 'qc', call_kind: 'entry' }),
      anOutcome(9, { map: { executed: 1, carried: 4, removed: 0 } }),
    ])
    expect(await other.records.tasks('run1')).toEqual([
      { ...fetch, calls: 2, counts: { succeeded: 1, waiting: 1 }, costMs: 3, inputs: [] },
      { ...waiting, name: 'read', counts: { failed: 1 }, inputs: ['fetch'] },
      {
        ...waiting,
        name: 'sum',
        calls: 3,
        counts: { succeeded: 1, waiting: 2 },
        executed: 1,
        costMs: 2,
        inputs: ['fetch', 'read'],
      },
      { ...waiting, name: 'show', inputs: ['fetch', 'read'] },
      {
        name: 'qc',
        kind: 'map',
        calls: 5,
        counts: { succeeded: 4, waiting: 1 },
        executed: 0,
        reused: 4,
        costMs: 0,
        inputs: [],
      },
    ])
    expect(await other.records.tasks('none')).toEqual([])
  })

  it('lists notes by call and type, oldest first', async () => {
    const { journal, records } = at()
    await journal.create(aRun('run0'))
    await journal.create(aRun('run1'))
    const notes = [
      { kind: 'note', type: 'stage', name: 'a', bodyWire: '1', at: 1 },
      { kind: 'note', call: 0, attempt: 1, type: 'metric', name: 'b', bodyWire: '2', at: 2 },
      { kind: 'note', call: 0, type: 'event', name: 'c', bodyWire: '3', at: 3 },
      { kind: 'note', call: 1, type: 'metric', name: 'd', bodyWire: '4', at: 4 },
    ] as const
    await journal.append('run0', [notes[0]])
    await journal.append('run1', notes)
    const listed = await records.notes('run1', { limit: 9 })
    expect(listed).toEqual(notes.map((note, i) => ({ ...note, seq: listed[i]?.seq })))
    expect(listed.map(({ seq }) => seq)).toEqual(listed.map(({ seq }) => seq).toSorted((a, b) => a - b))
    const names = async (query: Parameters<Records['notes']>[1]) =>
      (await records.notes('run1', query)).map(({ name }) => name)
    expect(await names({ limit: 2 })).toEqual(['a', 'b'])
    expect(await names({ limit: 2, after: listed[1]!.seq })).toEqual(['c', 'd'])
    expect(await names({ limit: 9, call: 0 })).toEqual(['b', 'c'])
    expect(await names({ limit: 9, type: 'metric' })).toEqual(['b', 'd'])
    expect(await names({ limit: 9, type: 'metric', call: 1 })).toEqual(['d'])
    expect(await names({ limit: 9, ofCalls: false })).toEqual(['a'])
  })

  it('lists of each name the newest note, and how many there were', async () => {
    const { journal, records } = at()
    await journal.create(aRun('run0'))
    await journal.create(aRun('run1'))
    const noted = (name: string, body: number, type: 'metric' | 'event' = 'metric') =>
      ({ kind: 'note', type, name, bodyWire: String(body), at: body }) as const
    await journal.append('run0', [noted('loss', 9)])
    await journal.append('run1', [noted('loss', 1), noted('score', 2), noted('loss', 3)])
    await journal.append('run1', [{ ...noted('loss', 4), call: 2, attempt: 1 }, noted('loss', 5, 'event')])
    const newest = async (query: Omit<NoteQuery, 'newestOfEach'>) =>
      (await records.notes('run1', { ...query, newestOfEach: true })).map(({ seq: _, ...note }) => note)
    const score = { ...noted('score', 2), count: 1 }
    const loss = { ...noted('loss', 4), call: 2, attempt: 1, count: 3 }
    expect(await newest({ type: 'metric', limit: 9 })).toEqual([score, loss])
    expect(await newest({ type: 'metric', limit: 1 })).toEqual([score])
    expect(await newest({ type: 'metric', ofCalls: false, limit: 9 })).toEqual([
      score,
      { ...noted('loss', 3), count: 2 },
    ])
  })

  it('tells how a fingerprint came about, by its newest record', async () => {
    const { journal, records } = at()
    await journal.create(aRun('run1'))
    const parts = {
      kind: 'parts',
      call: 0,
      fingerprint: aDigest('f'),
      partsWire: '{"code":"x"}',
      verdict: 'miss',
    } as const
    await journal.append('run1', [aCall(0), parts, { ...parts, verdict: 'hit' }])
    expect(await records.parts('run1', 0)).toEqual({ ...parts, verdict: 'hit' })
    expect(await records.parts('run1', 1)).toBeUndefined()
  })
}
