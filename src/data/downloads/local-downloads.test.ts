import { createHash } from 'node:crypto'
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { FileRef } from '../../model/refs.ts'
import { type Begun, type Downloads, PartLost } from '../../ports/downloads.ts'
import { LocalDataPlane } from '../local-data-plane.ts'

let home: string
let planes: LocalDataPlane[]

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'almanac-downloads-'))
  planes = []
})

afterEach(async () => {
  for (const plane of planes) await plane.close()
  rmSync(home, { recursive: true, force: true })
})

/** Another process's; closed, it is gone. */
async function open(): Promise<{ readonly downloads: Downloads; readonly plane: LocalDataPlane }> {
  const plane = new LocalDataPlane({ home: join(home, '.almanac'), data: join(home, 'data'), threads: 1 })
  planes.push(plane)
  return { plane, downloads: await plane.downloads() }
}

const bytes = (text: string): Uint8Array => Buffer.from(text)
const digest = (text: string): string => createHash('sha256').update(text).digest('hex')
const begun: Begun = { etag: '"v1"', total: 6 }
const parts = (): string[] => readdirSync(join(home, '.almanac/downloads/parts'))

it('keeps a part that another process left, and then the whole', async () => {
  const first = await open()
  const part = await first.downloads.part('http://host/a')
  expect([part.begun, part.size]).toEqual([undefined, 0])
  await part.begin(begun)
  await part.write(bytes('abc'))
  await part.leave()
  await first.plane.close()
  const { downloads, plane } = await open()
  const rest = await downloads.part('http://host/a')
  expect([rest.begun, rest.size]).toEqual([begun, 3])
  await rest.write(bytes('def'))
  expect(await rest.checksums(['sha256', 'crc32', 'crc32c', 'md5'])).toEqual({
    sha256: digest('abcdef'),
    crc32: '4b8e39ef',
    crc32c: '53bceff1',
    md5: createHash('md5').update('abcdef').digest('hex'),
  })
  const kept = await rest.keep({ maxBytes: 100 })
  expect(kept).toMatchObject({ digest: digest('abcdef'), size: 6 })
  const dir = await downloads.assemble([['x/a', new FileRef('a', kept.digest, kept.size)]])
  const file = (await plane.fileAt(dir, 'x/a')) as FileRef
  expect(Buffer.from(await plane.readFile(file)).toString()).toBe('abcdef')
  expect(parts()).toEqual([])
})

it('gives a part to one process at a time', async () => {
  const first = await (await open()).downloads.part('u')
  await first.begin(begun)
  await first.write(bytes('abc'))
  const { downloads } = await open()
  const [second, third] = [await downloads.part('u'), await downloads.part('u')]
  expect([second.size, third.size]).toEqual([0, 0])
  await second.begin(begun)
  await third.begin(begun)
  await second.write(bytes('second'))
  await third.write(bytes('third!'))
  await first.write(bytes('def'))
  const all = [first, second, third].map((part) => part.keep({ maxBytes: 9 }))
  expect((await Promise.all(all)).map((one) => one.digest)).toEqual(
    ['abcdef', 'second', 'third!'].map(digest),
  )
})

it('forgets what was begun when it begins anew, and when it is told to', async () => {
  const { downloads } = await open()
  const part = await downloads.part('u')
  await part.begin(begun)
  await part.write(bytes('abc'))
  await part.begin({ etag: '"v2"' })
  expect([part.begun, part.size, parts().length]).toEqual([{ etag: '"v2"' }, 0, 1])
  await part.write(bytes('x'))
  await part.discard()
  await part.leave()
  expect([(await downloads.part('u')).begun, parts()]).toEqual([undefined, []])
})

/** A process begins a part, and ends. */
async function leavesPart(text: string): Promise<void> {
  const { downloads, plane } = await open()
  const part = await downloads.part('u')
  await part.begin(begun)
  await part.write(bytes(text))
  await part.leave()
  await plane.close()
}

it('believes of a part from before a loss of power only what was on disk', async () => {
  await leavesPart('abcdef')
  const [record] = parts().filter((name) => name.endsWith('.json')) as [string]
  const path = join(home, '.almanac/downloads/parts', record)
  const text = JSON.parse(readFileSync(path, 'utf8')) as object
  writeFileSync(path, JSON.stringify({ ...text, bootId: 'another', synced: 2 }))
  const again = await (await open()).downloads.part('u')
  expect([again.begun, again.size]).toEqual([begun, 2])
})

/** Path of the one file of the parts that is called so. */
const pathOf = (end: string): string =>
  join(home, '.almanac/downloads/parts', parts().find((name) => name.endsWith(end)) as string)

/** Half a part that a process left, taken by another one. */
async function halfTaken() {
  await leavesPart('abc')
  return await (await open()).downloads.part('u')
}

it.each([
  ['is gone', (path: string) => rmSync(path)],
  ['was cut', (path: string) => truncateSync(path, 2)],
])('forgets a part of which something %s meanwhile, before its rest counts as the whole', async (_, harm) => {
  for (const isAtWork of [false, true])
    for (const end of ['keep', 'checksums'] as const) {
      const part = await halfTaken()
      if (isAtWork) await part.write(bytes('d'))
      harm(pathOf('.body'))
      const rest = async () => {
        await part.write(bytes(isAtWork ? 'ef' : 'def'))
        return end === 'keep' ? await part.keep({ maxBytes: 9 }) : await part.checksums(['md5'])
      }
      await expect(rest()).rejects.toThrow(PartLost)
      expect([part.begun, part.size, parts()]).toEqual([undefined, 0, []])
    }
})

it('removes bytes that no record names after an hour, unless there is a record that it cannot read', async () => {
  await halfTaken()
  const record = readFileSync(pathOf('.json'), 'utf8')
  const old = Date.now() / 1000 - 7200
  utimesSync(pathOf('.body'), old, old)
  writeFileSync(pathOf('.json'), '')
  await open()
  expect(parts()).toHaveLength(2)
  writeFileSync(pathOf('.json'), record)
  writeFileSync(join(home, '.almanac/downloads/parts', `${'0'.repeat(36)}.body`), '')
  utimesSync(pathOf(`${'0'.repeat(36)}.body`), old, old)
  await open()
  expect(parts()).toHaveLength(2)
  rmSync(pathOf('.json'))
  await open()
  expect(parts()).toEqual([])
})

it('unpacks what came packed, up to a limit', async () => {
  const { downloads } = await open()
  for (const [name, encoding, content, maxBytes] of [
    ['a', 'gzip', gzipSync('abcdef'), 6],
    ['b', 'gzip', gzipSync('abcdef'), 5],
    ['c', 'gzip', Buffer.from('abcdef'), 6],
    ['d', 'rot13', Buffer.from('abcdef'), 6],
  ] as const) {
    const part = await downloads.part(name)
    await part.begin({ encoding })
    await part.write(content)
    if (name === 'a') expect(await part.keep({ maxBytes })).toMatchObject({ digest: digest('abcdef') })
    else await expect(part.keep({ maxBytes })).rejects.toMatchObject({ code: 'ALM_SOURCE_CODING' })
    await part.discard()
  }
  expect(parts()).toEqual([])
})

it('keeps an empty file', async () => {
  const part = await (await open()).downloads.part('u')
  await part.begin({ total: 0 })
  expect(await part.keep({ maxBytes: 0 })).toMatchObject({ digest: digest(''), size: 0 })
})

it('knows what was kept, in every process, as long as it is in the store', async () => {
  const { downloads, plane } = await open()
  const blobs = await plane.blobs()
  const checked = { algorithm: 'md5', value: '92eb5ffee6ae2fec3ad71c777531578f' } as const
  const a = { digest: await blobs.put(bytes('a')), size: 1, etag: '"v1"' }
  const b = { digest: await blobs.put(bytes('b')), size: 1, lastModified: 'yesterday', checked }
  downloads.remember('http://host/x', a)
  downloads.remember('http://host/x', b)
  downloads.remember('http://host/y', a)
  const other = await open()
  expect(await other.downloads.known('http://host/x')).toEqual(b)
  expect(await other.downloads.checksum(b, 'md5')).toBe(checked.value)
  await blobs.remove([a.digest])
  expect(await other.downloads.known('http://host/y')).toBeUndefined()
  expect(await other.downloads.checksum(a, 'md5')).toBeUndefined()
  expect(await other.downloads.known('http://host/z')).toBeUndefined()
})

it('takes no line that was cut off or overwritten for knowledge', async () => {
  const { downloads, plane } = await open()
  const blobs = await plane.blobs()
  const kept = { digest: await blobs.put(bytes('a')), size: 1, etag: '"v1"' }
  downloads.remember('u', kept)
  const folder = join(home, '.almanac/downloads/known')
  const [name] = readdirSync(folder) as [string]
  const whole = readFileSync(join(folder, name), 'utf8')
  for (let at = 0; at < whole.length - 1; at++) {
    writeFileSync(join(folder, name), whole.slice(0, at))
    const { downloads: other } = await open()
    expect(await other.known('u')).toBeUndefined()
  }
  appendFileSync(join(folder, name), 'garbage without end')
  downloads.remember('u', kept)
  expect(await downloads.known('u')).toEqual(kept)
})

it('writes a table anew when most of it no longer counts', async () => {
  const { downloads, plane } = await open()
  const kept = { digest: await (await plane.blobs()).put(bytes('a')), size: 1 }
  for (let n = 0; n < 300; n++) downloads.remember('u', { ...kept, etag: `"${n}"` })
  expect(await downloads.known('u')).toEqual({ ...kept, etag: '"299"' })
  const folder = join(home, '.almanac/downloads/known')
  const [name] = readdirSync(folder) as [string]
  expect(readFileSync(join(folder, name), 'utf8').trim().split('\n')).toHaveLength(1)
})
