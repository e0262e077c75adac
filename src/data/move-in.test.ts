import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DirRef } from '../model/refs.ts'
import type { Moved } from '../ports/data.ts'
import type { LocalDataPlane } from './local-data-plane.ts'
import { openDataPlane } from './open.ts'

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
  rmSync(root, { recursive: true })
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
