import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DirRef } from '../model/refs.ts'
import type { Moved } from '../ports/data.ts'
import { failure } from '../testing/contracts/data-fixture.ts'
import { digestOf } from './blobs/blob-files.ts'
import { removeTree } from './files/remove-tree.ts'
import type { LocalDataPlane } from './local-data-plane.ts'
import { openDataPlane } from './open.ts'
import { thisProcess } from './processes/process-identity.ts'

let root: string
let raw: string
let data: LocalDataPlane

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'almanac-move-'))
  raw = join(root, 'raw')
  mkdirSync(join(raw, 'sub/empty'), { recursive: true })
  for (const name of ['a', 'b', 'sub/c']) writeFileSync(join(raw, name), `content of ${name}\n`)
  data = open()
})
afterEach(async () => {
  await data.close()
  removeTree(root)
})

const open = (): LocalDataPlane => openDataPlane({ home: join(root, '.almanac'), data: join(root, 'data') })

async function contents({ ref }: Moved): Promise<Record<string, string>> {
  if (!(ref instanceof DirRef)) return { [ref.name]: Buffer.from(await data.readFile(ref)).toString() }
  const found: Record<string, string> = {}
  for await (const { kind, path } of data.entries(ref)) {
    const file = kind === 'file' ? await data.fileAt(ref, path) : undefined
    found[path] = file === undefined ? '' : Buffer.from(await data.readFile(file)).toString()
  }
  return found
}

const all = { a: 'content of a\n', b: 'content of b\n', 'sub/c': 'content of sub/c\n', 'sub/empty': '' }

it('what is given away stays where it is, whole, until it is removed, so that a process may be killed before', async () => {
  const moved = await data.moveIn(raw)
  expect(await contents(moved)).toEqual(all)
  for (const name of ['a', 'b', 'sub/c'])
    expect(readFileSync(join(raw, name), 'utf8')).toBe(`content of ${name}\n`)
  expect(await moved.remove()).toEqual([])
  expect(existsSync(raw)).toBe(false)
  expect(await contents(moved)).toEqual(all)
})

it('another process takes what one that died had taken, and nothing is there twice', async () => {
  const first = await data.moveIn(raw)
  await data.close()
  data = open()
  const again = await data.moveIn(raw)
  expect(again.ref).toEqual(first.ref)
  expect(statSync(join(raw, 'a')).nlink).toBe(2)
  expect(await again.remove()).toEqual([])
  expect(await contents(again)).toEqual(all)
  expect((await data.checkStore()).damaged).toEqual([])
})

it('what came or changed after it was read is not removed, and is named', async () => {
  const moved = await data.moveIn(raw)
  writeFileSync(join(raw, 'sub/new'), 'new')
  rmSync(join(raw, 'b'))
  writeFileSync(join(raw, 'b'), 'another')
  expect(await moved.remove()).toEqual([join(raw, 'b'), join(raw, 'sub/new')])
  expect(readFileSync(join(raw, 'b'), 'utf8')).toBe('another')
  expect(await contents(moved)).toEqual(all)
})

it('who writes to a file before it goes harms its copy in the store, which is found', async () => {
  const moved = await data.moveIn(raw)
  chmodSync(join(raw, 'a'), 0o644)
  appendFileSync(join(raw, 'a'), 'more')
  expect(await moved.remove()).toEqual([join(raw, 'a')])
  expect((await data.checkStore()).damaged).toHaveLength(1)
})

it('a file with another name, and a link, are copied, and the other name keeps a file of its own', async () => {
  linkSync(join(raw, 'a'), join(root, 'other'))
  symlinkSync('sub/c', join(raw, 'link'))
  const moved = await data.moveIn(raw)
  expect(await moved.remove()).toEqual([])
  writeFileSync(join(root, 'other'), 'changed')
  expect(await contents(moved)).toEqual({ ...all, link: 'content of sub/c\n' })
})

it('a single file is given away too, and what is not there is said so', async () => {
  const moved = await data.moveIn(join(raw, 'a'))
  expect(existsSync(join(raw, 'a'))).toBe(true)
  expect(await moved.remove()).toEqual([])
  expect(existsSync(join(raw, 'a'))).toBe(false)
  expect(await contents(moved)).toEqual({ a: 'content of a\n' })
  await expect(data.moveIn(join(root, 'nothing'))).rejects.toMatchObject({
    code: 'ALM_INPUT_MISSING',
    details: { path: join(root, 'nothing') },
  })
})

const statOf = (name: string) => {
  const { mode, mtimeMs, nlink } = statSync(join(raw, name))
  return { mode, mtime: Math.round(mtimeMs * 1000), nlink }
}
const names = ['a', 'b', 'sub/c'] as const
/** Times that a file system gives back to the nanosecond where they are set again. */
const dated = () => {
  for (const name of names) utimesSync(join(raw, name), 1_700_000_000, 1_700_000_000)
  return names.map(statOf)
}
const blobs = (): number => {
  const store = join(root, '.almanac/store')
  return readdirSync(store, { recursive: true }).filter((name) => String(name).length > 64).length
}

it('what was taken is its owner’s alone again, as it was, where nothing came of it, and can be moved again', async () => {
  chmodSync(join(raw, 'a'), 0o640)
  chmodSync(join(raw, 'b'), 0o755)
  const before = dated()
  const moved = await data.moveIn(raw)
  expect(names.map((name) => statOf(name).nlink)).toEqual([2, 2, 2])
  const error = new Error('the journal is full')
  expect(await moved.undo(error)).toBe(error)
  expect(names.map(statOf)).toEqual(before)
  // of three files and two listings the listings are left, for a collection
  expect(blobs()).toBe(3)
  writeFileSync(join(raw, 'a'), 'content of a\n')
  const again = await data.moveIn(raw)
  expect(await contents(again)).toEqual(all)
  expect(await again.remove()).toEqual([])
})

it('what cannot be given back is told: what changed since, and what others may need by now', async () => {
  const moved = await data.moveIn(raw)
  chmodSync(join(raw, 'b'), 0o644)
  appendFileSync(join(raw, 'b'), 'more')
  expect(await moved.undo(new Error('Why.'))).toEqual(
    failure('ALM_MOVE_HALF', { why: 'Why.', count: 1, path: join(raw, 'b') }),
  )
  expect(names.map((name) => statOf(name).nlink)).toEqual([1, 2, 1])

  const second = await data.moveIn(raw)
  const other = join(root, '.almanac/work/other.json')
  writeFileSync(other, JSON.stringify(thisProcess()))
  expect(await second.undo(new Error('Why.'))).toEqual(
    failure('ALM_MOVE_HALF', { count: 2, path: join(raw, 'a') }),
  )
  rmSync(other)
  expect(await second.undo('why')).toBe('why')
  expect([statOf('a').nlink, statOf('sub/c').nlink]).toEqual([1, 1])
})

it('where one file cannot be taken, the others are as they were', async () => {
  const before = dated()
  // nothing can be put where its folder is a file
  const digest = digestOf('content of sub/c\n')
  mkdirSync(join(root, '.almanac/store'), { recursive: true })
  writeFileSync(join(root, '.almanac/store', digest.slice(0, 2)), '')
  await expect(data.moveIn(raw)).rejects.toEqual(failure('ALM_STORE_FAILED'))
  expect(names.map(statOf)).toEqual(before)
})
