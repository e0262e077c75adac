import { AlmanacError } from '../../model/errors.ts'
import type { BucketPlace } from '../../ports/remote-objects.ts'

/** The URL of an object that everybody may read. */
export function openUrlOf(place: BucketPlace, key: string, version: string | undefined): string {
  const { bucket, endpoint, region = process.env['AWS_REGION'] ?? 'us-east-1', pathStyle } = place
  const origin = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`)
  // no certificate is for a name with further dots
  const inPath = pathStyle ?? (endpoint !== undefined || bucket.includes('.'))
  const path = key.split('/').map(quoted).join('/')
  const at = inPath
    ? `${origin.origin}/${bucket}/${path}`
    : `${origin.protocol}//${bucket}.${origin.host}/${path}`
  return version === undefined ? at : `${at}?versionId=${encodeURIComponent(version)}`
}

/** As S3 wants it, and as no client takes for anything else. */
const quoted = (name: string): string =>
  encodeURIComponent(name).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  )

/** @throws ALM_TOOL_MISSING where it is not installed */
export async function loadPresigner(): Promise<typeof import('@aws-sdk/s3-request-presigner')> {
  try {
    return await import('@aws-sdk/s3-request-presigner')
  } catch (error) {
    throw new AlmanacError(
      'ALM_TOOL_MISSING',
      {
        what: '@aws-sdk/s3-request-presigner, which URLs of buckets need that not everybody may read,',
        how: 'npm install @aws-sdk/s3-request-presigner',
      },
      { cause: error },
    )
  }
}
