import { existsSync, readdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Digest, DirRef } from '../../model/refs.ts'
import { FileRef } from '../../model/refs.ts'
import { bytes, contents, managed, text } from '../../testing/contracts/data-fixture.ts'
import type { DiskPlace } from '../../testing/disk-place.ts'
import { diskPlace } from '../../testing/disk-place.ts'
import type { LocalDataPlane } from '../local-data-plane.ts'
import { openDataPlane } from '../open.ts'
import type { GarbageReport } from './garbage.ts'

let place: DiskPlace
let data: LocalDataPlane
const hour = 3_600_000

beforeEach(async () => {
  place = await diskPlace(async (root) => openDataPlane({ home: `${root}/.almanac`, data: `${root}/data` }))
  data = openDataPlane({ home: `${place.root}/.almanac`, data: `${place.root}/data` })
})

afterEach(async () => {
  await data.close()
  await place.dispose()
})

async function* these(roots: readonly Digest[]): AsyncGenerator<Digest> {
  yield* roots
}

/** A round, some hours from now. */
const collect = (roots: readonly Digest[], hours: number, dryRun = false): Promise<GarbageReport> =>
  data.collectGarbage({ roots: these(roots), dryRun, graceMs: hour, now: Date.now() + hours * hour })

const large = (name: string): Record<string, string> =>
  Object.fromEntries(Array.from({ length: 1200 }, (_, i) => [`${name}/${i}`, `${i % 50} ${name}`]))

describe('a collection', () => {
  it('frees what no root reaches in rounds more than a grace apart, and says before what it would do', async () => {
    const kept = await managed(data, large('kept'))
    const gone = await managed(data, { ...large('gone'), 'kept/1': '1 kept' })
    const file = await data.writeFile('x', bytes('kept file'))
    const roots = [kept.digest, file.digest]
    const first = await collect(roots, 0.01)
    expect(first).toMatchObject({ movedAside: 0, deleted: 0, missing: 0 })
    expect(first.unreachable).toBeGreaterThan(50)
    expect(await collect(roots, 0.5)).toEqual(first)
    expect(await collect(roots, 2, true)).toEqual({ ...first, movedAside: first.unreachable })
    expect(await collect(roots, 2)).toEqual({ ...first, movedAside: first.unreachable })
    expect(await collect(roots, 2)).toMatchObject({ unreachable: 0, deleted: 0 })
    expect(await collect(roots, 4, true)).toMatchObject({
      deleted: first.unreachable,
      freedBytes: first.unreachableBytes,
    })
    expect(await collect(roots, 4)).toMatchObject({
      deleted: first.unreachable,
      freedBytes: first.unreachableBytes,
    })
    expect(await data.available(gone)).toBe(false)
    expect(await contents(data, kept)).toEqual(large('kept'))
    expect(text(await data.readFile(file))).toBe('kept file')
    expect(await data.checkStore()).toMatchObject({ blobs: first.kept, bytes: first.keptBytes, damaged: [] })
  })

  it('takes nothing that was put again between its rounds', async () => {
    const file = await data.writeFile('x', bytes('wanted'))
    await collect([], 0)
    // dated anew: the marks begin again
    await data.writeFile('x', bytes('wanted'))
    expect(await collect([], 0.001)).toMatchObject({ movedAside: 0 })
    expect(await collect([], 0.9)).toMatchObject({ movedAside: 0 })
    expect(await data.available(file)).toBe(true)
  })

  it('gives back what it has moved aside, to whoever asks for it and to a root', async () => {
    const asked = await data.writeFile('x', bytes('asked'))
    const rooted = await data.writeFile('x', bytes('rooted'))
    await collect([], 0.01)
    expect(await collect([], 2)).toMatchObject({ movedAside: 2 })
    const trash = `${place.root}/.almanac/store/trash`
    expect(readdirSync(trash)).toHaveLength(2)
    expect(text(await data.readFile(asked))).toBe('asked')
    await collect([rooted.digest], 2)
    expect(readdirSync(trash)).toEqual([])
    expect(text(await data.readFile(rooted))).toBe('rooted')
  })

  it('gives back a directory that it has moved aside with all that is in it, to a root that came back', async () => {
    const dir = await managed(data, { a: 'A', 'sub/b': 'B' })
    await collect([], 0.01)
    expect(await collect([], 2)).toMatchObject({ movedAside: 4 })
    expect(await collect([dir.digest], 4)).toMatchObject({ deleted: 0, missing: 0 })
    expect(readdirSync(`${place.root}/.almanac/store/trash`)).toEqual([])
    expect(await contents(data, dir)).toEqual({ a: 'A', 'sub/b': 'B' })
  })

  it('keeps what is shown, and removes staged files that nothing needs', async () => {
    const shown = await managed(data, { 'a/1': 'one' })
    const path = await data.show('dev', 'group/shown', shown)
    const single = await data.writeFile('x', bytes('single'))
    const singlePath = await data.show('dev', 'single', single)
    const staged = await managed(data, { 'b/2': 'two' })
    const stagedPath = await data.open(staged)
    const filePath = await data.open(await data.writeFile('y', bytes('staged')))
    expect(await collect([], 0.01)).toMatchObject({ unstaged: 0 })
    expect(await collect([], 2)).toMatchObject({ unstaged: 2 })
    // to remove a link to a blob dates it anew, so it goes two rounds later
    await collect([], 4)
    await collect([], 6)
    expect([place.read(`${path}/a/1`), place.read(singlePath)]).toEqual(['one', 'single'])
    expect([existsSync(stagedPath), existsSync(filePath)]).toEqual([false, false])
    expect([await data.available(shown), await data.available(single), await data.available(staged)]).toEqual(
      [true, true, false],
    )
  })

  it('says of a root whose listings are not all there, and keeps the rest of it', async () => {
    const below = await managed(data, { '1': 'one' })
    const dir = await data.assemble([
      ['gone', below],
      ['kept', await managed(data, { '2': 'two' })],
    ])
    await (await data.blobs()).remove([below.digest])
    // as another process would read it
    await data.close()
    data = openDataPlane({ home: `${place.root}/.almanac`, data: `${place.root}/data` })
    expect(await collect([dir.digest], 0)).toMatchObject({ missing: 1, unreachable: 1, kept: 3 })
  })

  it('keeps what a file holds that only looks like a directory', async () => {
    const file = new FileRef('x', await (await data.blobs()).put(bytes('almanac-tree 1\nnonsense')), 23)
    expect(await collect([file.digest, 'no digest', '../../x'], 0)).toMatchObject({ kept: 1, missing: 1 })
    expect(await data.available(file)).toBe(true)
  })

  it('takes marks that are damaged as none', async () => {
    await data.writeFile('x', bytes('x'))
    await collect([], 0.01)
    place.write(`${place.root}/.almanac/garbage.txt`, 'nonsense\n\0 12\n')
    expect(await collect([], 2)).toMatchObject({ unreachable: 1, movedAside: 0 })
  })

  it('leaves a scan that finds nothing changed with all its listings', async () => {
    place.write(`${place.outside}/in/a/1`, 'one')
    const now = () => Date.now() + 60_000
    await data.close()
    data = openDataPlane({ home: `${place.root}/.almanac`, data: `${place.root}/data`, now })
    const dir = (await data.scan(`${place.outside}/in`)) as DirRef
    await collect([], 0.01)
    await collect([], 2)
    await collect([], 4)
    expect(await data.scan(`${place.outside}/in`)).toEqual(dir)
    await data.close()
    data = openDataPlane({ home: `${place.root}/.almanac`, data: `${place.root}/data`, now })
    expect(await contents(data, dir)).toEqual({ 'a/1': 'one' })
  })

  it('takes nothing that another process has pinned, however long it reads, and takes it when that has ended', async () => {
    const reader = openDataPlane({ home: `${place.root}/.almanac`, data: `${place.root}/data` })
    const read = await managed(reader, large('read'))
    const release = await reader.pin(read)
    const again = await reader.pin(read)
    expect(await data.pinned()).toEqual(new Set([read.digest]))
    for (const hours of [0.01, 2, 4, 1000, 2000, 3000])
      expect(await collect([], hours)).toMatchObject({ unreachable: 0, deleted: 0 })
    release()
    release()
    expect(await collect([], 4000)).toMatchObject({ unreachable: 0 })
    expect(await contents(reader, read)).toEqual(large('read'))
    again()
    expect((await data.pinned()).size).toBe(0)
    const { unreachable } = await collect([], 5000)
    expect(unreachable).toBeGreaterThan(50)
    await reader.pin(read)
    expect(await collect([], 5002)).toMatchObject({ unreachable: 0, movedAside: 0 })
    // with its process all that it had pinned is free
    await reader.close()
    expect((await data.pinned()).size).toBe(0)
    await collect([], 6000)
    expect(await collect([], 6002)).toMatchObject({ movedAside: unreachable })
  })
})
