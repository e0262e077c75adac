import { execFileSync } from 'node:child_process'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DirRef } from '../../model/refs.ts'
import { failure, listed, plain } from '../../testing/contracts/data-fixture.ts'
import type { DiskPlace } from '../../testing/disk-place.ts'
import { diskPlace } from '../../testing/disk-place.ts'
import { globsOf } from '../files/globs.ts'
import type { LocalDataPlane } from '../local-data-plane.ts'
import { openDataPlane } from '../open.ts'
import { openParts } from '../parts.ts'
import { hashFiles } from './hash-files.ts'
import { newRows, setRow } from './state-rows.ts'

let place: DiskPlace
let opened: LocalDataPlane[] = []
/** as if what is there had been written long ago */
const later = () => Date.now() + 60_000

function open(now: () => number = later, home = `${place.root}/.almanac`): LocalDataPlane {
  const data = openDataPlane({ home, data: `${place.root}/data`, now })
  opened.push(data)
  return data
}

const closeAll = async () => {
  for (const data of opened.splice(0)) await data.close()
}

beforeEach(async () => {
  place = await diskPlace(async () => open())
  opened = []
})

afterEach(async () => {
  await closeAll()
  await place.dispose()
})

const scan = async (root: string, options?: object): Promise<DirRef> =>
  (await open().scan(root, options)) as DirRef

describe('a scan refuses, by name,', () => {
  const table: readonly (readonly [what: string, why: RegExp, make: (root: string) => string])[] = [
    ['a link to an absolute path', /absolute link/, (root) => link(root, 'x', `${root}/a/1`)],
    ['a link out of the directory', /leads out/, (root) => link(root, 'a/x', '../../beside')],
    ['a link to nothing', /to nothing/, (root) => link(root, 'a/x', 'none')],
    ['a link to itself', /in a circle/, (root) => link(root, 'a/x', 'x')],
    ['a link to a directory', /link to a directory/, (root) => link(root, 'x', 'a')],
    [
      'a link to a named pipe',
      /named pipe/,
      (root) => link(root, 'x', pipe(root, '.nfs-pipe').split('/').at(-1) as string),
    ],
    ['a named pipe', /named pipe/, (root) => pipe(root, 'a/x')],
    [
      'a name that is no UTF-8',
      /not valid UTF-8/,
      (root) => {
        writeFileSync(Buffer.concat([Buffer.from(`${root}/a/bad-`), Buffer.from([0xff, 0x41])]), '')
        return `${root}/a/bad-\\xffA`
      },
    ],
  ]
  const link = (root: string, path: string, target: string): string => {
    symlinkSync(target, `${root}/${path}`)
    return `${root}/${path}`
  }
  const pipe = (root: string, path: string): string => {
    execFileSync('sh', ['-c', 'mkfifo "$0"', `${root}/${path}`])
    return `${root}/${path}`
  }

  for (const [what, why, make] of table) {
    it(what, async () => {
      const root = `${place.outside}/in`
      place.write(`${root}/a/1`, 'one')
      place.write(`${place.outside}/beside`, 'beside')
      const path = make(root)
      await expect(scan(root)).rejects.toEqual(
        failure('ALM_PATH_REFUSED', { path, why: expect.stringMatching(why) }),
      )
      const name = path.split('/').at(-1) as string
      if (!name.includes('\\')) expect((await scan(root, { exclude: [name, '.nfs*'] })).entries).toBe(1)
    })
  }

  it('a socket, and a device', async () => {
    const root = `${place.outside}/in`
    mkdirSync(root)
    const server = createServer().listen(`${root}/socket`)
    await new Promise((resolve) => server.once('listening', resolve))
    await expect(scan(root)).rejects.toEqual(
      failure('ALM_PATH_REFUSED', { path: `${root}/socket`, why: 'it is a socket, not a regular file' }),
    )
    server.close()
    await expect(open().scan('/dev/null')).rejects.toEqual(
      failure('ALM_PATH_REFUSED', { path: '/dev/null', why: 'it is a device, not a regular file' }),
    )
  })
})

describe('a scan', () => {
  it('counts a link to a file inside as that file, and sees when that one changes', async () => {
    const root = `${place.outside}/in`
    place.write(`${root}/a/1`, 'one')
    symlinkSync('a/1', `${root}/x`)
    const before = await scan(root)
    place.write(`${place.outside}/flat/a/1`, 'one')
    place.write(`${place.outside}/flat/x`, 'one')
    expect(plain(before)).toEqual(plain(await scan(`${place.outside}/flat`)))
    place.write(`${root}/a/1`, 'two')
    const changes = await listed(open().diff(before, await scan(root)))
    expect(changes.map(({ path }) => path)).toEqual(['a/1', 'x'])
  })

  it('follows a link that it is given, and holds on to what it led to', async () => {
    place.write(`${place.outside}/v1/1`, 'one')
    place.write(`${place.outside}/v2/1`, 'two')
    symlinkSync('v1', `${place.outside}/latest`)
    const dir = await scan(`${place.outside}/latest`)
    expect(dir.at).toBe(`${place.outside}/v1`)
    rmSync(`${place.outside}/latest`)
    symlinkSync('v2', `${place.outside}/latest`)
    await open().verify([dir])
    symlinkSync('v1/1', `${place.outside}/1.nc`)
    const file = await open().scan(`${place.outside}/1.nc`)
    expect(file).toMatchObject({ name: '1.nc', at: `${place.outside}/1.nc`, size: 3 })
  })

  it('leaves out the home that lies in the directory', async () => {
    place.write(`${place.root}/1`, 'one')
    const dir = await scan(place.root)
    expect((await listed(open().entries(dir))).map(({ path }) => path)).toEqual(['1', 'outside'])
  })

  it('reads a file again only where its state differs or was too fresh to tell', async () => {
    const root = `${place.outside}/in`
    place.write(`${root}/a/1`, 'one')
    place.write(`${root}/a/2`, 'two')
    const really = await scan(root)
    // what is remembered of the first file is falsified: where it is believed, the file was not read
    const remembered = async (now: () => number): Promise<boolean> => {
      await closeAll()
      const parts = await openParts(`${place.root}/.almanac`, 1, now)
      const table = parts.statCache.table(root, globsOf())
      const block = table?.blocks.get('a')
      if (table === undefined || block === undefined) throw new Error('nothing is remembered')
      const digests = Buffer.from(block.digests)
      digests.fill(7, 0, 32)
      const files = { entries: 0, size: 0, files: 0, digest: '0'.repeat(64) }
      parts.statCache.keep({
        ...table,
        blocks: new Map(table.blocks).set('a', { ...block, digests, listing: files }),
      })
      parts.presence.leave()
      const again = (await open(now).scan(root)) as DirRef
      return again.digest !== really.digest
    }
    expect(await remembered(later)).toBe(true)
    // scanned within two seconds of the writing: neither time may be believed
    await closeAll()
    rmSync(`${place.root}/.almanac`, { recursive: true })
    const atOnce = () => lstatSync(`${root}/a/2`).ctimeMs + 1
    await open(atOnce).scan(root)
    expect(await remembered(atOnce)).toBe(false)
    place.write(`${root}/a/1`, 'ONE')
    await closeAll()
    const { digest } = await scan(root)
    expect(digest).toBe((await open(later, `${place.root}/fresh`).scan(root)).digest)
  })

  it('takes a damaged cache as none', async () => {
    const root = `${place.outside}/in`
    for (let i = 0; i < 20; i++) place.write(`${root}/d${i % 3}/${i}`, `${i}`)
    const whole = await scan(root)
    await closeAll()
    const cache = `${place.root}/.almanac/stat-cache`
    const file = `${cache}/${readdirSync(cache).find((name) => name !== 'files.bin')}`
    const bytes = readFileSync(file)
    const harms = [
      (at: number) => bytes.subarray(0, at),
      (at: number) =>
        Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from([(bytes[at] as number) ^ 1]),
          bytes.subarray(at + 1),
        ]),
    ]
    for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 10)) {
      for (const harm of harms) {
        writeFileSync(file, harm(at))
        expect(await scan(root)).toEqual(whole)
        await closeAll()
      }
    }
  })

  it('finds out when a file changes or vanishes while it is read', async () => {
    place.write(`${place.outside}/x`, 'one')
    const rows = newRows(1)
    setRow(rows, 0, lstatSync(`${place.outside}/x`, { bigint: true }))
    const job = { kind: 'hash' as const, paths: [`${place.outside}/x`], rows, heavy: false }
    expect(hashFiles(job)).toHaveLength(32)
    const changed = failure('ALM_INPUT_CHANGED', { path: `${place.outside}/x` })
    place.write(`${place.outside}/y`, 'two')
    renameSync(`${place.outside}/y`, `${place.outside}/x`)
    expect(() => hashFiles(job)).toThrow(changed)
    rmSync(`${place.outside}/x`)
    expect(() => hashFiles(job)).toThrow(changed)
    execFileSync('sh', ['-c', 'mkfifo "$0"', `${place.outside}/x`])
    expect(() => hashFiles(job)).toThrow(changed)
  })

  it('of a large directory after any changes is the same as a first one', async () => {
    const root = `${place.outside}/in`
    mkdirSync(`${root}/sub`, { recursive: true })
    for (let i = 0; i < 1500; i++) writeFileSync(`${root}/n${i}`, `${i}`)
    await scan(root)
    const name = fc.nat({ max: 1600 }).map((n) => (n > 1500 ? `sub/s${n}/f` : `n${n}`))
    const change = fc.tuple(name, fc.constantFrom('', 'new', undefined))
    let homes = 0
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 30 }), async (changes) => {
        for (const [path, content] of changes) {
          if (content !== undefined) place.write(`${root}/${path}`, content)
          else rmSync(`${root}/${path.replace(/\/f$/, '')}`, { recursive: true, force: true })
        }
        const again = await open().scan(root)
        expect(again).toEqual(await open(later, `${place.root}/home${homes++}`).scan(root))
        await closeAll()
      }),
      { numRuns: 8 },
    )
  })

  it('of more names than one job looks at finds them all, and what changes', async () => {
    const root = `${place.outside}/wide`
    mkdirSync(root)
    for (let i = 0; i < 9000; i++) writeFileSync(`${root}/${i}`, i % 3000 === 0 ? '' : `${i % 7}`)
    const dir = await scan(root)
    expect({ entries: dir.entries, size: dir.size }).toEqual({ entries: 9000, size: 8997 })
    const entries = await listed(open().entries(dir))
    expect(entries.map(({ path }) => path)).toEqual(Array.from({ length: 9000 }, (_, i) => `${i}`).sort())
    writeFileSync(`${root}/4711`, 'changed')
    const changes = await listed(open().diff(dir, await scan(root)))
    expect(changes.map(({ path }) => path)).toEqual(['4711'])
  })

  it('reads large files beside the main thread', async () => {
    const root = `${place.outside}/in`
    mkdirSync(root)
    const bytes = Buffer.alloc(20 << 20, 'large')
    writeFileSync(`${root}/a`, bytes)
    writeFileSync(`${root}/b`, bytes.subarray(1))
    const dir = await scan(root)
    const [a, b] = await listed(open().entries(dir))
    const { digestOf } = await import('../blobs/blob-files.ts')
    expect([a?.digest, b?.digest]).toEqual([digestOf(bytes), digestOf(bytes.subarray(1))])
  })
})
