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
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Digest } from '../../model/refs.ts'
import { bytes, failure, listed, text } from '../../testing/contracts/data-fixture.ts'
import type { DiskPlace } from '../../testing/disk-place.ts'
import { diskPlace } from '../../testing/disk-place.ts'
import { storeError } from '../files/failures.ts'
import { shard } from '../files/home.ts'
import { openDataPlane } from '../open.ts'
import type { Parts } from '../parts.ts'
import { openParts } from '../parts.ts'
import { thisProcess } from '../processes/process-identity.ts'
import { adoptFile, digestOf } from './blob-files.ts'
import { stamped } from './stamp.ts'

let place: DiskPlace
let parts: Parts

const home = () => `${place.root}/.almanac`
const pathOf = (digest: Digest) => shard(parts.store.files.store, digest)
/** Harm that a look at size and times does not show, if it keeps the size. */
const harm = (digest: Digest, change: (path: string) => void) => {
  const path = pathOf(digest)
  chmodSync(path, 0o644)
  change(path)
  utimesSync(path, 1, stamped(digest, Date.now()))
}
const reopen = async () => {
  await parts.store.sync()
  parts.presence.leave()
  parts = await openParts(home(), 1, Date.now)
}

beforeEach(async () => {
  place = await diskPlace(async (root) => openDataPlane({ home: `${root}/.almanac`, data: `${root}/data` }))
  parts = await openParts(home(), 1, Date.now)
})

afterEach(async () => {
  await parts.pool.close()
  await place.dispose()
})

describe('the blob store', () => {
  it('gives back what was put, and the same bytes are one blob', async () => {
    const { store } = parts
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), async (some) => {
        const digest = await store.put(some)
        expect(digest).toBe(digestOf(some))
        expect(Buffer.from(await store.get(digest)).equals(Buffer.from(some))).toBe(true)
      }),
    )
    const large = Buffer.alloc(3 << 20, 'large')
    const digest = await store.put(large)
    expect(await store.put(large)).toBe(digest)
    expect(Buffer.from(await store.get(digest)).equals(large)).toBe(true)
    expect(statSync(pathOf(digest)).mode & 0o777).toBe(0o444)
  })

  it('lists and removes', async () => {
    const { store } = parts
    const digests = [await store.put(bytes('one')), await store.put(bytes('two')), await store.put(bytes(''))]
    const all = await listed(store.list())
    expect(all.map(({ digest, size }) => [digest, size]).sort()).toEqual(
      digests.map((digest, i) => [digest, [3, 3, 0][i]]).sort(),
    )
    expect(all.every(({ changedAt }) => Math.abs(changedAt - Date.now()) < 60_000)).toBe(true)
    await store.remove([digests[0] as Digest, '0'.repeat(64)])
    expect([await store.has(digests[0] as Digest), await store.has(digests[1] as Digest)]).toEqual([
      false,
      true,
    ])
    await expect(store.get(digests[0] as Digest)).rejects.toEqual(failure('ALM_BLOB_MISSING'))
    await expect(store.get('../../etc/passwd')).rejects.toEqual(failure('ALM_BLOB_MISSING'))
    expect(await store.has('../../etc/passwd')).toBe(false)
  })

  it('finds damage wherever it is read, and has it no longer', async () => {
    const { store } = parts
    const harms: ((path: string) => void)[] = [
      (path) => writeFileSync(path, 'HELLO'),
      (path) => truncateSync(path, 3),
      (path) => truncateSync(path, 0),
      (path) => writeFileSync(path, 'hello and more'),
    ]
    for (const change of harms) {
      const digest = await store.put(bytes('hello'))
      chmodSync(pathOf(digest), 0o644)
      change(pathOf(digest))
      expect(await store.has(digest)).toBe(false)
      // even where the times were set back, nothing wrong is given
      await store.put(bytes('hello'))
      harm(digest, change)
      await expect(store.get(digest)).rejects.toEqual(failure('ALM_BLOB_DAMAGED', { digest }))
      expect(await store.has(digest)).toBe(false)
      await store.put(bytes('hello'))
      expect(text(await store.get(digest))).toBe('hello')
    }
  })

  it('has a blob that was only touched', async () => {
    const { store } = parts
    const digest = await store.put(bytes('hello'))
    utimesSync(pathOf(digest), 1, 1)
    expect(store.hasNow(digest)).toBe(false)
    expect(await store.has(digest)).toBe(true)
    expect(store.hasNow(digest)).toBe(true)
  })

  it('names all damaged blobs', async () => {
    const { store } = parts
    const digests: Digest[] = []
    for (let i = 0; i < 200; i++) digests.push(await store.put(bytes(`blob ${i}`)))
    for (const i of [3, 77]) {
      chmodSync(pathOf(digests[i] as Digest), 0o644)
      writeFileSync(pathOf(digests[i] as Digest), 'BLOB')
    }
    const data = openDataPlane({ home: home(), data: `${place.root}/data` })
    const report = await data.checkStore()
    expect({ ...report, damaged: report.damaged.map(({ digest }) => digest).sort() }).toEqual({
      blobs: 200,
      bytes: report.bytes,
      damaged: [digests[3], digests[77]].sort(),
    })
    expect(report.damaged[0]?.why).toBe('it was written to, 4 bytes now')
    expect((await data.checkStore()).damaged).toEqual([])
    await data.close()
  })
})

describe('adopting a file', () => {
  it('moves it, and copies it from another file system', async () => {
    const { store } = parts
    const elsewhere = mkdtempSync(`${existsSync('/dev/shm') ? '/dev/shm' : tmpdir()}/almanac-`)
    for (const [i, directory] of [place.outside, elsewhere].entries()) {
      const path = `${directory}/x`
      writeFileSync(path, `hello ${i}`, { mode: 0o755 })
      const { ino } = statSync(path)
      const adopted = await store.adopt(path)
      expect(adopted).toEqual({ digest: digestOf(`hello ${i}`), size: 7, executable: true, fresh: true })
      expect(existsSync(path)).toBe(false)
      expect(text(await store.get(adopted.digest))).toBe(`hello ${i}`)
      if (i === 0) expect(statSync(pathOf(adopted.digest)).ino).toBe(ino)
    }
    rmSync(elsewhere, { recursive: true })
  })

  it('refuses one that is written to after it was read, so that no bytes bear the stamp of others', () => {
    const path = `${place.outside}/x`
    writeFileSync(path, 'hello')
    const { files } = parts.store
    // the store is looked at when the file has been read
    const written = {
      ...files,
      get store() {
        appendFileSync(path, '!')
        return files.store
      },
    }
    expect(() => adoptFile(written, path)).toThrow(failure('ALM_INPUT_CHANGED', { path }))
    expect([existsSync(path), existsSync(pathOf(digestOf('hello')))]).toEqual([true, false])
  })

  it('never takes an inode that has another name', async () => {
    const { store } = parts
    writeFileSync(`${place.outside}/mine`, 'hello')
    linkSync(`${place.outside}/mine`, `${place.outside}/out`)
    const { digest } = await store.adopt(`${place.outside}/out`)
    writeFileSync(`${place.outside}/mine`, 'HELLO')
    expect(text(await store.get(digest))).toBe('hello')
    expect(existsSync(`${place.outside}/out`)).toBe(false)
  })

  it('drops what the store has', async () => {
    const { store } = parts
    const digest = await store.put(bytes('hello'))
    const { ino } = statSync(pathOf(digest))
    writeFileSync(`${place.outside}/x`, 'hello')
    expect(await store.adopt(`${place.outside}/x`)).toEqual({
      digest,
      size: 5,
      executable: false,
      fresh: false,
    })
    expect([existsSync(`${place.outside}/x`), statSync(pathOf(digest)).ino]).toEqual([false, ino])
  })
})

describe('after the machine has lost its power', () => {
  /** The process is gone, and so is the machine that it ran on. */
  const losePower = async (bootId: string) => {
    const entries = readdirSync(`${home()}/work`).filter((name) => name.endsWith('.json'))
    for (const name of entries) {
      const path = `${home()}/work/${name}`
      const entry = JSON.parse(readFileSync(path, 'utf8')) as object
      writeFileSync(path, JSON.stringify({ ...entry, pid: 1, start: '-', bootId }))
    }
    await parts.pool.close()
    parts = await openParts(home(), 1, Date.now)
  }

  it('files that are cut at any byte after the last sync are missing, and all others are there', async () => {
    const content = 'these are forty bytes that may be torn.\n'
    for (let cut = 0; cut < content.length; cut += 3) {
      const torn = await parts.store.put(bytes(`${content}${cut}`))
      const whole = await parts.store.put(bytes(`whole ${cut}`))
      harm(torn, (path) => truncateSync(path, cut))
      await losePower('another boot')
      expect([await parts.store.has(torn), await parts.store.has(whole)]).toEqual([false, true])
      expect(parts.store.hasNow(torn)).toBe(false)
    }
    expect(readdirSync(`${home()}/work`)).toHaveLength(2)
  })

  it('blobs from before the last sync are not read again', async () => {
    const old = await parts.store.put(bytes('old'))
    await reopen()
    harm(old, (path) => writeFileSync(path, 'OLD'))
    // nothing was written since, so there is nothing to look at
    await losePower('another boot')
    expect(parts.store.hasNow(old)).toBe(true)
    await expect(parts.store.get(old)).rejects.toEqual(failure('ALM_BLOB_DAMAGED'))
  })

  it('a process that was killed on the same boot leaves its blobs to the next one to sync', async () => {
    await parts.store.put(bytes('left'))
    await losePower(thisProcess().bootId)
    expect(parts.presence.unsyncedSince).toBeTypeOf('number')
    await parts.store.sync()
    const next = parts
    expect(await next.store.has(digestOf('left'))).toBe(true)
    expect(readdirSync(`${home()}/work`)).toHaveLength(2)
  })

  it('what is on disk is found again without a write; what another process may not have synced is synced again', async () => {
    const digest = await parts.store.put(bytes('kept'))
    await reopen()
    // as in most processes it was there a moment before
    parts.presence.leave()
    parts = await openParts(home(), 1, Date.now)
    expect(parts.store.renew(digest)).toBe(true)
    expect(parts.presence.unsyncedSince).toBe(undefined)

    const other = `${home()}/work/other.json`
    for (const [since, marks] of [
      [Date.now() - 60_000, true],
      [Date.now() + 60_000, false],
      [undefined, false],
    ] as const) {
      writeFileSync(other, JSON.stringify({ ...thisProcess(), unsyncedSince: since }))
      parts.presence.leave()
      parts = await openParts(home(), 1, Date.now)
      expect(parts.store.renew(digest)).toBe(true)
      expect(parts.presence.unsyncedSince !== undefined).toBe(marks)
      await parts.store.sync()
    }
    const mine = await parts.store.put(bytes('of this process'))
    await parts.store.sync()
    parts.presence.setUnsynced(undefined)
    expect(parts.store.renew(mine)).toBe(true)
    expect(parts.presence.unsyncedSince).toBeTypeOf('number')
  })

  it('an entry that never got its name is removed, but not one that may be about to get it', async () => {
    const path = `${home()}/work/1-none.json.tmp`
    writeFileSync(path, JSON.stringify({ ...thisProcess(), bootId: 'another boot' }))
    writeFileSync(`${home()}/work/2-cut.json.tmp`, '{"pid":')
    await reopen()
    expect(readdirSync(`${home()}/work`).filter((name) => name.endsWith('.tmp'))).toEqual(['2-cut.json.tmp'])
    utimesSync(`${home()}/work/2-cut.json.tmp`, 1, 1)
    await reopen()
    expect(readdirSync(`${home()}/work`)).toHaveLength(2)
  })

  it('an entry that is cut off tells of nothing', async () => {
    writeFileSync(`${home()}/work/torn.json`, '{"pid":')
    mkdirSync(`${home()}/work/torn/attempts/x`, { recursive: true })
    await reopen()
    expect(readdirSync(`${home()}/work`)).toHaveLength(2)
  })
})

describe('an error of the system', () => {
  it('says what to do about it', () => {
    const table = [
      ['ENOSPC', 'ALM_STORE_FULL'],
      ['EDQUOT', 'ALM_STORE_FULL'],
      ['EROFS', 'ALM_STORE_READ_ONLY'],
      ['EACCES', 'ALM_STORE_READ_ONLY'],
      ['EPERM', 'ALM_STORE_READ_ONLY'],
      ['EIO', 'ALM_STORE_FAILED'],
      ['EMFILE', 'ALM_STORE_FAILED'],
    ] as const
    for (const [code, expected] of table) {
      const error = Object.assign(new Error(`${code}: so it is, write '/x'`), { code })
      expect(storeError(error, '/x')).toEqual(failure(expected, { path: '/x' }))
    }
    const error = Object.assign(new Error("EIO: i/o error, read '/x'"), { code: 'EIO' })
    expect(storeError(error, '/x').message).toBe('/x: i/o error (EIO).')
  })
})
