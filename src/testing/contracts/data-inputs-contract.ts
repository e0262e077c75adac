import { expect, it } from 'vitest'
import { type DirRef, FileRef } from '../../model/refs.ts'
import type { DataFixture } from './data-fixture.ts'
import { contents, failure, listed, managed, plain, plant } from './data-fixture.ts'

/** What lies with the user: scanned, left in place, and watched. */
export function testInputs(at: () => DataFixture): void {
  it('scans a file where it lies', async () => {
    const { data, place } = at()
    place.write(`${place.outside}/a/run.sh`, '#!/bin/sh', true)
    place.write(`${place.outside}/a/x.nc`, 'hello')
    const hello = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
    expect(await data.scan(`${place.outside}/a/x.nc`)).toEqual(
      new FileRef('x.nc', hello, 5, false, `${place.outside}/a/x.nc`),
    )
    expect(await data.scan(`${place.outside}/a/run.sh`)).toMatchObject({
      name: 'run.sh',
      size: 9,
      executable: true,
    })
  })

  it('scans a directory: its files in order of path, and its empty directories', async () => {
    const { data, place } = at()
    const root = plant(place, `${place.outside}/in`, {
      'b/2': 'two',
      'b.nc': '!',
      'a/1': 'one',
      'none/': '',
      'a/é/ü': 'ü',
      '\u{1F600}': 's',
      '\uFB01': 'f',
    })
    const dir = (await data.scan(root)) as DirRef
    expect({ entries: dir.entries, size: dir.size, at: dir.at }).toEqual({ entries: 6, size: 11, at: root })
    const entries = await listed(data.entries(dir))
    expect(entries.map(({ path, kind, size }) => [path, kind, size])).toEqual([
      ['a/1', 'file', 3],
      ['a/é/ü', 'file', 2],
      ['b/2', 'file', 3],
      ['b.nc', 'file', 1],
      ['none', 'empty-dir', 0],
      ['\uFB01', 'file', 1],
      ['\u{1F600}', 'file', 1],
    ])
  })

  it('gives a directory a digest by what is in it, not by where it lies', async () => {
    const { data, place } = at()
    const files = { 'a/1': 'one', 'b/2': 'two' }
    const here = await data.scan(plant(place, `${place.outside}/here`, files))
    const there = await data.scan(plant(place, `${place.outside}/deep/there`, files))
    expect(plain(here)).toEqual(plain(there))
    expect(plain(await managed(data, files))).toEqual(plain(here))
    place.write(`${place.outside}/here/a/1`, 'one', true)
    expect((await data.scan(`${place.outside}/here`)).digest).not.toBe(here.digest)
    const other = await data.scan(plant(place, `${place.outside}/other`, { 'a/1': 'one', 'c/2': 'two' }))
    expect(other.digest).not.toBe(here.digest)
  })

  it('sees an addition, a change and a removal at the next scan', async () => {
    const { data, place } = at()
    const root = plant(place, `${place.outside}/in`, { 'a/1': 'one', 'a/2': 'two', 'b/3': 'three' })
    const before = (await data.scan(root)) as DirRef
    place.write(`${root}/a/0`, 'zero')
    place.write(`${root}/a/2`, 'TWO')
    place.remove(`${root}/b/3`)
    const after = (await data.scan(root)) as DirRef
    const changes = await listed(data.diff(before, after))
    expect(changes.map(({ path, before: was, after: is }) => [path, was?.kind, is?.kind])).toEqual([
      ['a/0', undefined, 'file'],
      ['a/2', 'file', 'file'],
      ['b', undefined, 'empty-dir'],
      ['b/3', 'file', undefined],
    ])
    expect(await contents(data, after)).toEqual({ 'a/0': 'zero', 'a/1': 'one', 'a/2': 'TWO', b: undefined })
  })

  it('leaves out files that are half there, or those it is told to', async () => {
    const { data, place } = at()
    const root = plant(place, `${place.outside}/in`, {
      'a.nc': '1',
      'b.nc.part': '2',
      'c/.DS_Store': '3',
      'c/d.nc': '4',
      'c/d.nc.idx': '5',
      'e.txt': '6',
    })
    const paths = async (options?: object) =>
      (await listed(data.entries((await data.scan(root, options)) as DirRef))).map(({ path }) => path)
    expect(await paths()).toEqual(['a.nc', 'c/d.nc', 'e.txt'])
    expect(await paths({ include: ['*.nc'] })).toEqual(['a.nc', 'c/d.nc'])
    expect(await paths({ include: ['c/**'] })).toEqual(['c/d.nc'])
    expect(await paths({ include: ['*.txt'] })).toEqual(['e.txt'])
    expect(await paths({ exclude: ['c'] })).toEqual(['a.nc', 'b.nc.part', 'e.txt'])
    expect(await paths({ exclude: ['**/*.nc', '*.part'] })).toEqual(['c/.DS_Store', 'c/d.nc.idx', 'e.txt'])
  })

  it('refuses a path where nothing is', async () => {
    const { data, place } = at()
    const path = `${place.outside}/none`
    await expect(data.scan(path)).rejects.toEqual(failure('ALM_INPUT_MISSING', { path }))
  })

  it('opens what lies with the user where it lies, and parts of it too', async () => {
    const { data, place } = at()
    const root = plant(place, `${place.outside}/in`, { 'a/1': 'one', 'a/b/2': 'two' })
    const dir = (await data.scan(root)) as DirRef
    expect(await data.open(dir)).toBe(root)
    const file = await data.fileAt(dir, 'a/1')
    expect(file).toMatchObject({ name: '1', size: 3, at: `${root}/a/1` })
    expect(await data.open(file as FileRef)).toBe(`${root}/a/1`)
    const below = (await data.dirAt(dir, 'a')) as DirRef
    expect({ entries: below.entries, size: below.size, at: below.at }).toEqual({
      entries: 2,
      size: 6,
      at: `${root}/a`,
    })
    expect(await contents(data, below)).toEqual({ 'b/2': 'two', '1': 'one' })
    expect(await data.fileAt(dir, 'a')).toBeUndefined()
    expect(await data.dirAt(dir, 'a/1')).toBeUndefined()
    expect(await data.fileAt(dir, 'a/none')).toBeUndefined()
    await data.verify([dir, file as FileRef, below])
  })

  it('names the file that changed between scan and use', async () => {
    const { data, place } = at()
    const root = plant(place, `${place.outside}/in`, { 'a/1': 'one', 'a/2': 'two' })
    const dir = (await data.scan(root)) as DirRef
    const file = (await data.fileAt(dir, 'a/2')) as FileRef
    const single = await data.scan(`${root}/a/2`)
    expect(await data.available(dir)).toBe(true)
    place.write(`${root}/a/2`, 'TWO')
    const changed = failure('ALM_INPUT_CHANGED', { path: `${root}/a/2` })
    for (const ref of [dir, file, single]) await expect(data.verify([ref])).rejects.toEqual(changed)
    await expect(data.readFile(file)).rejects.toEqual(changed)
    expect([await data.available(dir), await data.available(file)]).toEqual([false, false])
    place.write(`${root}/a/2`, 'two')
    await data.verify([dir, file, single])
    expect([await data.available(dir), await data.available(file)]).toEqual([true, true])
  })

  it('names what was added to or removed from a directory in use', async () => {
    const { data, place } = at()
    const root = plant(place, `${place.outside}/in`, { 'a/1': 'one', 'a/2': 'two', 'a/x.part': 'half' })
    const dir = (await data.scan(root)) as DirRef
    place.write(`${root}/a/x.part`, 'more')
    await data.verify([dir])
    place.write(`${root}/a/15`, 'new')
    await expect(data.verify([dir])).rejects.toEqual(failure('ALM_INPUT_CHANGED', { path: `${root}/a/15` }))
    place.remove(`${root}/a/15`)
    await data.verify([dir])
    place.remove(`${root}/a/2`)
    await expect(data.verify([dir])).rejects.toEqual(failure('ALM_INPUT_CHANGED', { path: `${root}/a/2` }))
  })

  it('holds a directory to the globs with which it was scanned', async () => {
    const { data, place } = at()
    const root = plant(place, `${place.outside}/in`, { 'a.nc': '1', 'b.txt': '2' })
    const dir = (await data.scan(root, { include: ['*.nc'] })) as DirRef
    place.write(`${root}/b.txt`, 'changed')
    await data.verify([dir])
    place.write(`${root}/c.nc`, 'new')
    await expect(data.verify([dir])).rejects.toEqual(failure('ALM_INPUT_CHANGED', { path: `${root}/c.nc` }))
  })

  it('makes a directory of some of the user’s files, which stay where they are', async () => {
    const { data, place } = at()
    const root = plant(place, `${place.outside}/in`, { 'a/1.nc': 'one', 'a/2.nc': 'two', 'b/3.nc': 'three' })
    const all = (await data.scan(root)) as DirRef
    const some = await data.edit(all, new Map([['a/2.nc', undefined]]))
    expect(await contents(data, some)).toEqual({ 'a/1.nc': 'one', 'b/3.nc': 'three' })
    expect((await data.fileAt(some, 'b/3.nc'))?.at).toBe(`${root}/b/3.nc`)
    const path = await data.open(some)
    expect([
      place.read(`${path}/a/1.nc`),
      place.read(`${path}/b/3.nc`),
      place.read(`${path}/a/2.nc`),
    ]).toEqual(['one', 'three', undefined])
    await data.verify([some])
    expect(await data.available(some)).toBe(true)
    place.write(`${root}/b/3.nc`, 'THREE')
    await expect(data.verify([some])).rejects.toEqual(
      failure('ALM_INPUT_CHANGED', { path: `${root}/b/3.nc` }),
    )
    expect(await data.available(some)).toBe(false)
    const three = (await data.fileAt(all, 'b/3.nc')) as FileRef
    await expect(data.open(await data.assemble([['c.nc', three]]))).rejects.toEqual(
      failure('ALM_INPUT_CHANGED', { path: `${root}/b/3.nc` }),
    )
  })

  it('gives a file under another name at a path of that name', async () => {
    const { data, place } = at()
    place.write(`${place.outside}/x.nc`, 'hello')
    const file = (await data.scan(`${place.outside}/x.nc`)) as FileRef
    const dir = await data.assemble([['sub/y.nc', file]])
    const renamed = (await data.fileAt(dir, 'sub/y.nc')) as FileRef
    const path = await data.open(renamed)
    expect([path.split('/').at(-1), place.read(path)]).toEqual(['y.nc', 'hello'])
    await data.verify([renamed])
  })
}
