import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { failure } from '../../testing/contracts/data-fixture.ts'
import { shard } from '../files/home.ts'
import { UnsyncedBlobs } from './unsynced-blobs.ts'

const large = 8 << 20
const [one, two] = ['1'.repeat(64), '2'.repeat(64)] as const

let store: string
let lost: string[]
let blobs: UnsyncedBlobs

beforeEach(() => {
  store = mkdtempSync(join(tmpdir(), 'almanac-unsynced-'))
  for (const digest of [one, two]) mkdirSync(join(store, digest.slice(0, 2)))
  lost = []
  blobs = new UnsyncedBlobs(store, (digest) => {
    lost.push(digest)
    rmSync(shard(store, digest))
  })
})
afterEach(() => rmSync(store, { recursive: true }))

/** What cannot be opened cannot be synced. */
const unopenable = (digest: string) => symlinkSync(shard(store, digest), shard(store, digest))
const whole = (digest: string) => writeFileSync(shard(store, digest), digest)

it('what went wrong with a sync that began early is said by the next flush, and that blob is out of use', async () => {
  unopenable(one)
  whole(two)
  blobs.add(one, true, large)
  blobs.add(two, true, large)
  await expect(blobs.flush()).rejects.toEqual(failure('ALM_STORE_FAILED'))
  expect(lost).toEqual([one])
  expect(blobs.any).toBe(true)
  await blobs.flush()
  expect(blobs.any).toBe(false)
})

it('a blob that is put anew after its sync began is synced as it is now', async () => {
  whole(one)
  blobs.add(one, true, large)
  rmSync(shard(store, one))
  unopenable(one)
  blobs.add(one, true, large)
  await expect(blobs.flush()).rejects.toEqual(failure('ALM_STORE_FAILED'))
  expect(lost).toEqual([one])
})

it('a blob that is found again while its sync is under way is waited for', async () => {
  unopenable(one)
  blobs.add(one, true, large)
  blobs.add(one, false)
  await expect(blobs.flush()).rejects.toEqual(failure('ALM_STORE_FAILED'))
  expect(lost).toEqual([one])
})

it('what was synced and is only found again is not synced again', async () => {
  whole(one)
  blobs.add(one, true)
  await blobs.flush()
  rmSync(shard(store, one))
  unopenable(one)
  blobs.add(one, false)
  expect(blobs.any).toBe(false)
  await blobs.flush()
})

it('what is removed before it is on disk needs no sync', async () => {
  unopenable(one)
  blobs.add(one, true, large)
  blobs.forget(one)
  await blobs.flush()
  expect(lost).toEqual([])
})
