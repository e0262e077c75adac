import { afterEach, beforeEach, expect, it } from 'vitest'
import { AlmanacError } from '../../model/errors.ts'
import { FileRef } from '../../model/refs.ts'
import { MemoryObjects } from '../../testing/memory/memory-objects.ts'
import { temporaryHome } from '../../testing/temporary-home.ts'
import { LocalDataPlane } from '../local-data-plane.ts'
import { blobKey } from '../shared/layout.ts'
import { ObjectBlobs } from '../shared/object-blobs.ts'

let bucket: MemoryObjects
let home: Awaited<ReturnType<typeof temporaryHome>>
let planes: LocalDataPlane[]
let clock: number

beforeEach(async () => {
  home = await temporaryHome()
  bucket = new MemoryObjects()
  planes = []
  clock = Date.now()
})
afterEach(async () => {
  for (const one of planes) await one.close()
  await home.remove()
})

/** Another process's of the same machine, which keeps nothing that the shared store has. */
function open(): LocalDataPlane {
  const plane = new LocalDataPlane({
    home: `${home.path}/.almanac`,
    data: `${home.path}/data`,
    threads: 1,
    shared: new ObjectBlobs(bucket),
    localBytes: 0,
    now: () => clock,
  })
  planes.push(plane)
  return plane
}

/** Downloads it, sends it to the shared store, and makes room for others. */
async function downloadedAndTrimmed() {
  const plane = open()
  const downloads = await plane.downloads()
  const part = await downloads.part('http://host/a')
  await part.begin({ etag: '"v1"', total: 6 })
  await part.write(Buffer.from('abcdef'))
  const { digest, size } = await part.keep({ maxBytes: 100 })
  const kept = { digest, size, etag: '"v1"' }
  await part.leave()
  downloads.remember('http://host/a', kept)
  const file = new FileRef('a', kept.digest, kept.size)
  await plane.push([file])
  clock += 3600_000
  await plane.trim()
  expect(await (await plane.blobs()).has(kept.digest)).toBe(false)
  return { plane, kept, file }
}

it('knows what only the shared store has, and gives it without another download', async () => {
  const { kept, file } = await downloadedAndTrimmed()
  const plane = open()
  const downloads = await plane.downloads()
  expect(await downloads.known('http://host/a')).toEqual(kept)
  // known, and not brought here before it is needed
  expect(await (await plane.blobs()).has(kept.digest)).toBe(false)
  const dir = await downloads.assemble([['x/a', file]])
  const found = (await plane.fileAt(dir, 'x/a')) as FileRef
  expect(Buffer.from(await plane.readFile(found)).toString()).toBe('abcdef')
})

it('does not know what the shared store has lost, nor what it cannot be asked for', async () => {
  const { kept } = await downloadedAndTrimmed()
  bucket.onRequest = () => {
    throw new AlmanacError('ALM_STORE_FAILED', { path: 'memory://bucket', why: 'it is away' })
  }
  expect(await (await open().downloads()).known('http://host/a')).toBeUndefined()
  bucket.onRequest = () => {}
  bucket.kept.delete(blobKey(kept.digest))
  expect(await (await open().downloads()).known('http://host/a')).toBeUndefined()
})
