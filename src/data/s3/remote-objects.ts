import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import type { GetObjectCommandOutput, S3Client } from '@aws-sdk/client-s3'
import { AlmanacError } from '../../model/errors.ts'
import type {
  BucketPlace,
  ObjectAnswer,
  ObjectConditions,
  ObjectHead,
  RemoteObject,
  RemoteObjects,
} from '../../ports/remote-objects.ts'
import type { PathFilter } from '../files/globs.ts'
import { filterOf, globsOf } from '../files/globs.ts'
import { openClient, type Sdk } from './client.ts'
import { loadPresigner, openUrlOf } from './object-urls.ts'

/** Longest silence of a store, ms. */
const silenceMs = 60_000

/** A page of a list is asked for again so often; the first rest before that, ms, and twice that before the next. */
const mostFailures = 5
const restMs = 150

/** @throws ALM_TOOL_MISSING */
export async function openRemoteObjects(place: BucketPlace): Promise<RemoteObjects> {
  const { sdk, client } = await openClient(place, silenceMs, { checks: false })
  return new S3RemoteObjects(sdk, client, place)
}

/** Objects of one bucket that is not ours. Owns the client and its connections. */
class S3RemoteObjects implements RemoteObjects {
  readonly #sdk: Sdk
  readonly #client: S3Client
  readonly #place: BucketPlace
  readonly #bucket: string

  constructor(sdk: Sdk, client: S3Client, place: BucketPlace) {
    this.#sdk = sdk
    this.#client = client
    this.#place = place
    this.#bucket = place.bucket
  }

  async *list({
    prefix,
    include,
    exclude,
    signal,
  }: Parameters<RemoteObjects['list']>[0]): AsyncGenerator<RemoteObject> {
    const globs = { ...(include !== undefined && { include }), ...(exclude !== undefined && { exclude }) }
    const takes = wholePath(filterOf(globsOf(globs)))
    const folder = prefix.lastIndexOf('/') + 1
    for (let token: string | undefined, more = true; more; ) {
      const page = await this.#page(prefix, token, signal)
      for (const { Key: key, Size: size, ETag: etag } of page.Contents ?? []) {
        // consoles make empty objects called like folders
        if (key === undefined || size === undefined || (key.endsWith('/') && size === 0)) continue
        const path = key.slice(folder)
        if (takes(path)) yield { key, path, size, etag: etag ?? '' }
      }
      token = page.NextContinuationToken
      more = page.IsTruncated === true && token !== undefined
    }
  }

  async get(key: string, { from, ifMatch, ifNoneMatch }: ObjectConditions, signal: AbortSignal) {
    const input = {
      Bucket: this.#bucket,
      Key: key,
      ...(from !== undefined && { Range: `bytes=${from}-` }),
      ...(ifMatch !== undefined && { IfMatch: ifMatch }),
      ...(ifNoneMatch !== undefined && { IfNoneMatch: ifNoneMatch }),
    }
    const command = new this.#sdk.GetObjectCommand(input)
    // asked for as a header: whoever asks checks the whole itself, over all parts of a download that was cut. The SDK
    // would throw away what came last, and say nothing but that it failed
    command.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { headers: Record<string, string> }
        request.headers['x-amz-checksum-mode'] = 'ENABLED'
        return next(args)
      },
      { step: 'build' },
    )
    try {
      return answerOf(await this.#client.send(command, { abortSignal: signal }))
    } catch (error) {
      const status = statusOf(error)
      if (status === undefined || isSkewed(error)) throw error
      return { status, headers: {}, body: nothing(), drop: () => undefined }
    }
  }

  async head(key: string, version: string | undefined, signal: AbortSignal): Promise<ObjectHead> {
    const command = new this.#sdk.HeadObjectCommand(this.#named(key, version))
    try {
      const { ContentLength, ETag, VersionId } = await this.#client.send(command, { abortSignal: signal })
      return {
        status: 200,
        ...(ContentLength !== undefined && { size: ContentLength }),
        ...(ETag !== undefined && { etag: ETag }),
        // `null`: written when the bucket kept none, and overwritten by the next such one
        ...(VersionId !== undefined && VersionId !== 'null' && { version: VersionId }),
      }
    } catch (error) {
      const status = statusOf(error)
      if (status === undefined) throw error
      return { status }
    }
  }

  async urlOf(key: string, version: string | undefined, lastsSeconds: number): Promise<string> {
    if (this.#place.anonymous === true) return openUrlOf(this.#place, key, version)
    const { getSignedUrl } = await loadPresigner()
    const command = new this.#sdk.GetObjectCommand(this.#named(key, version))
    try {
      return await getSignedUrl(this.#client, command, { expiresIn: lastsSeconds })
    } catch (error) {
      // its own texts may quote what is signed with
      const why = `its URL could not be signed (${nameOf(error)})`
      throw new AlmanacError('ALM_SOURCE_FAILED', { url: `s3://${this.#place.bucket}/${key}`, why })
    }
  }

  close(): void {
    this.#client.destroy()
  }

  #named(key: string, version: string | undefined) {
    return { Bucket: this.#place.bucket, Key: key, ...(version !== undefined && { VersionId: version }) }
  }

  async #page(prefix: string, token: string | undefined, signal: AbortSignal) {
    const command = new this.#sdk.ListObjectsV2Command({
      Bucket: this.#bucket,
      Prefix: prefix,
      ...(token !== undefined && { ContinuationToken: token }),
    })
    const url = `s3://${this.#bucket}/${prefix}`
    for (let failures = 0; ; failures++) {
      try {
        return await this.#client.send(command, { abortSignal: signal })
      } catch (error) {
        signal.throwIfAborted()
        const status = statusOf(error)
        if (status === 404) throw new AlmanacError('ALM_SOURCE_MISSING', { url, status })
        if ((status === 401 || status === 403) && !isSkewed(error))
          throw new AlmanacError('ALM_SOURCE_DENIED', { url, status })
        // what the SDK says of itself (no region, no credentials) does not pass
        const passes =
          status === undefined ? isTransport(error) : isSkewed(error) || status === 429 || status >= 500
        if (passes && failures < mostFailures) {
          // a store that is asked to slow down by many at once would be asked by all of them again
          await pause(restMs * 2 ** failures * (0.5 + Math.random()), undefined, { signal })
          continue
        }
        // its own texts may quote what was signed
        const why = status === undefined ? nameOf(error) : `the store answered ${status} (${nameOf(error)})`
        throw new AlmanacError('ALM_SOURCE_FAILED', { url, why })
      }
    }
  }
}

/** A path is taken if all folders above it are entered. */
function wholePath({ takesFile, entersDir }: PathFilter): (path: string) => boolean {
  return (path) => {
    const names = path.split('/')
    for (let at = 1; at < names.length; at++)
      if (!entersDir(names.slice(0, at).join('/'), names[at - 1] as string)) return false
    return takesFile(path, names.at(-1) as string)
  }
}

function answerOf(output: GetObjectCommandOutput): ObjectAnswer {
  const body = output.Body as (AsyncIterable<Uint8Array> & { destroy?(): void; on?: unknown }) | undefined
  const stream = body as { on(event: 'error', heard: () => void): void; destroy(): void } | undefined
  return {
    status: output.ContentRange === undefined ? 200 : 206,
    headers: headersOf(output),
    body: body ?? nothing(),
    drop: () => {
      stream?.on('error', () => undefined)
      stream?.destroy()
    },
  }
}

function headersOf(output: GetObjectCommandOutput): Record<string, string> {
  const whole = output.ContentRange === undefined && output.ChecksumType !== 'COMPOSITE'
  const all: Record<string, string | undefined> = {
    etag: output.ETag,
    'last-modified': output.LastModified?.toUTCString(),
    'content-length': output.ContentLength?.toString(),
    'content-range': output.ContentRange,
    'content-encoding': output.ContentEncoding,
    ...(whole && {
      'x-amz-checksum-sha256': output.ChecksumSHA256,
      'x-amz-checksum-sha1': output.ChecksumSHA1,
      'x-amz-checksum-crc32': output.ChecksumCRC32,
      'x-amz-checksum-crc32c': output.ChecksumCRC32C,
    }),
  }
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}

const nothing = (): AsyncIterable<Uint8Array> => Readable.from([])

const statusOf = (error: unknown): number | undefined =>
  (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode

const nameOf = (error: unknown): string => String((error as Error).name)

/** The clock of this machine is wrong: the client has corrected it by the answer, and the next request is signed by that. */
const isSkewed = (error: unknown): boolean => nameOf(error) === 'RequestTimeTooSkewed'

const isTransport = (error: unknown): boolean =>
  /^(E[A-Z]+|TimeoutError|.*Timeout)$/.test(String((error as { code?: string }).code ?? nameOf(error)))
