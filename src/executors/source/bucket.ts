import { AlmanacError } from '../../model/errors.ts'
import type { SourceSecrets } from '../../model/source.ts'
import type { Value } from '../../model/value.ts'
import type { BucketPlace, RemoteObjects } from '../../ports/remote-objects.ts'
import type { Answer, Question } from './client.ts'
import { type FileRequest, list, mannerOf, option, pathFault, text } from './request.ts'

/** Where the objects of a `source.s3` call are. @throws ALM_OPTION_REFUSED */
export function bucketOf(args: Readonly<Record<string, Value>>): BucketPlace {
  const bucket = text(args['bucket'], 'bucket')
  if (bucket === undefined || !/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket))
    throw option('bucket', 'it is no name of a bucket')
  const endpoint = text(args['endpoint'], 'endpoint')
  if (endpoint !== undefined && !/^https?:\/\/[^/@?#]+\/?$/.test(endpoint))
    throw option('endpoint', 'it begins with http:// or https://, and has neither user nor path')
  const region = text(args['region'], 'region')
  return {
    bucket,
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(typeof args['pathStyle'] === 'boolean' && { pathStyle: args['pathStyle'] }),
    ...(args['anonymous'] === true && { anonymous: true }),
  }
}

/** The objects of a call as files that are wanted. @throws ALM_PATH_REFUSED, and what listing throws */
export async function listedIn(
  objects: RemoteObjects,
  place: BucketPlace,
  args: Readonly<Record<string, Value>>,
  signal: AbortSignal,
): Promise<FileRequest[]> {
  const globs = (name: string): readonly string[] | undefined =>
    args[name] === undefined ? undefined : list(args[name], name).map((glob) => text(glob, name) ?? '')
  const [include, exclude] = [globs('include'), globs('exclude')]
  const wanted: FileRequest[] = []
  const found = objects.list({
    prefix: text(args['prefix'], 'prefix') ?? '',
    ...(include !== undefined && { include }),
    ...(exclude !== undefined && { exclude }),
    signal,
  })
  for await (const { key, path, size, etag } of found) {
    const fault = pathFault(path)
    if (fault !== undefined)
      throw new AlmanacError('ALM_PATH_REFUSED', { path: `s3://${place.bucket}/${key}`, why: fault })
    const where = `${place.endpoint?.replace(/\/$/, '') ?? 's3:/'}/${place.bucket}`
    wanted.push({
      path,
      name: `${where}/${key}`,
      url: new URL(`s3://${place.bucket}/${encodeURIComponent(key)}`),
      listed: { etag, size },
    })
  }
  return wanted
}

/** Asks for objects as a web server is asked for files. */
export const asker = (objects: RemoteObjects) => ({
  async ask({ url, headers, signal }: Question): Promise<Answer> {
    const key = decodeURIComponent(url.pathname.slice(1))
    const from = /^bytes=(\d+)-$/.exec(headers['range'] ?? '')?.[1]
    const ifMatch = headers['if-range']
    const ifNoneMatch = headers['if-none-match']
    const answer = await objects.get(
      key,
      {
        ...(from !== undefined && { from: Number(from) }),
        ...(ifMatch !== undefined && { ifMatch }),
        ...(ifNoneMatch !== undefined && { ifNoneMatch }),
      },
      signal,
    )
    // another version than the one begun: as if the rest of it were not there
    const status = answer.status === 412 ? 416 : answer.status
    return { ...answer, status, saidMore: async () => false }
  },
})

/** A manner without headers: requests of buckets are signed, or not, by the client. */
export const bucketManner = (args: Readonly<Record<string, Value>>) => {
  const none: SourceSecrets = { urls: new Map(), headers: {} }
  return mannerOf(args, none)
}
