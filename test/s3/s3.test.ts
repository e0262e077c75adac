import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, type S3Client } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { removeTree } from '../../src/data/files/remove-tree.ts'
import type { Patience } from '../../src/data/s3/failures.ts'
import { openS3 } from '../../src/data/s3/open.ts'
import { blobKey } from '../../src/data/shared/layout.ts'
import { ObjectBlobs } from '../../src/data/shared/object-blobs.ts'
import type { Digest } from '../../src/model/refs.ts'
import type { Objects } from '../../src/ports/objects.ts'
import { testBlobs } from '../../src/testing/contracts/blob-contract.ts'
import type { Fault, FaultyProxy } from './faulty-proxy.ts'
import { startProxy } from './faulty-proxy.ts'
import type { S3Server } from './moto.ts'
import { clientOf, identity, newBucket, overwrite, servers } from './servers.ts'

const partBytes = 5 * 1024 * 1024
// longer than any machine is silent
const patience: Patience = { attempts: 5, restMs: 2, silenceMs: 60_000 }
// for stores that stop in the middle; where they only take long, they are asked once more
const shortPatience: Patience = { ...patience, silenceMs: 4000 }

Object.assign(process.env, identity)

describe.each(servers)('a store on %s', (_name, start) => {
  let server: S3Server
  let proxy: FaultyProxy
  let bucket: string
  let objects: Objects
  let store: ObjectBlobs
  let folder: string

  const openAt = (endpoint: string, more: Patience = patience) =>
    openS3({ bucket, prefix: 'a project', endpoint }, { patience: more, partBytes })
  /** The fault meets the first `times` requests that it is meant for. */
  const harm = (fault: Fault, method: string, times: number, query = '') => {
    let left = times
    proxy.fault = (asked) =>
      asked.method === method && (query === '' || asked.query.has(query)) && left-- > 0 ? fault : undefined
  }
  const count = (method: string, query: string) =>
    proxy.asked.filter((asked) => asked.method === method && asked.query.has(query)).length

  beforeAll(async () => {
    server = await start()
    proxy = await startProxy(server.endpoint)
  })
  afterAll(async () => {
    await proxy.close()
    await server.stop()
  })
  beforeEach(async () => {
    bucket = await newBucket(server)
    objects = await openAt(proxy.endpoint)
    store = new ObjectBlobs(objects)
    folder = mkdtempSync(`${tmpdir()}/almanac-s3-`)
    proxy.asked.length = 0
    proxy.fault = () => undefined
  })
  afterEach(() => {
    objects.close()
    removeTree(folder)
  })

  const damage = async (digest: Digest): Promise<void> => {
    const damaged = Buffer.from(await store.get(digest)).map((byte) => byte ^ 1)
    await overwrite(server, bucket, `a project/${blobKey(digest)}`, Buffer.from(damaged))
  }

  testBlobs('blobs', async () => ({
    store,
    harm: damage,
    async dispose() {},
  }))

  testBlobs('blobs, where every third request fails', async () => {
    const faults: readonly Fault[] = [
      { kind: 'status', status: 503, code: 'SlowDown' },
      { kind: 'lose' },
      { kind: 'cut', after: 1 },
      { kind: 'refuse' },
      { kind: 'status', status: 500, code: 'InternalError' },
    ]
    let asked = 0
    proxy.fault = () => (++asked % 3 === 0 ? faults[(asked / 3) % faults.length] : undefined)
    return {
      store,
      harm: damage,
      async dispose() {},
    }
  })

  it('writes a key once, whoever comes first', async () => {
    const said = await Promise.all(
      ['a', 'b', 'c', 'd'].map((text) => objects.put('one', Buffer.from(text), { once: true })),
    )
    expect(said.filter((kept) => kept)).toHaveLength(1)
    expect(await objects.put('one', Buffer.from('late'), { once: true })).toBe(false)
    expect(await textOf(objects, 'one')).toBe(['a', 'b', 'c', 'd'][said.indexOf(true)])
    expect(await objects.put('one', Buffer.from('over'))).toBe(true)
    expect(await textOf(objects, 'one')).toBe('over')
  })

  it('lists more than a page in order, and removes them', async () => {
    const keys = Array.from({ length: 1003 }, (_, i) => `page/${String(i).padStart(4, '0')}`)
    await Promise.all(keys.map((key) => objects.put(key, Buffer.from('x'))))
    const listed: string[] = []
    for await (const { key } of objects.list('page/')) listed.push(key)
    expect(listed).toEqual(keys)
    await objects.remove(keys)
    for await (const { key } of objects.list('page/')) expect(key).toBe('none')
  })

  it('goes on with an upload that was cut off, and sends no part twice', async () => {
    const { path, digest, bytes } = someFile(folder, 3 * partBytes + 10)
    // all of the third part's tries fail: the process is as good as dead
    proxy.fault = ({ query }) => (query.get('partNumber') === '3' ? { kind: 'refuse' } : undefined)
    await expect(store.send(digest, path)).rejects.toMatchObject({ code: 'ALM_STORE_FAILED' })
    expect(await store.has(digest)).toBe(false)
    proxy.fault = () => undefined
    proxy.asked.length = 0
    await store.send(digest, path)
    const sent = proxy.asked.filter(({ method, query }) => method === 'PUT' && query.has('partNumber'))
    expect(sent.map(({ query }) => query.get('partNumber'))).toEqual(['3'])
    expect(Buffer.compare(Buffer.from(await store.get(digest)), bytes)).toBe(0)
  })

  it('sends each part with its checksum, and again where it came as another', async () => {
    const { path, digest } = someFile(folder, 2 * partBytes)
    harm({ kind: 'status', status: 400, code: 'BadDigest' }, 'PUT', 2, 'partNumber')
    await store.send(digest, path)
    const sent = proxy.asked.filter(({ method, query }) => method === 'PUT' && query.has('partNumber'))
    expect(sent).toHaveLength(4)
    for (const { headers } of sent) expect(headers['x-amz-checksum-sha256']).toMatch(/^[\w+/]{43}=$/)
  })

  it('sends a file once where two send it at once', async () => {
    const { path, digest, bytes } = someFile(folder, 2 * partBytes + 1)
    const other = await openAt(proxy.endpoint)
    await Promise.all([store.send(digest, path), new ObjectBlobs(other).send(digest, path)])
    other.close()
    expect(Buffer.compare(Buffer.from(await store.get(digest)), bytes)).toBe(0)
  })

  describe('under a key that others write other files to', () => {
    const key = 'plain/main/farm/f'
    const at = () => ({ Bucket: bucket, Key: `a project/${key}` })
    const uploads = async (client: S3Client) => {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
      return Uploads.map(({ UploadId }) => UploadId)
    }
    let client: S3Client

    beforeEach(() => {
      client = clientOf(server)
    })
    afterEach(() => client.destroy())

    it('leaves the uploads of others alone', async () => {
      const { path, digest } = someFile(folder, 2 * partBytes)
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(at()))
      await objects.putFile(key, path, digest)
      expect(await uploads(client)).toEqual([UploadId])
      expect(await digestThere(objects, key)).toBe(digest)
    })

    it('takes no older file of the same size for the one that it sends', async () => {
      const older = someFile(folder, 2 * partBytes)
      await objects.putFile(key, older.path, older.digest)
      const newer = someFile(folder, 2 * partBytes)
      harm({ kind: 'status', status: 400, code: 'InvalidPart' }, 'POST', 1, 'uploadId')
      await objects.putFile(key, newer.path, newer.digest)
      expect(await digestThere(objects, key)).toBe(newer.digest)
      expect(await uploads(client)).toEqual([])
    })

    it('leaves nothing of what it could not send', async () => {
      const { path, digest } = someFile(folder, 2 * partBytes)
      proxy.fault = ({ query }) => (query.get('partNumber') === '2' ? { kind: 'refuse' } : undefined)
      await expect(objects.putFile(key, path, digest)).rejects.toMatchObject({ code: 'ALM_STORE_FAILED' })
      expect([await objects.look(key), await uploads(client)]).toEqual([undefined, []])
    })
  })

  it('takes no file that is another than was said, and leaves nothing', async () => {
    const { path } = someFile(folder, 2 * partBytes)
    const said = sha256('something else')
    await expect(store.send(said, path)).rejects.toMatchObject({
      code: 'ALM_INPUT_CHANGED',
      details: { path },
    })
    writeFileSync(path, 'small')
    await expect(store.send(said, path)).rejects.toMatchObject({
      code: 'ALM_INPUT_CHANGED',
      details: { path },
    })
    expect(await store.has(said)).toBe(false)
  })

  const whole: readonly (readonly [string, Fault])[] = [
    ['cut in the middle', { kind: 'cut', after: 1000 }],
    ['of half the length, and a head that says so', { kind: 'shorten', to: 1000 }],
    ['shorter than its head says', { kind: 'lie', more: 100 }],
    ['with a byte that is another', { kind: 'flip' }],
    ['that stops in the middle', { kind: 'hang' }],
    ['503 Slow Down', { kind: 'status', status: 503, code: 'SlowDown' }],
    ['500', { kind: 'status', status: 500, code: 'InternalError' }],
  ]

  it.each(whole)('reads a file in ranges through answers %s', async (_what, fault) => {
    const { path, digest, bytes } = someFile(folder, 2 * partBytes + 77)
    await store.send(digest, path)
    const other = await openAt(proxy.endpoint, shortPatience)
    harm(fault, 'GET', 2)
    expect(await new ObjectBlobs(other).fetch(digest, `${folder}/back`)).toBe(bytes.length)
    other.close()
    expect(Buffer.compare(readFileSync(`${folder}/back`), bytes)).toBe(0)
  })

  it('says which blob and which object are others than their digest, and leaves no file', async () => {
    const digest = await store.put(Buffer.from('measured'))
    const lie = Buffer.from('invented')
    await overwrite(server, bucket, `a project/${blobKey(digest)}`, lie)
    await expect(store.fetch(digest, `${folder}/back`)).rejects.toMatchObject({
      code: 'ALM_BLOB_DAMAGED',
      details: {
        digest,
        why: `what s3://${bucket}/a project/${blobKey(digest)} gives has the SHA-256 ${sha256(lie)}`,
      },
    })
    expect(existsSync(`${folder}/back`)).toBe(false)
  })

  it('says what it may not do, at once, and to which object', async () => {
    const digest = await store.put(Buffer.from('secret'))
    const place = `s3://${bucket}/a project/${blobKey(digest)}`
    proxy.asked.length = 0
    proxy.fault = () => ({ kind: 'status', status: 403, code: 'AccessDenied' })
    await expect(store.get(digest)).rejects.toMatchObject({
      code: 'ALM_STORE_DENIED',
      details: { what: 'read', place, why: 'AccessDenied: as told' },
    })
    await expect(store.put(Buffer.from('secret'))).rejects.toMatchObject({
      code: 'ALM_STORE_DENIED',
      details: { what: 'write', place },
    })
    expect(proxy.asked).toHaveLength(2)
  })

  it('says at once that it is not let in any more, where its credentials have expired', async () => {
    proxy.asked.length = 0
    proxy.fault = () => ({ kind: 'status', status: 400, code: 'ExpiredToken' })
    await expect(store.put(Buffer.from('late'))).rejects.toMatchObject({
      code: 'ALM_STORE_DENIED',
      details: { what: 'write', why: 'ExpiredToken: as told' },
    })
    expect(proxy.asked).toHaveLength(1)
  })

  it('gives up after so many failures, and says why', async () => {
    const digest = await store.put(Buffer.from('far away'))
    proxy.asked.length = 0
    proxy.fault = () => ({ kind: 'status', status: 503, code: 'SlowDown' })
    await expect(store.get(digest)).rejects.toMatchObject({
      code: 'ALM_STORE_FAILED',
      details: { path: `s3://${bucket}/a project/${blobKey(digest)}`, why: 'SlowDown: as told' },
    })
    expect(proxy.asked).toHaveLength(patience.attempts)
  })

  it('says that a bucket is not there', async () => {
    const nowhere = await openS3(
      { bucket: 'almanac-nowhere', prefix: '', endpoint: server.endpoint },
      { patience },
    )
    await expect(new ObjectBlobs(nowhere).put(Buffer.from('x'))).rejects.toMatchObject({
      code: 'ALM_STORE_FAILED',
      details: { why: expect.stringContaining('NoSuchBucket') },
    })
    nowhere.close()
  })

  it('reads large files by ranges at once, and holds little of them', async () => {
    const { path, digest } = someFile(folder, 40 * 1024 * 1024)
    await store.send(digest, path)
    expect(count('PUT', 'partNumber')).toBe(8)
    const before = process.memoryUsage().arrayBuffers
    let most = 0
    let pieces = 0
    await objects.read(blobKey(digest), (piece) => {
      pieces++
      expect(piece.length).toBeLessThanOrEqual(partBytes)
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    })
    expect(pieces).toBe(8)
    // the proxy of the test holds each answer whole too
    expect(most).toBeLessThan(120 * 1024 * 1024)
  })
})

function someFile(folder: string, size: number) {
  const bytes = randomBytes(size)
  const path = `${folder}/file`
  writeFileSync(path, bytes)
  return { path, bytes, digest: sha256(bytes) }
}

async function digestThere(objects: Objects, key: string): Promise<string> {
  const whole = createHash('sha256')
  await objects.read(key, (piece) => void whole.update(piece))
  return whole.digest('hex')
}

async function textOf(objects: Objects, key: string): Promise<string> {
  const pieces: Uint8Array[] = []
  await objects.read(key, (piece) => void pieces.push(piece))
  return Buffer.concat(pieces).toString()
}

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')
