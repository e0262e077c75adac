import { expect, it } from 'vitest'
import { aCall, aDigest, anAsk, anOutcome, aRun } from '../journal-records.ts'
import type { Fixture } from './journal-fixture.ts'
import { anyone, code } from './journal-fixture.ts'

const anEntry = (
  call: number,
  more: { readonly fingerprint?: string; readonly at?: number; readonly name?: string } = {},
) => ({
  kind: 'cache' as const,
  fingerprint: aDigest('same'),
  name: 'qc',
  call,
  valueWire: `{"n":${call}}`,
  digest: aDigest(`value ${call}`),
  blobs: [aDigest(`blob ${call}`)],
  costMs: 12.5,
  at: 100 + call,
  partsWire: '{}',
  ...more,
})

const entry = ({ kind: _, ...rest }: ReturnType<typeof anEntry>, run: string) => ({ ...rest, run })

const base = {
  kind: 'base',
  base: aDigest('base'),
  environment: 'prod',
  call: 1,
  input: aDigest('tree'),
  valueWire: '1',
  at: 5,
} as const

/** The run cache. */
export function testCache(at: () => Fixture): void {
  it('finds the first entry of a fingerprint that is young enough', async () => {
    const { journal, cache, another } = at()
    await journal.create(aRun('run1'))
    await journal.create(aRun('run2'))
    await journal.append('run1', [anEntry(1)])
    await journal.append('run2', [anEntry(2), anEntry(3, { fingerprint: aDigest('another one') })])
    expect(await cache.find(aDigest('same'), 0)).toEqual(entry(anEntry(1), 'run1'))
    expect(await cache.find(aDigest('same'), 101)).toEqual(entry(anEntry(1), 'run1'))
    expect(await (await another()).cache.find(aDigest('same'), 102)).toEqual(entry(anEntry(2), 'run2'))
    expect(await cache.find(aDigest('same'), 103)).toBeUndefined()
    expect(await cache.find(aDigest('none'), 0)).toBeUndefined()
  })

  it('finds the newest entry of a name, and forgets entries by fingerprint', async () => {
    const { journal, cache } = at()
    await journal.create(aRun('run1'))
    await journal.append('run1', [
      anEntry(1),
      anEntry(2, { fingerprint: aDigest('b') }),
      anEntry(3, { name: 'index' }),
    ])
    expect(await cache.nearest('qc')).toEqual(entry(anEntry(2, { fingerprint: aDigest('b') }), 'run1'))
    expect(await cache.nearest('none')).toBeUndefined()
    await cache.forget([aDigest('b'), aDigest('none')])
    expect(await cache.nearest('qc')).toEqual(entry(anEntry(1), 'run1'))
    await cache.forget([aDigest('same')])
    expect(await cache.find(aDigest('same'), 0)).toBeUndefined()
    expect(await cache.nearest('index')).toBeUndefined()
  })

  it('keeps what was shown with an entry and a base, and not in lists of entries', async () => {
    const { journal, cache, entries } = at()
    await journal.create(aRun('run1'))
    const shownWire = `[{"type":"metric","name":"rmse","body":{"value":1}}]`
    await journal.append('run1', [
      { ...anEntry(1), shownWire },
      { ...base, shownWire },
    ])
    expect(await cache.find(aDigest('same'), 0)).toEqual({ ...entry(anEntry(1), 'run1'), shownWire })
    expect(await cache.nearest('qc')).toEqual({ ...entry(anEntry(1), 'run1'), shownWire })
    expect((await cache.findBase(base.base, 'prod'))?.shownWire).toBe(shownWire)
    expect((await entries.list({ limit: 9 })).map((one) => 'shownWire' in one)).toEqual([false])
  })

  it('finds the newest base of a map in an environment', async () => {
    const { journal, cache } = at()
    await journal.create(aRun('run1'))
    await journal.append('run1', [base, { ...base, environment: 'test', call: 3 }, { ...base, call: 2 }])
    const { kind: _, ...bare } = base
    expect(await cache.findBase(base.base, 'prod')).toEqual({ ...bare, call: 2, run: 'run1' })
    expect(await cache.findBase(base.base, 'test')).toEqual({
      ...bare,
      environment: 'test',
      call: 3,
      run: 'run1',
    })
    expect(await cache.findBase(base.base, 'none')).toBeUndefined()
    await cache.forget([base.base])
    expect(await cache.findBase(base.base, 'prod')).toBeUndefined()
  })

  it('names every blob that entries, bases and kept runs need', async () => {
    const { journal, records, cache } = at()
    const file = (name: string) => `{"x":{"$":"file","name":"f","digest":"${aDigest(name)}","size":1}}`
    const spilled = (name: string) => `{"$":"spilled","digest":"${aDigest(name)}","size":1}`
    const triggered = aRun('run2', { state: 'scheduled', inputWire: file('scheduled') })
    await journal.create(aRun('run1', { inputWire: file('input') }))
    await journal.send('run1', { name: 'found', valueWire: file('message'), by: 'eve', at: 1 })
    await journal.append('run1', [
      aCall(0, { argsWire: file('argument') }),
      aCall(1),
      { kind: 'triggered', call: 1, run: triggered },
      anOutcome(0, { valueWire: spilled('value') }),
      { ...anAsk(1), showWire: file('shown') },
      { kind: 'note', type: 'artifact', name: 'plot', bodyWire: file('artifact'), at: 1 },
      { ...anEntry(1), valueWire: spilled('entry'), shownWire: `[${file('picture')}]` },
      {
        ...base,
        input: aDigest('mapped'),
        valueWire: file('mapping'),
        shownWire: `[${file('entry picture')}]`,
      },
      { kind: 'run', state: 'succeeded', at: 9, outputWire: spilled('output') },
    ])
    await journal.answer('run1', 1, file('answer'), 'eve', 1)
    const roots = async () => {
      const found = new Set<string>()
      for await (const digest of cache.roots()) found.add(digest)
      return found
    }
    const ofCache = ['blob 1', 'entry', 'picture', 'mapped', 'mapping', 'entry picture'].map(aDigest)
    const ofRun = ['input', 'argument', 'value', 'shown', 'artifact', 'output', 'answer', 'message'].map(
      aDigest,
    )
    expect(await roots()).toEqual(new Set([...ofCache, ...ofRun, aDigest('scheduled')]))
    await records.remove('run1')
    expect(await roots()).toEqual(new Set([...ofCache, aDigest('scheduled')]))
  })
}

/** Runs: removed. */
export function testRemoval(at: () => Fixture): void {
  it('removes a run that has ended with all that is only its own, and keeps its cache entries', async () => {
    const { journal, records, cache } = at()
    await journal.create(aRun('run1'))
    await journal.create(aRun('run2'))
    const note = { kind: 'note', call: 0, type: 'event', name: 'a', bodyWire: '1', at: 1 } as const
    const attempt = { kind: 'attempt', call: 0, attempt: 1, phase: 'started', startedAt: 1, at: 1 } as const
    const parts = {
      kind: 'parts',
      call: 0,
      fingerprint: aDigest('f'),
      partsWire: '{}',
      verdict: 'miss',
    } as const
    const all = [aCall(0), aCall(1), anAsk(1), anOutcome(0), note, attempt, parts, anEntry(0)]
    await journal.append('run1', [...all, { kind: 'run', state: 'succeeded', at: 9 }])
    await journal.append('run2', all)
    await records.remove('run1')
    await expect(journal.load('run1')).rejects.toEqual(code('ALM_RUN_UNKNOWN'))
    expect((await records.runs({ limit: 9 })).map(({ id }) => id)).toEqual(['run2'])
    expect(await cache.find(aDigest('same'), 0)).toEqual(entry(anEntry(0), 'run1'))
    // a run of the same id begins with nothing
    await journal.create(aRun('run1'))
    expect(await journal.load('run1')).toEqual([])
    expect(await records.notes('run1', { limit: 9 })).toEqual([])
    expect(await records.attempts('run1', 0)).toEqual([])
    expect(await records.parts('run1', 0)).toBeUndefined()
    expect(await records.asks(undefined, { open: true })).toEqual([{ ...anAsk(1), run: 'run2' }])
    expect((await journal.load('run2')).length).toBe(2)
  })

  it('keeps a run that has not ended, or that a process still has', async () => {
    const { journal, records, another } = at()
    const other = await another()
    await journal.create(aRun('run1'))
    await expect(records.remove('run1')).rejects.toEqual(code('ALM_RUN_ACTIVE'))
    const claim = await other.journal.claim('run1', anyone)
    await other.journal.append('run1', [{ kind: 'run', state: 'failed', at: 1 }])
    await expect(records.remove('run1')).rejects.toEqual(code('ALM_RUN_ACTIVE'))
    await claim?.release()
    await records.remove('run1')
    expect(await records.run('run1')).toBeUndefined()
  })
}
