import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { removeTree } from '../../src/data/files/remove-tree.ts'
import { type Almanac, open } from '../../src/index.ts'
import { type FaultyProxy, startProxy } from '../s3/faulty-proxy.ts'
import { type S3Server, startMoto } from '../s3/moto.ts'
import { identity, newBucket } from '../s3/servers.ts'

/** Where tests of buckets play. */
export interface BucketStage {
  server: S3Server
  /** before the server: it knows what was asked, and fails as it is told */
  proxy: FaultyProxy
  /** of each test its own, as what follows */
  bucket: string
  folder: string
  almanac: Almanac
}

/** Opens it before the tests of a file, and closes it after them. */
export function openBucketStage(): BucketStage {
  const stage = {} as BucketStage
  beforeAll(async () => {
    Object.assign(process.env, identity)
    stage.server = await startMoto()
    stage.proxy = await startProxy(stage.server.endpoint)
  })
  afterAll(async () => {
    await stage.proxy.close()
    await stage.server.stop()
  })
  beforeEach(async () => {
    stage.folder = mkdtempSync(join(tmpdir(), 'almanac-bucket-'))
    stage.almanac = await open({ project: stage.folder })
    stage.bucket = await newBucket(stage.server)
    stage.proxy.asked.length = 0
    stage.proxy.fault = () => undefined
  })
  afterEach(async () => {
    await stage.almanac.close()
    removeTree(stage.folder)
  })
  return stage
}
