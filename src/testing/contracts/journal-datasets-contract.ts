import { expect, it } from 'vitest'
import type { DatasetVersion } from '../../model/dataset.ts'
import type { NewVersion } from '../../ports/datasets.ts'
import { aDigest } from '../journal-records.ts'
import type { Fixture } from './journal-fixture.ts'
import { code } from './journal-fixture.ts'

const key = { environment: 'main', dataset: 'forecast/index', partition: '' }

const aVersion = (tree: string, more: Partial<NewVersion> = {}): NewVersion => ({
  ...key,
  digest: aDigest(tree),
  entries: 2,
  size: 30,
  kept: false,
  maker: 'data add',
  madeAt: 5,
  ...more,
})

const numbers = (versions: readonly DatasetVersion[]): number[] => versions.map(({ version }) => version)

/** Datasets and their versions. */
export function testDatasets(at: () => Fixture): void {
  it('numbers versions in the order of their commits, and gives them back as they were added', async () => {
    const { datasets, another } = at()
    const first = await datasets.add(aVersion('a', { parent: 0, run: 'run1', call: 3 }))
    expect(first).toEqual({ ...aVersion('a'), parent: 0, run: 'run1', call: 3, version: 1, seq: first.seq })
    const other = await another()
    const second = await other.datasets.add(aVersion('b', { at: '/data/raw', kept: true, parent: 1 }))
    expect(second).toEqual({
      ...aVersion('b', { at: '/data/raw', kept: true }),
      version: 2,
      parent: 1,
      seq: second.seq,
    })
    expect(second.seq).toBeGreaterThan(first.seq)
    expect(await datasets.version(key)).toEqual(second)
    expect(await datasets.version(key, 1)).toEqual(first)
    expect(await datasets.version(key, 3)).toBeUndefined()
    expect(await datasets.version({ ...key, environment: 'test' })).toBeUndefined()
    expect(await datasets.versions(key, { limit: 9 })).toEqual([second, first])
    expect(numbers(await datasets.versions(key, { limit: 9, before: 2 }))).toEqual([1])
    expect(numbers(await datasets.versions(key, { limit: 1 }))).toEqual([2])
  })

  it('refuses a version upon one that is not the newest, and says who made that', async () => {
    const { datasets, another } = at()
    await datasets.add(aVersion('a', { parent: 0 }))
    const other = (await another()).datasets
    const both = await Promise.allSettled([
      datasets.add(aVersion('b', { parent: 1 })),
      other.add(aVersion('c', { parent: 1 })),
    ])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(both.find(({ status }) => status === 'rejected')).toEqual({
      status: 'rejected',
      reason: expect.objectContaining({
        code: 'ALM_DATASET_MOVED',
        message:
          'Dataset forecast/index is at version 2 (made by data add), not at 1 as it was when it was read.',
      }),
    })
    await expect(datasets.add(aVersion('d', { parent: 0 }))).rejects.toEqual(code('ALM_DATASET_MOVED'))
    expect(numbers(await datasets.versions(key, { limit: 9 }))).toEqual([2, 1])
  })

  it('adds what a call adds once, and lets a run go on from its own versions', async () => {
    const { datasets } = at()
    const mine = { run: 'run1', call: 4, parent: 0 }
    const first = await datasets.add(aVersion('a', mine))
    expect(await datasets.add(aVersion('a', { ...mine, madeAt: 9 }))).toEqual(first)
    expect((await datasets.add(aVersion('b', mine))).version).toBe(2)
    expect((await datasets.add(aVersion('c', { ...mine, call: 5 }))).version).toBe(3)
    await datasets.add(aVersion('d'))
    await expect(datasets.add(aVersion('e', { ...mine, call: 6 }))).rejects.toEqual(code('ALM_DATASET_MOVED'))
    // an earlier attempt of the call did it, whatever came after
    expect(await datasets.add(aVersion('a', mine))).toEqual(await datasets.version(key, 3).then(() => first))
  })

  it('adds nothing where the newest version is the same, but notes that its content is kept', async () => {
    const { datasets } = at()
    const first = await datasets.add(aVersion('a', { at: '/raw' }))
    expect(await datasets.add(aVersion('a', { at: '/raw', maker: 'again' }))).toEqual(first)
    expect(await datasets.add(aVersion('a', { at: '/raw', kept: true }))).toEqual({ ...first, kept: true })
    expect(await datasets.version(key)).toEqual({ ...first, kept: true })
    expect((await datasets.add(aVersion('a'))).version).toBe(2)
  })

  it('keeps partitions apart', async () => {
    const { datasets } = at()
    const [may, june] = ['2026-05', '2026-06'].map((partition) => ({ ...key, partition })) as [
      typeof key,
      typeof key,
    ]
    await datasets.add(aVersion('a', may))
    await datasets.add(aVersion('b', { ...may, parent: 1 }))
    expect((await datasets.add(aVersion('c', { ...june, parent: 0 }))).version).toBe(1)
    expect((await datasets.version(may))?.digest).toBe(aDigest('b'))
    expect(await datasets.version(key)).toBeUndefined()
  })

  it('refuses names that are no plain paths, that differ in case, or lie within another', async () => {
    const { datasets } = at()
    const refused = async (dataset: string) => {
      const error = await datasets.add(aVersion('a', { dataset })).then(
        () => undefined,
        (failure: unknown) => failure,
      )
      expect(error, dataset).toEqual(code('ALM_DATASET_NAME'))
    }
    for (const name of [
      '',
      '/',
      '/a',
      'a/',
      'a//b',
      '..',
      'a/../b',
      '.hidden',
      'a\nb',
      'a\0b',
      'a\\b',
      'a@1',
    ])
      await refused(name)
    for (const name of ['e\u0301', ' a', 'a ', 'x'.repeat(81), '\ud800']) await refused(name)
    await datasets.add(aVersion('a', { dataset: 'Forecast/Index' }))
    for (const name of ['forecast/index', 'Forecast', 'Forecast/Index/part', 'forecast/INDEX/x'])
      await refused(name)
    await datasets.add(aVersion('a', { dataset: 'Forecast/Index2' }))
    await datasets.add(aVersion('a', { dataset: 'forecast/index', environment: 'test' }))
    await datasets.remove({ ...key, dataset: 'Forecast/Index' }, undefined, 9)
    await datasets.add(aVersion('a'))
  })

  it('lists datasets by name with source and newest version', async () => {
    const { datasets, another } = at()
    const source = { path: '/raw', exclude: ['*.x'], settleMs: 10, keep: true }
    await datasets.setSource({ environment: 'main', dataset: 'raw' }, source, 1)
    const version = await datasets.add(aVersion('a'))
    const newest = await datasets.add(aVersion('b'))
    await datasets.add(aVersion('c', { environment: 'test' }))
    const rows = [
      { dataset: 'forecast/index', newest },
      { dataset: 'raw', source },
    ]
    expect(newest.parent).toBe(version.version)
    expect(await (await another()).datasets.list('main', { limit: 9 })).toEqual(rows)
    expect(await datasets.list('main', { limit: 1 })).toEqual(rows.slice(0, 1))
    expect(await datasets.list('main', { limit: 1, after: 'forecast/index' })).toEqual(rows.slice(1))
    expect(await datasets.source({ environment: 'main', dataset: 'raw' })).toEqual(source)
    await datasets.setSource({ environment: 'main', dataset: 'raw' }, undefined, 2)
    expect(await datasets.list('main', { limit: 9 })).toEqual(rows.slice(0, 1))
  })

  it('removes versions for good: their numbers are not given again', async () => {
    const { datasets, cache } = at()
    const roots = async () => {
      const found = new Set<string>()
      for await (const digest of cache.roots()) found.add(digest)
      return found
    }
    for (const tree of ['a', 'b', 'c']) await datasets.add(aVersion(tree))
    expect(await roots()).toEqual(new Set(['a', 'b', 'c'].map(aDigest)))
    expect(await datasets.remove(key, [1, 3, 7], 9)).toBe(2)
    expect(numbers(await datasets.versions(key, { limit: 9 }))).toEqual([2])
    expect(await roots()).toEqual(new Set([aDigest('b')]))
    expect((await datasets.add(aVersion('d', { parent: 2 }))).version).toBe(4)
    expect(await datasets.remove(key, undefined, 9)).toBe(2)
    expect(await datasets.list('main', { limit: 9 })).toEqual([])
    expect((await datasets.add(aVersion('a', { parent: 0 }))).version).toBe(5)
    expect(await datasets.remove({ ...key, dataset: 'none' }, undefined, 9)).toBe(0)
  })
}
