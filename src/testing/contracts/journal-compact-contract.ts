import { expect, it } from 'vitest'
import type { JournalRecord } from '../../model/records.ts'
import type { JournalPorts } from '../../ports/journal-ports.ts'
import { aCall, aDigest, anAsk, anOutcome, aRun } from '../journal-records.ts'
import type { Fixture } from './journal-fixture.ts'
import { code, owner } from './journal-fixture.ts'
import { journalSnapshot } from './journal-snapshot.ts'

const error = { code: 'ALM_TASK_FAILED', message: 'no' }
const file = (name: string): string =>
  `{"$":"file","name":"${name}","digest":"${aDigest(name)}","size":1,"executable":false}`

/** Calls of several names and states, some with what is seldom there. */
function records(count: number): JournalRecord[] {
  return Array.from({ length: count }, (_, call): JournalRecord[] => {
    const name = call % 40 === 7 ? 'rare' : call % 3 === 0 ? 'even' : 'odd'
    const argsWire = call % 50 === 3 ? file(`in ${call}`) : `[${call}]`
    const isEntry = call % 100 === 53
    const made = aCall(call, {
      name,
      argsWire,
      ...(isEntry && { call_kind: 'entry' }),
      ...(call % 17 === 1 && !isEntry && { keyed: true }),
    })
    if (call === count - 1)
      return [aCall(call, { call_kind: 'ask', name: 'good?' }), anAsk(call), anOutcome(call)]
    if (call % 31 === 5) return [made]
    if (call % 29 === 4) return [made, anOutcome(call, { state: 'failed', reason: 'error', error })]
    const attempt = { kind: 'attempt', call, attempt: 1, startedAt: 5, at: 6 } as const
    const more: Partial<Parameters<typeof anOutcome>[1]> =
      call % 50 === 6
        ? { valueWire: file(`out ${call}`), origin: { run: 'other', call: 3 }, reason: 'cached' }
        : call % 11 === 2
          ? { costMs: 0.1 + call, startedAt: 3000.25 }
          : {}
    const ended = anOutcome(call, more)
    if (call % 23 === 1) return [made, { ...attempt, phase: 'failed', spent: true }, ended]
    if (call % 37 === 8) {
      const { fingerprint: _, digest: __, ...bare } = ended
      return [made, bare]
    }
    return [made, ended]
  }).flat()
}

/** What anybody reads of a run, besides all of it. */
async function lists({ records: kept, cache }: JournalPorts): Promise<unknown> {
  const calls = (query: Parameters<typeof kept.calls>[1]) => kept.calls('run1', query)
  const roots: string[] = []
  for await (const digest of cache.roots()) roots.push(digest)
  return {
    pages: [await calls({ limit: 7 }), await calls({ limit: 300, after: 1500 })],
    named: [await calls({ limit: 9, name: 'rare', after: 100 }), await calls({ limit: 5, name: 'even' })],
    states: [
      await calls({ limit: 9, states: ['failed'] }),
      await calls({ limit: 9, states: ['succeeded', 'waiting'], after: 2 }),
      await calls({ limit: 9, states: ['waiting'] }),
    ],
    one: [await calls({ limit: 1, call: 1203 }), await calls({ limit: 1, call: 99_999 })],
    tasks: await kept.tasks('run1'),
    roots: [...new Set(roots)].sort(),
  }
}

/** What has ended takes less, and is what it was. */
export function testCompact(at: () => Fixture): void {
  it('makes ended runs smaller without a change of what anybody reads, and goes on with them', async () => {
    const { journal, records: kept, another } = at()
    await journal.create(aRun('run1'))
    await journal.append('run1', records(2600))
    await journal.create(aRun('small', { state: 'succeeded', endedAt: 9 }))
    await journal.append('small', [aCall(0), anOutcome(0)])
    const open = at()
    expect(await kept.compact({ endedBefore: 10_000 })).toBe(true)
    const before = { all: await journalSnapshot(open), lists: await lists(open) }
    await journal.append('run1', [{ kind: 'run', state: 'succeeded', at: 5000 }])
    const ended = { all: await journalSnapshot(open), lists: await lists(open) }
    expect(ended.lists).toEqual(before.lists)
    expect(await kept.compact({ endedBefore: 4999 })).toBe(true)
    expect(await kept.compact({ endedBefore: 5000 })).toBe(true)
    expect({ all: await journalSnapshot(open), lists: await lists(open) }).toEqual(ended)

    // another process goes on with it: with outcomes, and with calls that take frozen ones
    const other = await another()
    expect(await kept.compact({ endedBefore: 5000 })).toBe(true)
    const claim = await other.journal.claim('run1', owner)
    const loaded = await other.journal.load('run1')
    expect(loaded.map(({ call }) => call)).toEqual(Array.from({ length: 2600 }, (_, call) => call))
    await expect(other.journal.append('run1', [aCall(40)])).rejects.toEqual(code('ALM_BUG'))
    await claim?.release()
    await other.journal.claim('run1', owner)
    await other.journal.append('run1', [
      { kind: 'run', state: 'running', at: 6000 },
      { kind: 'forgotten', calls: [40, 1500], at: 6000 },
      anOutcome(5),
      aCall(2600, { name: 'after', argsWire: '[{"$":"future","call":2000,"path":[]}]' }),
    ])
    const goneOn = { all: await journalSnapshot(other), lists: await lists(other) }
    expect((await other.records.calls('run1', { call: 1500, limit: 1 }))[0]?.outcome).toBeUndefined()
    expect((await other.records.calls('run1', { call: 1501, limit: 1 }))[0]?.outcome).toBeDefined()
    expect((await other.records.tasks('run1')).at(-1)).toMatchObject({ name: 'after', inputs: ['odd'] })
    await other.journal.append('run1', [{ kind: 'run', state: 'failed', at: 7000 }])
    const after = { all: await journalSnapshot(other), lists: await lists(other) }
    expect(after.lists).toEqual(goneOn.lists)
    await other.journal.close()
    expect(await kept.compact({ endedBefore: 8000 })).toBe(true)
    expect({ all: await journalSnapshot(open), lists: await lists(open) }).toEqual(after)
    await kept.remove('run1')
    expect(await kept.calls('run1', { limit: 9 })).toEqual([])
    await journal.create(aRun('run1'))
    expect(await journal.load('run1')).toEqual([])
  })
}
