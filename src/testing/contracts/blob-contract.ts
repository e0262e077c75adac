import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Digest } from '../../model/refs.ts'
import type { BlobStore } from '../../ports/data.ts'

/** A store of blobs, new for each test. */
export interface BlobPlace {
  readonly store: BlobStore
  /** Changes a blob's bytes behind the store's back, and keeps their number. */
  harm(digest: Digest): Promise<void>
  dispose(): Promise<void>
}

/** Registers the tests that every store of blobs passes. */
export function testBlobs(name: string, makePlace: () => Promise<BlobPlace>): void {
  describe(name, () => {
    let place: BlobPlace
    let folder: string

    beforeEach(async () => {
      place = await makePlace()
      folder = mkdtempSync(`${tmpdir()}/almanac-blobs-`)
    })
    afterEach(async () => {
      rmSync(folder, { recursive: true })
      await place.dispose()
    })

    it('gives back what was put, under its SHA-256', async () => {
      const bytes = Buffer.from('weather')
      const digest = await place.store.put(bytes)
      expect(digest).toBe(sha256(bytes))
      expect(Buffer.from(await place.store.get(digest))).toEqual(bytes)
      expect(await place.store.has(digest)).toBe(true)
    })

    it('keeps nothing as well as something', async () => {
      const digest = await place.store.put(new Uint8Array())
      expect(digest).toBe(sha256(Buffer.alloc(0)))
      expect(await place.store.get(digest)).toHaveLength(0)
    })

    it('keeps the same bytes once', async () => {
      await Promise.all([1, 2, 3].map(() => place.store.put(Buffer.from('same'))))
      await place.store.sync()
      expect(await digests(place.store)).toEqual([sha256('same')])
    })

    it('takes a file of many parts, and the file is gone', async () => {
      const bytes = randomBytes(17 * 1024 * 1024 + 3)
      writeFileSync(`${folder}/big`, bytes)
      expect(await place.store.adopt(`${folder}/big`)).toMatchObject({
        digest: sha256(bytes),
        size: bytes.length,
      })
      expect(existsSync(`${folder}/big`)).toBe(false)
      const back = await place.store.get(sha256(bytes))
      expect(Buffer.compare(Buffer.from(back), bytes)).toBe(0)
    })

    it('says of what it has not that it is missing', async () => {
      const digest = sha256('nowhere')
      expect(await place.store.has(digest)).toBe(false)
      await expect(place.store.get(digest)).rejects.toMatchObject({
        code: 'ALM_BLOB_MISSING',
        details: { digest },
      })
      expect(await place.store.has('../../etc/passwd')).toBe(false)
      await expect(place.store.get('../../etc/passwd')).rejects.toMatchObject({ code: 'ALM_BLOB_MISSING' })
    })

    it('gives no bytes that are others than were put', async () => {
      const digest = await place.store.put(Buffer.from('true'))
      await place.store.sync()
      await place.harm(digest)
      await expect(place.store.get(digest)).rejects.toMatchObject({
        code: 'ALM_BLOB_DAMAGED',
        details: { digest },
      })
    })

    it('lists what it has with size and age, and not what was removed', async () => {
      const before = Date.now()
      const [first, second] = [
        await place.store.put(Buffer.from('one')),
        await place.store.put(Buffer.from('three')),
      ]
      const listed = []
      for await (const blob of place.store.list()) listed.push(blob)
      expect(listed.map(({ digest, size }) => ({ digest, size })).sort(byDigest)).toEqual(
        [
          { digest: first, size: 3 },
          { digest: second, size: 5 },
        ].sort(byDigest),
      )
      for (const { changedAt } of listed) expect(Math.abs(changedAt - before)).toBeLessThan(60_000)
      await place.store.remove([first, sha256('never there')])
      expect(await digests(place.store)).toEqual([second])
      expect(await place.store.has(first)).toBe(false)
    })
  })
}

const sha256 = (bytes: Uint8Array | string): Digest => createHash('sha256').update(bytes).digest('hex')

const byDigest = (a: { readonly digest: Digest }, b: { readonly digest: Digest }): number =>
  a.digest < b.digest ? -1 : 1

async function digests(store: BlobStore): Promise<Digest[]> {
  const found: Digest[] = []
  for await (const { digest } of store.list()) found.push(digest)
  return found.sort()
}
