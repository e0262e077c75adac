import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DirRef, type FileRef } from '../../model/refs.ts'
import { removeTree } from '../files/remove-tree.ts'
import type { LocalDataPlane } from '../local-data-plane.ts'
import { openDataPlane } from '../open.ts'

let place: string

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'almanac-whole-'))
})
afterEach(() => removeTree(place))

/** What a process of its own finds. */
async function inProcess<T>(work: (data: LocalDataPlane) => Promise<T>): Promise<T> {
  const data = openDataPlane({ home: join(place, 'home'), data: join(place, 'data') })
  try {
    return await work(data)
  } finally {
    await data.close()
  }
}

async function treeOf(names: readonly string[]): Promise<DirRef> {
  return await inProcess(async (data) => {
    const files = await Promise.all(
      names.map((name) => data.writeFile(name, Buffer.from(`content of ${name}`))),
    )
    return await data.assemble(files.map((file) => [`d/${file.name}`, file]))
  })
}

const blobOf = (file: FileRef | DirRef): string =>
  join(place, 'home/store', file.digest.slice(0, 2), file.digest)

async function fileIn(dir: DirRef, name: string): Promise<FileRef> {
  return (await inProcess((data) => data.fileAt(dir, `d/${name}`))) as FileRef
}

describe('a tree that was whole', () => {
  it('is so for a later process', async () => {
    const dir = await treeOf(['a', 'b', 'c'])
    expect(await inProcess((data) => data.available(dir))).toBe(true)
    expect(JSON.stringify(readdirSync(join(place, 'home/stat-cache')))).toContain('whole.json')
  })

  it('is not when a file of it was taken out of the store, nor when a listing was', async () => {
    const dir = await treeOf(['a', 'b', 'c'])
    rmSync(blobOf(await fileIn(dir, 'b')))
    expect(await inProcess((data) => data.available(dir))).toBe(false)
    const other = await treeOf(['d', 'e'])
    expect(await inProcess((data) => data.available(other))).toBe(true)
    rmSync(blobOf(other))
    expect(await inProcess((data) => data.available(other))).toBe(false)
  })

  it('is looked at again where other folders of the store changed, and is still whole', async () => {
    const dir = await treeOf(['a', 'b', 'c'])
    await treeOf(Array.from({ length: 50 }, (_, i) => `other ${i}`))
    expect(await inProcess((data) => data.available(dir))).toBe(true)
  })

  it('is not when something of it goes while a process looks', async () => {
    const dir = await treeOf(['a', 'b', 'c'])
    const file = await fileIn(dir, 'a')
    const found = await inProcess(async (data) => {
      const before = await data.available(dir)
      const blobs = await data.blobs()
      await blobs.remove([file.digest])
      return [before, await data.available(file)]
    })
    expect(found).toEqual([true, false])
    expect(await inProcess((data) => data.available(dir))).toBe(false)
  })

  it('is no longer taken for whole once a file of it is found missing', async () => {
    const dir = await treeOf(['a', 'b'])
    const file = await fileIn(dir, 'a')
    const missing = await inProcess(async (data) => {
      expect(await data.available(dir)).toBe(true)
      rmSync(blobOf(file))
      await expect(data.readFile(file)).rejects.toMatchObject({ code: 'ALM_BLOB_MISSING' })
      return await data.available(dir)
    })
    expect(missing).toBe(false)
  })

  it('is looked at whole where the memory of it is damaged', async () => {
    const dir = await treeOf(['a'])
    mkdirSync(join(place, 'home/stat-cache'), { recursive: true })
    for (const text of ['{', '[]', '{"version":1,"states":[],"trees":["../x"]}']) {
      writeFileSync(join(place, 'home/stat-cache/whole.json'), text)
      expect(await inProcess((data) => data.available(dir))).toBe(true)
    }
    expect(await inProcess((data) => data.available(new DirRef('0'.repeat(64), 1, 1)))).toBe(false)
  })
})
