import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { open, type S3Url, task, type Url, url, workflow } from '../../src/index.ts'
import { overwrite } from '../s3/servers.ts'
import { openBucketStage } from './bucket-stage.ts'

const stage = openBucketStage()

let client: S3Client

beforeAll(() => {
  const { endpoint } = stage.server
  client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true })
})
afterAll(() => client.destroy())

const key = 'raw/a b+ü(1).nc'
const put = (text: string) => overwrite(stage.server, stage.bucket, key, Buffer.from(text))
const putOpen = (text: string) =>
  client.send(new PutObjectCommand({ Bucket: stage.bucket, Key: key, Body: text, ACL: 'public-read' }))
const versioned = () =>
  client.send(
    new PutBucketVersioningCommand({ Bucket: stage.bucket, VersioningConfiguration: { Status: 'Enabled' } }),
  )
const at = (options: Partial<S3Url> = {}): S3Url => ({
  bucket: stage.bucket,
  key,
  endpoint: stage.proxy.endpoint,
  ...options,
})
const heads = () => stage.proxy.asked.filter((one) => one.method === 'HEAD')

const read = task('read', { version: '1' }, async (from: Url) => {
  const answer = await fetch(from.href)
  return {
    status: answer.status,
    text: await answer.text(),
    names: [...new URL(from.href).searchParams.keys()],
  }
})
const reading = (options: Partial<S3Url> = {}) => workflow('reading', async () => read(url.s3(at(options))))

it('is signed where the bucket is not open, and counts without the signature', async () => {
  await put('AAAA')
  const result = await (await stage.almanac.start(reading(), undefined)).result
  expect(result).toMatchObject({ executed: 2, output: { status: 200, text: 'AAAA' } })
  expect((result.output as { names: string[] }).names).toContain('X-Amz-Signature')
  expect((result.output as { names: string[] }).names).not.toContain('versionId')
  expect((await (await stage.almanac.start(reading(), undefined)).result).reused).toBe(1)
  await put('BBBB')
  expect(await stage.almanac.run(reading())).toMatchObject({ text: 'BBBB' })
})

it('is pinned where the bucket keeps versions: whoever reads it is not disturbed by a newer one', async () => {
  await versioned()
  await put('old')
  const slow = task('slow', async (from: Url) => {
    await put('newer')
    return await (await fetch(from.href)).text()
  })
  const flow = workflow('pinned', async () => {
    const one = await url.s3(at())
    return { text: await slow(one), version: one.version, pinned: one.pinned }
  })
  const { text, version, pinned } = (await stage.almanac.run(flow)) as Record<string, unknown>
  expect([text, pinned]).toEqual(['old', true])
  expect(await stage.almanac.run(reading())).toMatchObject({ text: 'newer' })
  expect(await stage.almanac.run(reading({ version: version as string }))).toMatchObject({ text: 'old' })
})

it('fails its reader by name where the version was deleted meanwhile', async () => {
  await versioned()
  await put('old')
  const deletes = task('deletes', async (from: Url) => {
    await client.send(new DeleteObjectCommand({ Bucket: stage.bucket, Key: key, VersionId: from.version }))
  })
  const flow = workflow('deleted', async () => deletes(url.s3(at())))
  await expect(stage.almanac.run(flow)).rejects.toThrow(
    `${stage.proxy.endpoint}/${stage.bucket}/${key} is no longer what the run looked at: it is gone.`,
  )
})

it('fails its reader by name where the object was overwritten, and no versions are kept', async () => {
  await put('old')
  const slow = task('slow', (_: Url) => put('new'))
  const flow = workflow('overwritten', async () => slow(url.s3(at())))
  await expect(stage.almanac.run(flow)).rejects.toMatchObject({ code: 'ALM_INPUT_URL_CHANGED' })
})

it('is plain where everybody may read it', async () => {
  await putOpen('open')
  expect(await stage.almanac.run(reading({ anonymous: true }))).toEqual({
    status: 200,
    text: 'open',
    names: [],
  })
  expect(heads().filter((one) => one.headers.authorization !== undefined)).toEqual([])
  await versioned()
  await putOpen('version')
  expect(await stage.almanac.run(reading({ anonymous: true }))).toEqual({
    status: 200,
    text: 'version',
    names: ['versionId'],
  })
})

it('is not pinned where versions may not be read', async () => {
  await versioned()
  await put('A')
  stage.proxy.fault = (asked) =>
    asked.method === 'HEAD' && asked.query.has('versionId')
      ? { kind: 'status', status: 403, code: 'AccessDenied' }
      : undefined
  const { names } = (await stage.almanac.run(reading())) as { names: string[] }
  expect(names).not.toContain('versionId')
})

it('tries again through faults of the store, and says what is not there', async () => {
  await put('A')
  let left = 3
  stage.proxy.fault = (asked) =>
    asked.method === 'HEAD' && left-- > 0 ? { kind: 'status', status: 503, code: 'SlowDown' } : undefined
  expect(await stage.almanac.run(reading())).toMatchObject({ text: 'A' })
  await expect(stage.almanac.run(reading({ key: 'none' }))).rejects.toMatchObject({
    code: 'ALM_SOURCE_MISSING',
  })
  await expect(stage.almanac.run(reading({ key: 'x/../y' }))).rejects.toMatchObject({
    code: 'ALM_OPTION_REFUSED',
  })
})

it('leaves no signature in anything that is kept', async () => {
  await put('A')
  let signature = ''
  const leaky = task('leaky', (from: Url) => {
    signature = new URL(from.href).searchParams.get('X-Amz-Signature') ?? ''
    console.log(from.href)
    throw new Error(`no ${from.href}`)
  })
  await expect(stage.almanac.run(workflow('leaky', async () => leaky(url.s3(at()))))).rejects.toThrow('no …')
  await stage.almanac.close()
  const files = readdirSync(stage.folder, { recursive: true, withFileTypes: true }).filter((one) =>
    one.isFile(),
  )
  const kept = files.map((one) => join(one.parentPath, one.name)).filter((path) => statSync(path).size > 0)
  expect(signature).toMatch(/^[0-9a-f]{64}$/)
  expect(kept.filter((path) => readFileSync(path, 'latin1').includes(signature))).toEqual([])
  stage.almanac = await open({ project: stage.folder })
})
