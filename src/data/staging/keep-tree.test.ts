import { appendFileSync, existsSync, lstatSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DirRef } from '../../model/refs.ts'
import { contents, failure } from '../../testing/contracts/data-fixture.ts'
import type { DiskPlace } from '../../testing/disk-place.ts'
import { diskPlace } from '../../testing/disk-place.ts'
import { takeFile } from '../blobs/take-file.ts'
import { shard } from '../files/home.ts'
import { removeTree } from '../files/remove-tree.ts'
import type { LocalDataPlane } from '../local-data-plane.ts'
import { openDataPlane } from '../open.ts'

let place: DiskPlace
let data: LocalDataPlane
let raw: string
const hour = 3_600_000
const open = (now?: () => number) =>
  openDataPlane({ home: `${place.root}/.almanac`, data: `${place.root}/data`, ...(now && { now }) })
const blob = (digest: string) => shard(`${place.root}/.almanac/store`, digest)
const bare = ({ digest, entries, size }: DirRef) => new DirRef(digest, entries, size)

beforeEach(async () => {
  place = await diskPlace(async () => open())
  data = open()
  raw = `${place.outside}/raw`
  for (const name of ['a', 'b', 'sub/c']) place.write(`${raw}/${name}`, `content of ${name}`)
})

afterEach(async () => {
  await data.close()
  await place.dispose()
})

it('copies what lies with the user into the store, and shares no bytes with it', async () => {
  place.write(`${raw}/large`, 'x'.repeat(5 << 20))
  const dir = (await data.scan(raw)) as DirRef
  const kept = await data.keep(dir)
  expect(kept).toEqual(bare(dir))
  for await (const { kind, digest, path } of data.entries(dir)) {
    if (kind !== 'file') continue
    expect(lstatSync(blob(digest)).nlink, path).toBe(1)
    expect(lstatSync(`${raw}/${path}`).nlink, path).toBe(1)
  }
  await data.sync()
  removeTree(raw)
  expect(await contents(data, kept)).toMatchObject({ a: 'content of a', 'sub/c': 'content of sub/c' })
  expect(await data.available(kept)).toBe(true)
})

it('copies files while it scans them, and reads none of them twice', async () => {
  place.write(`${raw}/large`, 'x'.repeat(5 << 20))
  const dir = (await data.scan(raw, { keep: true })) as DirRef
  expect(dir.at).toBe(raw)
  for await (const { kind, digest, path } of data.entries(dir))
    if (kind === 'file') expect(existsSync(blob(digest)), path).toBe(true)
  expect(readdirSync(`${place.root}/.almanac/work`).filter((name) => name.endsWith('tmp'))).toEqual([])
  expect((await data.checkStore()).damaged).toEqual([])
  expect((await data.scan(raw)) as DirRef).toEqual(dir)
})

it('looks only at what an earlier directory has not got, unless that one is gone', async () => {
  const first = await data.keep((await data.scan(raw)) as DirRef)
  place.write(`${raw}/a`, 'changed')
  const dir = (await data.scan(raw)) as DirRef
  const old = (await data.fileAt(bare(dir), 'b'))?.digest ?? ''
  rmSync(blob(old), { force: true })
  await data.keep(dir, first)
  // it was said to be there
  expect(existsSync(blob(old))).toBe(false)
  rmSync(blob(first.digest), { force: true })
  await data.close()
  data = open()
  await data.keep(dir, first)
  expect(existsSync(blob(old))).toBe(true)
})

it('names the file that changed before it could be kept, or is gone', async () => {
  const dir = (await data.scan(raw)) as DirRef
  appendFileSync(`${raw}/b`, ' and more')
  await expect(data.keep(dir)).rejects.toEqual(failure('ALM_INPUT_CHANGED', { path: `${raw}/b` }))
  rmSync(`${raw}/b`)
  await expect(data.keep(dir)).rejects.toEqual(failure('ALM_INPUT_CHANGED', { path: `${raw}/b` }))
})

it('takes no file that grows, shrinks or is replaced while it is copied', async () => {
  const { files } = (await data.blobs()) as Awaited<ReturnType<LocalDataPlane['blobs']>> & {
    files: Parameters<typeof takeFile>[0]
  }
  for (const size of [10, 5 << 20]) {
    const path = `${raw}/file`
    place.write(path, 'x'.repeat(size))
    const state = statSync(path, { bigint: true })
    const digest = takeFile(files, path, state)
    expect(lstatSync(blob(digest)).size).toBe(size)
    appendFileSync(path, 'y')
    expect(() => takeFile(files, path, state)).toThrow(`${path} has changed since it was read.`)
    rmSync(path)
    expect(() => takeFile(files, path, state)).toThrow(`${path} has changed since it was read.`)
  }
  expect(readdirSync(files.temporary)).toEqual([])
})

it('leaves out files that may not be complete, names them, and gives tasks the others only', async () => {
  place.write(`${raw}/old`, 'old')
  await data.close()
  // an hour later two files have come: one of them with the times of long ago, as a copy may keep them
  const later = Date.now() + hour
  data = open(() => later)
  const left: string[] = []
  const options = { settleMs: hour / 2, onLeftOut: (path: string) => left.push(path) }
  const all = (await data.scan(raw, options)) as DirRef
  expect([all.entries, all.at, left]).toEqual([4, raw, []])

  await data.close()
  data = open(() => Date.now() + 1)
  const none = (await data.scan(raw, options)) as DirRef
  expect([none.entries, none.at]).toEqual([0, undefined])
  expect(left.toSorted()).toEqual(['a', 'b', 'old', 'sub/c'].map((name) => `${raw}/${name}`))
  expect(readdirSync(await data.open(none))).toEqual(['sub'])
  await data.verify([none])
})

it('goes by the time a file came where its own time is in the future, and leaves all out while the clock is behind', async () => {
  const future = new Date(Date.now() + 1000 * hour)
  utimesSync(`${raw}/a`, future, future)
  await data.close()
  data = open(() => Date.now() + hour)
  const left: string[] = []
  const options = { settleMs: 60_000, onLeftOut: (path: string) => left.push(path) }
  expect((await data.scan(raw, options)) as DirRef).toMatchObject({ entries: 3 })
  await data.close()
  data = open(() => Date.now() - 1000 * hour)
  expect((await data.scan(raw, options)) as DirRef).toMatchObject({ entries: 0 })
  expect(left).toHaveLength(3)
})

it('shows, says what is shown, and takes away only what is its own', async () => {
  const dir = await data.keep((await data.scan(raw)) as DirRef)
  await data.checkShown('main', 'group/raw')
  expect(existsSync(`${place.root}/data`)).toBe(false)
  expect(await data.shown('main', 'group/raw')).toBeUndefined()
  const path = await data.show('main', 'group/raw', dir)
  expect(await data.shown('main', 'group/raw')).toBe(dir.digest)
  await data.checkShown('main', 'group/raw')
  await expect(data.checkShown('main', 'group')).rejects.toEqual(failure('ALM_TARGET_EXISTS'))
  await expect(data.checkShown('main', 'group/raw/below')).rejects.toEqual(failure('ALM_TARGET_EXISTS'))
  place.write(`${place.root}/data/main/mine/file`, 'mine')
  await expect(data.checkShown('main', 'mine')).rejects.toEqual(failure('ALM_TARGET_EXISTS'))
  await data.hide('main', 'mine')
  await data.hide('main', 'none')
  await data.hide('main', 'group/raw')
  expect(existsSync(path)).toBe(false)
  expect(readdirSync(`${place.root}/data/main`)).toEqual(['mine'])
  for (const name of ['../x', 'a/..', '.a', 'a\0b', ''])
    await expect(data.checkShown('main', name), name).rejects.toEqual(failure('ALM_PATH_REFUSED'))
})
