import type { S3Client } from '@aws-sdk/client-s3'
import { AlmanacError } from '../../model/errors.ts'
import type { BucketPlace } from '../../ports/remote-objects.ts'

export type Sdk = typeof import('@aws-sdk/client-s3')

/** A client of S3 or of what speaks it. @throws ALM_TOOL_MISSING where the AWS SDK is not installed */
export async function openClient(
  place: Omit<BucketPlace, 'bucket'>,
  silenceMs: number,
  /** the SDK compares bodies with their checksums */
  { checks = true }: { readonly checks?: boolean } = {},
): Promise<{ readonly sdk: Sdk; readonly client: S3Client }> {
  const sdk = await loadSdk()
  const { region, endpoint, pathStyle, anonymous } = place
  const client = new sdk.S3Client({
    // with an endpoint of their own the region is only a word in the signature
    ...(region !== undefined
      ? { region }
      : (endpoint !== undefined || anonymous === true) && {
          region: process.env['AWS_REGION'] ?? 'us-east-1',
        }),
    ...(endpoint !== undefined && { endpoint }),
    // hosts that are not Amazon's seldom have a name for each bucket
    forcePathStyle: pathStyle ?? endpoint !== undefined,
    // whoever asks tries again, and goes on in the middle of an answer
    maxAttempts: 1,
    ...(!checks && { responseChecksumValidation: 'WHEN_REQUIRED' as const }),
    requestHandler: { connectionTimeout: silenceMs, socketTimeout: silenceMs },
    ...(anonymous === true && { signer: { sign: async <T>(request: T): Promise<T> => request } }),
  })
  return { sdk, client }
}

async function loadSdk(): Promise<Sdk> {
  try {
    return await import('@aws-sdk/client-s3')
  } catch (error) {
    throw new AlmanacError(
      'ALM_TOOL_MISSING',
      { what: '@aws-sdk/client-s3, which all work with S3 needs,', how: 'npm install @aws-sdk/client-s3' },
      { cause: error },
    )
  }
}
