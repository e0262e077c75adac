import { AlmanacError } from '../../model/errors.ts'
import type { Objects } from '../../ports/objects.ts'
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
  const sdk = await loadSdk()
  const patience = { ...usualPatience, ...tuning.patience }
  const client = new sdk.S3Client({
    // with an endpoint of their own the region is only a word in the signature
    ...(location.region !== undefined
      ? { region: location.region }
      : location.endpoint !== undefined && { region: process.env['AWS_REGION'] ?? 'us-east-1' }),
    ...(location.endpoint !== undefined && { endpoint: location.endpoint }),
    // hosts that are not Amazon's seldom have a name for each bucket
    forcePathStyle: location.pathStyle ?? location.endpoint !== undefined,
    // `withPatience` does it, which goes on in the middle of an answer
    maxAttempts: 1,
    requestHandler: { connectionTimeout: patience.silenceMs, socketTimeout: patience.silenceMs },
  })
  return new S3Objects(sdk, client, location, {
    patience,
    partBytes: tuning.partBytes ?? usualPart,
    width: usualWidth,
  })
}

async function loadSdk() {
  try {
    return await import('@aws-sdk/client-s3')
  } catch (error) {
    throw new AlmanacError(
      'ALM_TOOL_MISSING',
      { what: '@aws-sdk/client-s3, which a store on S3 needs,', how: 'npm install @aws-sdk/client-s3' },
      { cause: error },
    )
  }
}
