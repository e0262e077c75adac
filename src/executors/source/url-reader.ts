import { AlmanacError } from '../../model/errors.ts'
import { type UrlObject, UrlRef } from '../../model/refs.ts'
import { parseUrl, safeUrl, secretsIn } from '../../model/source.ts'
import type { Clock } from '../../ports/clock.ts'
import type { BucketPlace, ObjectHead, RemoteObjects } from '../../ports/remote-objects.ts'
import type { OpenUrl, UrlRequest, Urls } from '../../ports/urls.ts'
import { HttpClient } from './client.ts'
import { headOf } from './head.ts'
import type { HostThrottles } from './host-throttles.ts'
import { finalError, refusal } from './refusals.ts'
import { isTransient } from './transient.ts'

export interface UrlReaderOptions {
  readonly clock: Clock
  /** a bucket of others */
  readonly objects: (place: BucketPlace) => Promise<RemoteObjects>
  /** 0 ≤ x < 1 */
  readonly chance: () => number
  readonly throttles: HostThrottles
  /** tries after the first, of what may pass */
  readonly retries?: number
}

/** What one host is asked at once. */
const rate = { concurrency: 8, perSecond: Number.POSITIVE_INFINITY }
/** Signed URLs are good for so long, if who signs is; the most that S3 allows is a week. */
const lastsSeconds = 24 * 3600

export const openUrls = (options: UrlReaderOptions): Urls => new UrlReader(options)

/**
 * Asks servers for what is known of files that are left with them. Owns the connections, and one client for each
 * bucket.
 */
class UrlReader implements Urls {
  readonly #options: UrlReaderOptions
  readonly #client = new HttpClient()
  readonly #buckets = new Map<string, Promise<RemoteObjects>>()
  readonly #closing = new AbortController()

  constructor(options: UrlReaderOptions) {
    this.#options = options
  }

  async look(request: UrlRequest, signal: AbortSignal): Promise<UrlRef> {
    const until = AbortSignal.any([signal, this.#closing.signal])
    if ('object' in request) return await this.#lookIn(request.object, request.version, until)
    const place = safeUrl(parseUrl(request.url))
    const { etag, size } = await this.#headOf(request.url, place, until)
    const version = request.immutable === true ? undefined : strong(etag)
    if (version === undefined && request.immutable !== true) throw unversioned(place)
    return new UrlRef(place, sized(size, place), version, false)
  }

  async open({ place, version, pinned, object }: UrlRef, full?: string): Promise<OpenUrl> {
    if (object === undefined) {
      const url = full ?? place
      return { url, secrets: secretsIn(url) }
    }
    const bucket = await this.#bucket(object)
    const url = await bucket.urlOf(object.key, pinned ? version : undefined, lastsSeconds)
    return { url, secrets: secretsIn(url) }
  }

  async verify(ref: UrlRef, full?: string): Promise<void> {
    const { place, version, pinned, object } = ref
    const signal = this.#closing.signal
    try {
      const head =
        object === undefined
          ? await this.#headOf(full ?? place, place, signal)
          : await this.#headIn(object, pinned ? version : undefined, place, signal)
      const found = pinned ? (head as ObjectHead).version : head.etag
      const why =
        version !== undefined && found !== version
          ? `its version was ${version}, and is ${found ?? 'not said'}`
          : head.size !== ref.size
            ? `it had ${ref.size} bytes, and has ${head.size ?? 'not said how many'}`
            : undefined
      if (why !== undefined) throw new AlmanacError('ALM_INPUT_URL_CHANGED', { url: place, why })
    } catch (error) {
      const { code } = error as { code?: unknown }
      if (code !== 'ALM_SOURCE_MISSING') throw error
      throw new AlmanacError('ALM_INPUT_URL_CHANGED', { url: place, why: 'it is gone' }, { cause: error })
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new AlmanacError('ALM_CANCELLED', { by: '' }))
    await this.#client.close()
    const opened = await Promise.allSettled(this.#buckets.values())
    for (const bucket of opened) if (bucket.status === 'fulfilled') bucket.value.close()
  }

  async #lookIn(object: UrlObject, request: string | undefined, signal: AbortSignal): Promise<UrlRef> {
    const place = placeOf(object)
    const { size, etag, version } = await this.#headIn(object, request, place, signal)
    if (version !== undefined && (await this.#givesVersion(object, version, place, signal)))
      return new UrlRef(place, sized(size, place), version, true, object)
    if (request !== undefined)
      throw new AlmanacError('ALM_SOURCE_REFUSED', { url: place, why: 'the bucket gives no versions by id' })
    const by = strong(etag)
    if (by === undefined) throw unversioned(place)
    return new UrlRef(place, sized(size, place), by, false, object)
  }

  /** To read an object by its version is a right of its own, which buckets for everybody seldom give. */
  async #givesVersion(object: UrlObject, version: string, place: string, signal: AbortSignal) {
    try {
      return (await this.#headIn(object, version, place, signal)).version === version
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ALM_SOURCE_DENIED') throw error
      return false
    }
  }

  async #headIn(
    object: UrlObject,
    version: string | undefined,
    place: string,
    signal: AbortSignal,
  ): Promise<ObjectHead> {
    const bucket = await this.#bucket(object)
    return await this.#patiently(`${object.endpoint ?? ''}/${object.bucket}`, place, signal, async () => {
      const head = await bucket.head(object.key, version, signal)
      if (head.status === 200) return head
      // of a version that there is not, and of an id that is none
      const status = version !== undefined && head.status === 400 ? 404 : head.status
      throw refusal(status, {}, place, this.#options.clock)
    })
  }

  async #headOf(full: string, place: string, signal: AbortSignal) {
    const url = parseUrl(full)
    return await this.#patiently(url.host, place, signal, () =>
      headOf(this.#client, url, place, this.#options.clock, signal),
    )
  }

  async #patiently<T>(host: string, place: string, signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
    const { clock, chance, throttles, retries = 4 } = this.#options
    for (let failures = 0; ; failures++) {
      const leave = await throttles.of(host).enter(rate, signal)
      try {
        return await ask()
      } catch (error) {
        signal.throwIfAborted()
        if (!isTransient(error)) throw error
        if (failures >= retries) throw finalError(error, place)
      } finally {
        leave()
      }
      await new Promise<void>((resolve) => {
        clock.at(clock.now() + 500 * 2 ** failures * (0.5 + chance() / 2), resolve)
      })
      signal.throwIfAborted()
    }
  }

  #bucket({ key: _, ...place }: UrlObject): Promise<RemoteObjects> {
    const name = JSON.stringify(Object.entries(place).sort())
    let bucket = this.#buckets.get(name)
    if (bucket === undefined) {
      bucket = this.#options.objects(place)
      this.#buckets.set(name, bucket)
      // what failed may succeed another time
      bucket.catch(() => this.#buckets.delete(name))
    }
    return bucket
  }
}

/** What an object is known by, whoever asks for it and however. */
const placeOf = ({ endpoint, bucket, key }: UrlObject): string =>
  `${endpoint?.replace(/\/$/, '') ?? 's3:/'}/${bucket}/${key}`

const strong = (etag: string | undefined): string | undefined =>
  etag?.startsWith('"') === true && etag.length < 1024 ? etag : undefined

function sized(size: number | undefined, place: string): number {
  if (size !== undefined) return size
  throw new AlmanacError('ALM_SOURCE_REFUSED', { url: place, why: 'the server does not say how long it is' })
}

const unversioned = (place: string): AlmanacError =>
  new AlmanacError('ALM_SOURCE_REFUSED', {
    url: place,
    why: 'the server names no version of it (no strong ETag), so a change could not be seen; download it with source.http, or say immutable: true',
  })
