import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { removeTree } from '../../src/data/files/remove-tree.ts'
import { LocalDataPlane } from '../../src/data/local-data-plane.ts'
import { openS3 } from '../../src/data/s3/open.ts'
import { ObjectBlobs } from '../../src/data/shared/object-blobs.ts'
import type { DirRef } from '../../src/model/refs.ts'
import { type S3Server, startMoto } from './moto.ts'
import { identity, newBucket, overwrite } from './servers.ts'

/** The script that the document shows. */
const script = /```sh title="extract.sh"\n([\s\S]*?)```/.exec(
  readFileSync(new URL('../../docs/format.md', import.meta.url), 'utf8'),
)?.[1] as string

Object.assign(process.env, identity)

const user = `${identity.AWS_ACCESS_KEY_ID}:${identity.AWS_SECRET_ACCESS_KEY}`

let server: S3Server
let bucket: string
let folder: string
let data: LocalDataPlane

beforeAll(async () => {
  server = await startMoto()
})
afterAll(() => server.stop())
beforeEach(async () => {
  bucket = await newBucket(server)
  folder = mkdtempSync(join(tmpdir(), 'almanac-format-'))
  writeFileSync(`${folder}/extract.sh`, script)
  const objects = await openS3({ bucket, prefix: 'farm', endpoint: server.endpoint })
  const shared = new ObjectBlobs(objects)
  data = new LocalDataPlane({ home: `${folder}/.almanac`, data: `${folder}/data`, threads: 1, shared })
})
afterEach(async () => {
  await data.close()
  spawnSync('chmod', ['-R', 'u+w', folder])
  removeTree(folder)
})

const extract = (store: string, digest: string) => {
  const target = `${folder}/out-${Math.random()}`
  const { status, stderr } = spawnSync('sh', [`${folder}/extract.sh`, store, digest, target], {
    encoding: 'utf8',
    env: { ...process.env, CURL: `curl --aws-sigv4 aws:amz:us-east-1:s3 --user ${user}` },
  })
  return { status, stderr, target }
}

async function strange(): Promise<DirRef> {
  mkdirSync(`${folder}/mine/deep/er`, { recursive: true })
  mkdirSync(`${folder}/mine/empty`)
  const names = [
    'plain',
    ' spaces  at ends ',
    '-rf',
    'back\\slash\\n',
    'new\nline\n',
    '%41 é 😀',
    '*',
    'quote\'s "$HOME"',
  ]
  for (const name of names) writeFileSync(`${folder}/mine/deep/${name}`, `this is ${name}`)
  writeFileSync(`${folder}/mine/deep/er/run`, '#!/bin/sh\n', { mode: 0o755 })
  writeFileSync(`${folder}/mine/nothing`, '')
  writeFileSync(`${folder}/mine/bytes`, Buffer.from([0, 255, 10, 13, 0]))
  return (await data.keep((await data.scan(`${folder}/mine`)) as DirRef)) as DirRef
}

/** Names with contents and executable bits. */
function listed(path: string): unknown[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const stat = statSync(join(path, name))
      if (stat.isDirectory()) return [name]
      return [name, readFileSync(join(path, name), 'latin1'), (stat.mode & 0o100) !== 0]
    })
}

describe('the script of docs/format.md', () => {
  it('is thirty lines long', () => {
    expect(script.trim().split('\n').length).toBeLessThanOrEqual(31)
  })

  it('extracts a version from a disk, whatever its names', async () => {
    const dir = await strange()
    const { status, stderr, target } = extract(`${folder}/.almanac/store`, dir.digest)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(listed(target)).toEqual(listed(`${folder}/mine`))
  })

  it('extracts a directory whose listing is in parts', async () => {
    mkdirSync(`${folder}/mine`)
    for (let i = 0; i < 1100; i++) writeFileSync(`${folder}/mine/${i}`, '')
    const dir = (await data.keep((await data.scan(`${folder}/mine`)) as DirRef)) as DirRef
    expect(readFileSync(`${folder}/.almanac/store/${dir.digest.slice(0, 2)}/${dir.digest}`, 'utf8')).toMatch(
      /^almanac-tree 1 index \d\n/,
    )
    const { status, stderr, target } = extract(`${folder}/.almanac/store`, dir.digest)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(readdirSync(target).sort()).toEqual(readdirSync(`${folder}/mine`).sort())
  })

  it('extracts a version from a bucket', async () => {
    const dir = await strange()
    await data.push([dir])
    const { status, stderr, target } = extract(`${server.endpoint}/${bucket}/farm/blobs`, dir.digest)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(listed(target)).toEqual(listed(`${folder}/mine`))
  })

  it('says which file is damaged', async () => {
    const file = await data.writeFile('a', Buffer.from('true'))
    const dir = await data.assemble([['a', file]])
    await data.push([dir])
    const key = `farm/blobs/${file.digest.slice(0, 2)}/${file.digest}`
    await overwrite(server, bucket, key, Buffer.from('lies'))
    const { status, stderr } = extract(`${server.endpoint}/${bucket}/farm/blobs`, dir.digest)
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `${server.endpoint}/${bucket}/${key} is damaged\n`,
    })
  })
})
