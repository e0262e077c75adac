import type { Objects } from '../../ports/objects.ts'
import { openClient } from './client.ts'
import type { Patience } from './failures.ts'
import { usualPatience } from './failures.ts'
import type { S3Location } from './location.ts'
import { S3Objects } from './objects.ts'

export interface S3Tuning {
  readonly patience?: Partial<Patience>
  /** bytes of a part, and of a range; objects up to that are sent and read in one */
  readonly partBytes?: number
}

/** S3's least for all parts but the last is 5 MiB. */
const usualPart = 8 * 1024 * 1024

/** Requests of one process at once, and so, times the part's size, the most memory that transfers take. */
const usualWidth = 8

/** @throws ALM_TOOL_MISSING where the AWS SDK is not installed */
export async function openS3(location: S3Location, tuning: S3Tuning = {}): Promise<Objects> {
  const patience = { ...usualPatience, ...tuning.patience }
  const { sdk, client } = await openClient(location, patience.silenceMs)
  return new S3Objects(sdk, client, location, {
    patience,
    partBytes: tuning.partBytes ?? usualPart,
    width: usualWidth,
  })
}
