import { expect, it } from 'vitest'
import { aCall, aDigest, anOutcome, aRun } from '../journal-records.ts'
import type { Fixture } from './journal-fixture.ts'

const anEntry = (
  call: number,
  more: { readonly fingerprint?: string; readonly name?: string; readonly digest?: string } & Partial<
    Record<'replaces' | 'varies', true>
  > = {},
) => ({
  kind: 'cache' as const,
  fingerprint: aDigest(`fingerprint ${call}`),
  name: 'qc',
  call,
  valueWire: `{"n":${call}}`,
  digest: aDigest('value'),
  blobs: [aDigest(`blob ${call}`)],
  costMs: 1000,
  at: 100 + call,
  partsWire: '{}',
  bytes: 10,
  ...more,
})

const aHit = (call: number, of: number, at: number) =>
  anOutcome(call, { reason: 'cached', fingerprint: aDigest(`fingerprint ${of}`), endedAt: at, costMs: 1000 })

/** The run cache as people read and clear it. */
export function testEntries(at: () => Fixture): void {
  const fill = async (): Promise<Fixture> => {
    const fixture = at()
    const { journal } = fixture
    await journal.create(aRun('run1'))
    await journal.create(aRun('run2'))
    await journal.append('run1', [anEntry(1), anEntry(2), anEntry(3, { name: 'index' })])
    await journal.append('run2', [aCall(1), aCall(2), aHit(1, 1, 900), aHit(2, 1, 950)])
    return fixture
  }
  const callsOf = async ({ entries }: Fixture, query: { readonly name?: string; readonly prefix?: string }) =>
    (await entries.list({ ...query, limit: 9 })).map(({ call }) => call)

  it('lists entries newest first, by name and fingerprint, page by page, with their use', async () => {
    const fixture = await fill()
    const { entries } = fixture
    expect(await callsOf(fixture, {})).toEqual([3, 2, 1])
    expect(await callsOf(fixture, { name: 'qc' })).toEqual([2, 1])
    expect(await callsOf(fixture, { prefix: aDigest('fingerprint 2').slice(0, 40) })).toEqual([2])
    expect(await callsOf(fixture, { prefix: aDigest('fingerprint 2') })).toEqual([2])
    expect(await callsOf(fixture, { prefix: "x' OR 1" })).toEqual([])
    const [first] = await entries.list({ limit: 1 })
    const rest = await entries.list({ limit: 5, before: first?.seq ?? 0 })
    expect(rest.map(({ call }) => call)).toEqual([2, 1])
    const { kind: _, ...kept } = anEntry(1)
    expect(rest[1]).toEqual({ ...kept, run: 'run1', seq: rest[1]?.seq, hits: 2, usedAt: 950 })
  })

  it('tells what was saved by name, also by entries that are gone and by maps', async () => {
    const { entries, journal, records, cache } = await fill()
    const qc = { name: 'qc', entries: 2, bytes: 20, hits: 2, savedMs: 2000, savedBytes: 20, varied: 0 }
    const index = { name: 'index', entries: 1, bytes: 10, hits: 0, savedMs: 0, savedBytes: 0, varied: 0 }
    expect(await entries.savings()).toEqual([index, qc])
    expect((await records.run('run2'))?.savedMs).toBe(2000)
    expect((await records.run('run1'))?.savedMs).toBeUndefined()
    await cache.forget([aDigest('fingerprint 1')])
    expect(await entries.savings()).toEqual([index, { ...qc, entries: 1, bytes: 10 }])
    await journal.append('run2', [
      aCall(3, { name: 'index', call_kind: 'map' }),
      anOutcome(3, { map: { executed: 1, carried: 9, removed: 0, savedMs: 4500 } }),
    ])
    expect(await entries.savings()).toEqual([
      { ...index, hits: 9, savedMs: 4500 },
      { ...qc, entries: 1, bytes: 10 },
    ])
    expect((await records.run('run2'))?.savedMs).toBe(6500)
  })

  it('clears entries by name, fingerprint, age of their last use, number and bytes; says before which', async () => {
    const fixture = await fill()
    const { entries } = fixture
    const one = { entries: 1, bytes: 10 }
    expect(await entries.clear({ notSince: 500, dryRun: true })).toEqual({ entries: 2, bytes: 20 })
    expect(await entries.clear({ name: 'index', notSince: 103 })).toEqual({ entries: 0, bytes: 0 })
    expect(await entries.clear({ name: 'index' })).toEqual(one)
    expect(await callsOf(fixture, {})).toEqual([2, 1])
    // the one that was used last stays
    expect(await entries.clear({ maxEntries: 1, dryRun: true })).toEqual(one)
    expect(await entries.clear({ maxBytes: 19 })).toEqual(one)
    expect(await callsOf(fixture, {})).toEqual([1])
    expect(await entries.clear({ maxBytes: 10, maxEntries: 1 })).toEqual({ entries: 0, bytes: 0 })
    expect(await entries.clear({ prefix: aDigest('fingerprint 1').slice(0, 40) })).toEqual(one)
    expect(await entries.clear({})).toEqual({ entries: 0, bytes: 0 })
  })

  it('clears results of maps with the entries of their task', async () => {
    const { entries, journal, cache } = await fill()
    const base = {
      kind: 'base',
      base: aDigest('base'),
      name: 'qc',
      environment: 'main',
      call: 1,
      input: aDigest('tree'),
      valueWire: '1',
      at: 500,
      costMs: 70,
    } as const
    await journal.append('run1', [base])
    const { kind: _, ...bare } = base
    expect(await cache.findBase(aDigest('base'), 'main')).toEqual({ ...bare, run: 'run1' })
    await entries.clear({ name: 'index' })
    await entries.clear({ name: 'qc', notSince: 500 })
    expect(await cache.findBase(aDigest('base'), 'main')).toBeDefined()
    await entries.clear({ name: 'qc' })
    expect(await cache.findBase(aDigest('base'), 'main')).toBeUndefined()
  })

  it('records executions of one fingerprint that gave different results', async () => {
    const { entries, journal, cache } = await fill()
    const again = { fingerprint: aDigest('fingerprint 1') }
    await journal.append('run2', [anEntry(5, again)])
    expect(await entries.variations({ limit: 9 })).toEqual([])
    await journal.append('run2', [anEntry(6, { ...again, digest: aDigest('other') })])
    await journal.append('run2', [anEntry(7, { ...again, digest: aDigest('third'), varies: true })])
    const one = {
      fingerprint: aDigest('fingerprint 1'),
      name: 'qc',
      digest: aDigest('value'),
      other: aDigest('other'),
      run: 'run2',
      call: 6,
      at: 106,
    }
    expect(await entries.variations({ limit: 9 })).toEqual([one])
    expect(await entries.variations({ name: 'index', limit: 9 })).toEqual([])
    expect(await entries.variations({ run: 'run2', fingerprint: one.fingerprint, limit: 9 })).toEqual([one])
    expect((await entries.savings()).find(({ name }) => name === 'qc')?.varied).toBe(1)
    // the first wins, until one takes the place of all before it
    expect((await cache.find(again.fingerprint, 0))?.call).toBe(1)
    await journal.append('run2', [anEntry(8, { ...again, replaces: true })])
    expect((await cache.find(again.fingerprint, 0))?.call).toBe(8)
    expect((await entries.list({ prefix: again.fingerprint, limit: 9 })).map(({ call }) => call)).toEqual([8])
  })

  it('keeps the parts that a call had before an edit', async () => {
    const { journal, records } = at()
    await journal.create(aRun('run1'))
    const parts = { kind: 'parts', call: 0, fingerprint: aDigest('f'), verdict: 'miss' } as const
    await journal.append('run1', [aCall(0), { ...parts, partsWire: '{"a":"1"}' }])
    await journal.append('run1', [{ ...parts, partsWire: '{"a":"1"}', verdict: 'hit' }])
    expect(await records.parts('run1', 0)).toEqual({ ...parts, partsWire: '{"a":"1"}', verdict: 'hit' })
    const edited = { ...parts, fingerprint: aDigest('g'), partsWire: '{"a":"2"}' }
    await journal.append('run1', [edited])
    await journal.append('run1', [{ ...edited, verdict: 'hit' }])
    expect(await records.parts('run1', 0)).toEqual({ ...edited, verdict: 'hit', beforeWire: '{"a":"1"}' })
  })
}
