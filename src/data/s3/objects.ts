import { hash } from 'node:crypto'
import type { S3Client } from '@aws-sdk/client-s3'
import type { Digest } from '../../model/refs.ts'
import type { ObjectInfo, Objects } from '../../ports/objects.ts'
import { Semaphore } from '../../util/semaphore.ts'
import type { Sdk } from './client.ts'
import type { Connection } from './connection.ts'
import { isAbsent, isTaken, objectError, withPatience } from './failures.ts'
import type { S3Location } from './location.ts'
import { readRanges } from './read-ranges.ts'
import { sendFile } from './send-file.ts'

/** Keys of one request to remove some: S3's most is 1000. */
const removeAtOnce = 1000

/**
 * A prefix of a bucket. Owns the client and its connections.
 *
 * O4 bytes go with their SHA-256, which the store compares before it keeps them.
 * O5 at most `width` bodies are in memory, each of at most `partBytes`.
 */
export class S3Objects implements Objects {
  readonly url: string
  readonly #s3: Connection
  readonly #prefix: string

  constructor(
    sdk: Sdk,
    client: S3Client,
    { bucket, prefix }: S3Location,
    { width, ...tuning }: Pick<Connection, 'patience' | 'partBytes'> & { readonly width: number },
  ) {
    this.#s3 = { sdk, client, bucket, ...tuning, semaphore: new Semaphore(width) }
    this.#prefix = prefix === '' ? '' : `${prefix}/`
    this.url = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`
  }

  async put(key: string, bytes: Uint8Array, options: { readonly once?: boolean } = {}): Promise<boolean> {
    const { sdk, client, semaphore } = this.#s3
    const input = {
      ...this.#at(key),
      Body: bytes,
      ContentLength: bytes.length,
      ChecksumSHA256: hash('sha256', bytes, 'base64'),
      ...(options.once === true && { IfNoneMatch: '*' }),
    }
    try {
      await semaphore.run(() =>
        this.#patiently('write', key, () => client.send(new sdk.PutObjectCommand(input)), isTaken),
      )
      return true
    } catch (error) {
      if (isTaken(error)) return false
      throw error
    }
  }

  putFile(key: string, path: string, digest: Digest): Promise<void> {
    return this.#named('write', key, () => sendFile(this.#s3, this.#prefix + key, path, digest))
  }

  read(
    key: string,
    take: (piece: Uint8Array) => void | Promise<void>,
    most?: number,
  ): Promise<number | undefined> {
    return this.#named('read', key, () => readRanges(this.#s3, this.#prefix + key, take, most))
  }

  async look(key: string): Promise<ObjectInfo | undefined> {
    const { sdk, client } = this.#s3
    try {
      const head = () => client.send(new sdk.HeadObjectCommand(this.#at(key)))
      const { ContentLength, LastModified } = await this.#patiently('look at', key, head, isAbsent)
      return { key, size: ContentLength ?? 0, changedAt: LastModified?.getTime() ?? 0 }
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw error
    }
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    const { sdk, client, bucket } = this.#s3
    let after: string | undefined
    do {
      const command = new sdk.ListObjectsV2Command({
        Bucket: bucket,
        Prefix: this.#prefix + prefix,
        ...(after !== undefined && { ContinuationToken: after }),
      })
      const page = await this.#patiently('list', prefix, () => client.send(command))
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        if (Key?.startsWith(this.#prefix) !== true) continue
        yield {
          key: Key.slice(this.#prefix.length),
          size: Size ?? 0,
          changedAt: LastModified?.getTime() ?? 0,
        }
      }
      after = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (after !== undefined)
  }

  async remove(keys: readonly string[]): Promise<void> {
    const { sdk, client, bucket } = this.#s3
    for (let at = 0; at < keys.length; at += removeAtOnce) {
      const some = keys.slice(at, at + removeAtOnce)
      const command = new sdk.DeleteObjectsCommand({
        Bucket: bucket,
        Delete: { Objects: some.map((key) => ({ Key: this.#prefix + key })), Quiet: true },
      })
      const { Errors } = await this.#patiently('remove', some[0] as string, () => client.send(command))
      for (const { Key = '', Code = '', Message = '' } of Errors ?? []) {
        if (Code === 'NoSuchKey') continue
        const refused = {
          name: Code,
          message: Message,
          $metadata: { httpStatusCode: Code === 'AccessDenied' ? 403 : 400 },
        }
        throw objectError(refused, 'remove', `s3://${bucket}/${Key}`)
      }
    }
  }

  close(): void {
    this.#s3.client.destroy()
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#s3.bucket, Key: this.#prefix + key }
  }

  /** Tries again, and says of what is final which object it was. `aside`: what the caller judges itself. */
  #patiently<T>(
    what: string,
    key: string,
    work: () => Promise<T>,
    aside: (error: unknown) => boolean = () => false,
  ): Promise<T> {
    return this.#named(what, key, () => withPatience(this.#s3.patience, work, aside), aside)
  }

  async #named<T>(
    what: string,
    key: string,
    work: () => Promise<T>,
    aside: (error: unknown) => boolean = () => false,
  ): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw aside(error) ? error : objectError(error, what, `${this.url}/${key}`)
    }
  }
}
