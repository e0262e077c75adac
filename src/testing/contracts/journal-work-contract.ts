import { expect, it } from 'vitest'
import { aDigest, aRun } from '../journal-records.ts'
import type { Fixture } from './journal-fixture.ts'

const some = (name: string, call = 1, run = 'run1') => ({ fingerprint: aDigest(name), run, call })

/** Of identical calls one is executed, over processes. */
export function testWork(at: () => Fixture): void {
  it('gives work to one process, and tells others who has it', async () => {
    const { work, another } = at()
    const other = await another()
    expect(await work.take([some('a'), some('b', 2)])).toEqual([])
    expect(await other.work.take([some('b', 7, 'run2'), some('c', 8, 'run2')])).toEqual([some('b', 2)])
    expect(await work.others()).toEqual([some('c', 8, 'run2')])
    expect(new Set(await other.work.others())).toEqual(new Set([some('a'), some('b', 2)]))
    await work.release([aDigest('b'), aDigest('c')])
    expect(await other.work.others()).toEqual([some('a')])
    expect(await other.work.take([some('b', 7, 'run2')])).toEqual([])
    expect(new Set(await work.others())).toEqual(new Set([some('b', 7, 'run2'), some('c', 8, 'run2')]))
  })

  it('ends a claim with the entry of the run cache', async () => {
    const { journal, work, another } = at()
    const other = await another()
    await journal.create(aRun('run1'))
    await work.take([some('a')])
    const entry = {
      kind: 'cache',
      fingerprint: aDigest('a'),
      name: 'qc',
      call: 1,
      valueWire: '1',
      digest: aDigest('value'),
      blobs: [],
      costMs: 5,
      at: 100,
      partsWire: '{}',
    } as const
    await journal.append('run1', [entry])
    expect(await other.work.others()).toEqual([])
    expect(await other.work.take([some('a', 3, 'run2')])).toEqual([])
  })

  it('ends claims with their process', async () => {
    const { work, another } = at()
    const other = await another()
    const third = await another()
    await other.work.take([some('a'), some('b')])
    expect(await work.take([some('a', 5)])).toEqual([some('a')])
    await other.journal.close()
    expect(await third.work.others()).toEqual([])
    expect(await work.take([some('a', 5), some('b', 6)])).toEqual([])
  })
}
