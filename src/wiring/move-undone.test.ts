import { mkdirSync, mkdtempSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { removeTree } from '../data/files/remove-tree.ts'
import type { LocalDataPlane } from '../data/local-data-plane.ts'
import { openDataPlane } from '../data/open.ts'
import { addToDataset } from '../engine/datasets/add-dataset.ts'
import { openMemoryJournal } from '../journal/memory/open.ts'
import type { Publish } from '../ports/datasets.ts'

const names = ['a', 'sub/b'] as const
let root: string
let raw: string
let data: LocalDataPlane

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'almanac-undone-'))
  raw = join(root, 'raw')
  mkdirSync(join(raw, 'sub'), { recursive: true })
  for (const name of names) {
    writeFileSync(join(raw, name), `content of ${name}\n`)
    utimesSync(join(raw, name), 1_700_000_000, 1_700_000_000)
  }
  data = openDataPlane({ home: join(root, '.almanac'), data: join(root, 'data') })
})
afterEach(async () => {
  await data.close()
  removeTree(root)
})

const statOf = (name: string) => {
  const { mode, mtimeMs, nlink } = statSync(join(raw, name))
  return { mode, mtimeMs, nlink }
}

it('a version that cannot be published leaves everything in its place, unless it is on record', async () => {
  const journal = openMemoryJournal()
  const before = names.map(statOf)
  const add = (publish: Publish) =>
    addToDataset(
      { datasets: journal.datasets, data, publish, now: () => 1 },
      { environment: 'main', dataset: 'raw', path: raw, how: 'move' },
    )
  const fails: Publish = async () => {
    throw new Error('full')
  }
  await expect(add(fails)).rejects.toThrow('full')
  expect(names.map(statOf)).toEqual(before)

  const recordsAndFails: Publish = async ({ dir, dataset, environment, maker }) => {
    const { digest, entries, size } = dir
    const key = { environment, dataset, partition: '' }
    await journal.datasets.add({ ...key, digest, entries, size, kept: false, maker, madeAt: 1 })
    throw new Error('not shown')
  }
  await expect(add(recordsAndFails)).rejects.toThrow('not shown')
  expect(names.map((name) => statOf(name).nlink)).toEqual([2, 2])
  await journal.journal.close()
})
