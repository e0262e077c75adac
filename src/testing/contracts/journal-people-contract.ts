import { expect, it } from 'vitest'
import { aCall, anAsk, anOutcome, aRun } from '../journal-records.ts'
import type { Fixture } from './journal-fixture.ts'
import { anyone, code, owner } from './journal-fixture.ts'

/** Requests and questions. */
export function testPeople(at: () => Fixture): void {
  const nothing = { requests: [], answers: [] }

  it('hands each request and answer over once, from any process', async () => {
    const { journal, another } = at()
    const other = await another()
    await journal.create(aRun('run1'))
    await journal.create(aRun('run2'))
    await journal.append('run1', [aCall(0, { call_kind: 'ask' }), anAsk(0)])
    expect(await journal.take('run1')).toEqual(nothing)
    await other.journal.request('run1', { kind: 'pause', by: 'eve', at: 1 })
    await other.journal.request('run2', { kind: 'cancel', by: 'eve', at: 1 })
    await journal.request('run1', { kind: 'cancel', by: 'ann', at: 2 })
    await other.journal.answer('run1', 0, 'true', 'eve', 3)
    expect(await journal.take('run1')).toEqual({
      requests: [
        { kind: 'pause', by: 'eve', at: 1 },
        { kind: 'cancel', by: 'ann', at: 2 },
      ],
      answers: [{ call: 0, answerWire: 'true', by: 'eve', at: 3 }],
    })
    expect(await journal.take('run1')).toEqual(nothing)
    await journal.request('run1', { kind: 'unpause', by: 'ann', at: 4 })
    expect(await journal.take('run1')).toEqual({
      requests: [{ kind: 'unpause', by: 'ann', at: 4 }],
      answers: [],
    })
  })

  it('takes an answer only while its question is open', async () => {
    const { journal } = at()
    const closed = code('ALM_ASK_CLOSED')
    await journal.create(aRun('run1'))
    await expect(journal.answer('run1', 0, '1', 'eve', 1)).rejects.toEqual(closed)
    await journal.append('run1', [aCall(0, { call_kind: 'ask' }), aCall(1), anAsk(0), anAsk(1)])
    await journal.answer('run1', 0, '1', 'eve', 1)
    await expect(journal.answer('run1', 0, '2', 'ann', 2)).rejects.toEqual(closed)
    // whatever kind of call was asked about, its outcome ends the question
    await journal.append('run1', [anOutcome(1, { state: 'cancelled', reason: 'request' })])
    await expect(journal.answer('run1', 1, '1', 'eve', 1)).rejects.toEqual(closed)
    // put again, it is open again
    await journal.append('run1', [
      { kind: 'forgotten', calls: [1], at: 1 },
      anAsk(1),
      { ...anAsk(0), title: 'Sure?', again: true },
    ])
    await journal.answer('run1', 0, '3', 'ann', 3)
    await journal.answer('run1', 1, '4', 'ann', 4)
    expect((await journal.take('run1')).answers).toEqual([
      { call: 0, answerWire: '3', by: 'ann', at: 3 },
      { call: 1, answerWire: '4', by: 'ann', at: 4 },
    ])
  })

  it('keeps an answer while the question is put once more', async () => {
    const { journal, another } = at()
    const other = await another()
    await journal.create(aRun('run1'))
    await journal.append('run1', [aCall(0, { call_kind: 'ask' }), aCall(1), anAsk(0), anAsk(1)])
    await journal.answer('run1', 0, '1', 'eve', 1)
    await journal.answer('run1', 1, '2', 'eve', 1)
    const [answer] = (await journal.take('run1')).answers
    // its owner dies; the next one puts it once more, and dies when that is durable
    await journal.append('run1', [
      { ...anAsk(0), at: 2 },
      anOutcome(1),
      { kind: 'forgotten', calls: [1], at: 2 },
      anAsk(1),
    ])
    expect(await other.records.asks('run1', { open: true })).toEqual([{ ...anAsk(1), run: 'run1' }])
    await journal.close()
    await other.journal.claim('run1', owner)
    expect((await other.journal.take('run1')).answers).toEqual([answer])
  })

  it('opens a question about a call that had ended before', async () => {
    const { journal } = at()
    await journal.create(aRun('run1'))
    await journal.append('run1', [aCall(0), anOutcome(0)])
    // edited, it was executed again, and failed
    await journal.append('run1', [anAsk(0)])
    await journal.answer('run1', 0, '1', 'eve', 1)
    expect((await journal.take('run1')).answers).toEqual([{ call: 0, answerWire: '1', by: 'eve', at: 1 }])
  })

  it('lists open and closed questions of one run or all', async () => {
    const { journal, records } = at()
    await journal.create(aRun('run1'))
    await journal.create(aRun('run2'))
    const first = { ...anAsk(0), to: 'eve' }
    await journal.append('run1', [aCall(0), aCall(1), aCall(2), first, anAsk(1), anAsk(2)])
    await journal.append('run2', [aCall(0), anAsk(0)])
    await journal.answer('run1', 1, '1', 'eve', 1)
    await journal.append('run1', [anOutcome(2)])
    expect(await records.asks('run1', { open: true })).toEqual([{ ...first, run: 'run1' }])
    expect(await records.asks('run1', { open: false })).toEqual(
      [1, 2].map((call) => ({ ...anAsk(call), run: 'run1' })),
    )
    expect(await records.asks(undefined, { open: true })).toEqual([
      { ...first, run: 'run1' },
      { ...anAsk(0), run: 'run2' },
    ])
  })

  it('finds the questions of people, and that of one call, behind any number of calls that wait', async () => {
    const { journal, records } = at()
    await journal.create(aRun('run1'))
    const [waiting, asking] = [1500, 1100]
    const all = Array.from({ length: waiting + asking }, (_, call) => call)
    const askOf = (call: number) =>
      call < waiting ? { ...anAsk(call), of: 'receive' as const, name: 'm' } : anAsk(call)
    await journal.append('run1', [...all.map((call) => aCall(call)), ...all.map(askOf)])
    const calls = async (query: Parameters<typeof records.asks>[1]) =>
      (await records.asks('run1', query)).map(({ call }) => call)
    expect(await calls({ open: true })).toEqual(all.slice(0, 1000))
    expect(await calls({ open: true, of: 'receive' })).toEqual(all.slice(0, 1000))
    expect(await calls({ open: true, of: 'callback' })).toEqual([])
    expect(await calls({ open: true, of: 'person' })).toEqual(all.slice(waiting, waiting + 1000))
    expect(await calls({ open: true, of: 'person', call: waiting + 1050 })).toEqual([waiting + 1050])
    expect(await calls({ open: true, of: 'person', call: 7 })).toEqual([])
  })

  it('keeps nothing that was asked of a run that has ended, for whoever resumes it', async () => {
    const { journal } = at()
    await journal.create(aRun('run1'))
    await journal.claim('run1', owner)
    await journal.request('run1', { kind: 'cancel', by: 'eve', at: 1 })
    await journal.append('run1', [{ kind: 'run', state: 'failed', at: 2 }])
    const late = journal.request('run1', { kind: 'pause', by: 'eve', at: 3 })
    await expect(late).rejects.toMatchObject({
      code: 'ALM_RUN_ENDED',
      message: 'Run run1 has ended: failed.',
    })
    await journal.append('run1', [{ kind: 'run', state: 'running', at: 4 }])
    expect(await journal.take('run1')).toEqual(nothing)
    await journal.request('run1', { kind: 'pause', by: 'eve', at: 5 })
    await journal.append('run1', [{ kind: 'run', state: 'waiting', at: 6 }])
    expect(await journal.take('run1')).toEqual({
      requests: [{ kind: 'pause', by: 'eve', at: 5 }],
      answers: [],
    })
  })

  it('gives a new owner what the last one took and did not record', async () => {
    const { journal, another } = at()
    const other = await another()
    await journal.create(aRun('run1'))
    await journal.append('run1', [aCall(0), aCall(1), anAsk(0), anAsk(1)])
    await other.journal.claim('run1', anyone)
    await journal.request('run1', { kind: 'pause', by: 'eve', at: 1 })
    await journal.answer('run1', 0, '"a"', 'eve', 2)
    await other.journal.take('run1')
    // what came of these two is recorded
    await other.journal.append('run1', [{ kind: 'run', state: 'paused', at: 3 }, anOutcome(0)])
    await journal.request('run1', { kind: 'cancel', by: 'eve', at: 4 })
    await journal.answer('run1', 1, '"b"', 'eve', 5)
    const taken = await other.journal.take('run1')
    await other.journal.close()
    await journal.claim('run1', owner)
    expect(taken).toEqual({
      requests: [{ kind: 'cancel', by: 'eve', at: 4 }],
      answers: [{ call: 1, answerWire: '"b"', by: 'eve', at: 5 }],
    })
    expect(await journal.take('run1')).toEqual(taken)
    expect(await journal.take('run1')).toEqual(nothing)
  })
}
