import type { S3Client } from '@aws-sdk/client-s3'
import type { Semaphore } from '../../util/semaphore.ts'
import type { Sdk } from './client.ts'
import type { Patience } from './failures.ts'

/** What the parts of the adapter share. */
export interface Connection {
  readonly sdk: Sdk
  readonly client: S3Client
  readonly bucket: string
  readonly patience: Patience
  readonly partBytes: number
  /** a place for each body that is in memory: of a request, and of what was read and is not given yet */
  readonly semaphore: Semaphore
}
