import { expect, it } from 'vitest'
import { aCall, aDigest, anAsk, anOutcome, aRun } from '../journal-records.ts'
import type { Fixture } from './journal-fixture.ts'
import { code } from './journal-fixture.ts'

/** Messages to runs and from them, and callbacks. */
export function testMessages(at: () => Fixture): void {
  const message = (value: string, more: object = {}) => ({
    name: 'steer',
    valueWire: value,
    by: 'eve',
    at: 3,
    ...more,
  })
  const receive = (call: number) => aCall(call, { call_kind: 'receive', name: 'steer' })

  it('keeps messages in the order in which they came, each until a call has received it', async () => {
    const { journal, records, another } = at()
    const other = await another()
    await journal.create(aRun('run1'))
    await journal.create(aRun('run2'))
    const first = await other.journal.send('run1', message('1'))
    await journal.send('run2', message('9'))
    await journal.send('run1', message('8', { name: 'other' }))
    const second = await journal.send('run1', message('2'))
    expect(second.seq).toBeGreaterThan(first.seq)
    const one = { seq: first.seq, direction: 'in', ...message('1') }
    const two = { seq: second.seq, direction: 'in', ...message('2') }
    const wanted = { name: 'steer', after: 0 }
    expect(await journal.incoming('run1', wanted)).toEqual([one, two])
    expect(await journal.incoming('run1', { ...wanted, after: first.seq })).toEqual([two])
    await journal.append('run1', [receive(0), anOutcome(0, { message: first.seq })])
    expect(await journal.incoming('run1', wanted)).toEqual([two])
    expect(await records.messages('run1', { name: 'steer', limit: 9 })).toEqual([{ ...one, call: 0 }, two])
    expect((await journal.load('run1'))[0]?.outcome?.message).toBe(first.seq)
    expect((await records.calls('run1', { limit: 9 }))[0]?.outcome?.message).toBe(first.seq)
    expect(await records.messages('run1', { after: first.seq, limit: 1 })).toMatchObject([{ name: 'other' }])
    expect(await records.messages('none', { limit: 9 })).toEqual([])
  })

  it('gives a message back when the outcome that received it holds no more, and lets another call have it', async () => {
    const { journal } = at()
    await journal.create(aRun('run1'))
    const { seq } = await journal.send('run1', message('1'))
    const open = async () =>
      (await journal.incoming('run1', { name: 'steer', after: 0 })).map((one) => one.seq)
    await journal.append('run1', [receive(0), receive(1), anOutcome(0, { message: seq })])
    expect(await open()).toEqual([])
    await journal.append('run1', [{ kind: 'forgotten', calls: [0], at: 4 }, anOutcome(1, { message: seq })])
    expect(await open()).toEqual([])
    await journal.append('run1', [anOutcome(1, { state: 'skipped', reason: 'removed' })])
    expect(await open()).toEqual([seq])
  })

  it('sends what has an id once, and sets aside what does not fit', async () => {
    const { journal, records } = at()
    await journal.create(aRun('run1'))
    const first = await journal.send('run1', message('1', { id: 'a' }))
    expect(first.isNew).toBe(true)
    expect(await journal.send('run1', message('2', { id: 'a' }))).toEqual({ seq: first.seq, isNew: false })
    expect((await journal.send('run1', message('3', { id: 'b' }))).isNew).toBe(true)
    const error = { code: 'ALM_SCHEMA', message: 'no', hint: '' } as const
    await journal.append('run1', [receive(0), { kind: 'aside', call: 0, message: first.seq, error, at: 4 }])
    expect(await journal.incoming('run1', { name: 'steer', after: 0 })).toMatchObject([{ valueWire: '3' }])
    expect(await records.messages('run1', { limit: 9 })).toMatchObject([{ error }, { id: 'b' }])
    const third = await journal.send('run1', message('4'))
    await journal.append('run1', [{ kind: 'aside', call: 0, message: third.seq, error, at: 4 }])
    const aside = async (query: object) =>
      (await records.messages('run1', { aside: true, limit: 9, ...query })).map(({ seq }) => seq)
    expect(await aside({})).toEqual([first.seq, third.seq])
    expect(await aside({ limit: 1 })).toEqual([third.seq])
    expect(await aside({ name: 'other' })).toEqual([])
  })

  it('takes messages of runs that it knows and that can receive them', async () => {
    const { journal } = at()
    await expect(journal.send('none', message('1'))).rejects.toEqual(code('ALM_RUN_UNKNOWN'))
    await expect(journal.incoming('none', { name: 'a', after: 0 })).rejects.toEqual(code('ALM_RUN_UNKNOWN'))
    await journal.create(aRun('run1', { state: 'succeeded' }))
    await expect(journal.send('run1', message('1'))).rejects.toEqual(code('ALM_RUN_OVER'))
    await journal.create(aRun('run2', { state: 'failed' }))
    expect((await journal.send('run2', message('1'))).isNew).toBe(true)
  })

  it('keeps what a call sends once, and gives it to the run that it is sent to', async () => {
    const { journal, records } = at()
    await journal.create(aRun('run1'))
    await journal.create(aRun('run2'))
    const sent = { kind: 'sent', name: 'steer', valueWire: '1', at: 5 } as const
    await journal.append('run1', [
      aCall(0, { call_kind: 'send' }),
      { ...sent, call: 0 },
      aCall(1, { call_kind: 'send' }),
      { ...sent, call: 1, to: 'run2' },
      aCall(2, { call_kind: 'send' }),
      { ...sent, call: 2, to: 'gone' },
    ])
    // a crash before its outcome was recorded: it is sent again, and is there already
    await journal.append('run1', [{ ...sent, call: 1, to: 'run2', at: 6 }, anOutcome(1)])
    expect(await records.messages('run1', { limit: 9 })).toMatchObject([
      { direction: 'out', call: 0, name: 'steer', valueWire: '1', at: 5 },
      { direction: 'out', call: 1, run: 'run2', at: 5 },
      { direction: 'out', call: 2, run: 'gone' },
    ])
    expect(await journal.incoming('run1', { name: 'steer', after: 0 })).toEqual([])
    expect(await journal.incoming('run2', { name: 'steer', after: 0 })).toMatchObject([
      { direction: 'in', run: 'run1', valueWire: '1' },
    ])
    await expect(journal.append('run1', [{ ...sent, call: 7 }])).rejects.toEqual(code('ALM_BUG'))
  })

  it('keeps what a call sends that is made again when that is something else by then', async () => {
    const { journal, records } = at()
    await journal.create(aRun('run1'))
    await journal.create(aRun('run2'))
    await journal.append('run1', [aCall(0, { call_kind: 'send' })])
    const sent = { kind: 'sent', call: 0, name: 'steer', to: 'run2', at: 5 } as const
    for (const valueWire of ['1', '1', '2', '2', '1']) await journal.append('run1', [{ ...sent, valueWire }])
    const values = async (run: string) =>
      (await records.messages(run, { limit: 9 })).map(
        ({ direction, valueWire }) => `${direction} ${valueWire}`,
      )
    expect(await values('run1')).toEqual(['out 1', 'out 2', 'out 1'])
    expect(await values('run2')).toEqual(['in 1', 'in 2', 'in 1'])
  })

  it('removes messages with their run', async () => {
    const { journal, records } = at()
    await journal.create(aRun('run1'))
    await journal.send('run1', message('1'))
    await journal.append('run1', [{ kind: 'run', state: 'failed', at: 9 }])
    await records.remove('run1')
    await journal.create(aRun('run1'))
    expect(await records.messages('run1', { limit: 9 })).toEqual([])
  })

  it('finds a callback by its token, and knows whether it was called', async () => {
    const { journal, records } = at()
    await journal.create(aRun('run1'))
    const token = aDigest('token')
    const ask = { ...anAsk(0), of: 'callback', token } as const
    await journal.append('run1', [aCall(0, { call_kind: 'callback' }), ask])
    expect(await records.callback(token)).toEqual({ ...ask, run: 'run1', isOpen: true })
    expect(await records.callback(aDigest('another'))).toBeUndefined()
    await journal.answer('run1', 0, '1', 'callback', 4)
    expect(await records.callback(token)).toMatchObject({ isOpen: false })
    await expect(journal.answer('run1', 0, '1', 'callback', 4)).rejects.toEqual(code('ALM_ASK_CLOSED'))
  })
}
