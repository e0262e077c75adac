import { createHash, hash } from 'node:crypto'
import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import type { CompletedPart, Part } from '@aws-sdk/client-s3'
import { AlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import { inputError } from '../files/failures.ts'
import type { Connection } from './connection.ts'
import { isAbsent, isEndedUpload, withPatience } from './failures.ts'

/** S3's most parts of one object. */
const mostParts = 10_000

/** Parts of one file that are under way at once. */
const ahead = 4

/** A file as it is to be sent. */
interface Sent {
  readonly path: string
  readonly file: FileHandle
  readonly size: number
  readonly digest: Digest
}

/** An upload in parts, with those that it has. */
interface Upload {
  readonly id: string
  readonly parts: ReadonlyMap<number, Part>
}

/**
 * Sends a file: small ones in one request, others in parts. Under a key of its content an upload that was cut off goes
 * on: the same key is the same bytes, so that its parts can be kept, whoever sent them. Under other keys the upload is
 * our own, as others may send other bytes there, and what is there with the same size is not the file.
 * @throws ALM_INPUT_CHANGED where the file has another digest; nothing is there under the key then
 */
export async function sendFile(s3: Connection, key: string, path: string, digest: Digest): Promise<void> {
  const isContent = key.endsWith(`/${digest}`)
  const file = await opened(path)
  try {
    const { size } = await file.stat()
    const sent = { path, file, size, digest }
    if (size <= s3.partBytes) return await sendWhole(s3, key, sent)
    for (let attempt = 1; ; attempt++) {
      const upload = (isContent ? await cutOff(s3, key) : undefined) ?? (await begin(s3, key))
      try {
        return await sendParts(s3, key, upload, sent)
      } catch (error) {
        if (!isContent) await abort(s3, key, upload)
        if (!isEndedUpload(error)) throw error
        // by another process that sends the same, or by us, where the answer was lost
        if (isContent && (await isThere(s3, key, size))) return
        if (attempt === s3.patience.attempts) throw error
      }
    }
  } finally {
    await file.close()
  }
}

async function sendWhole(
  { sdk, client, bucket, semaphore, patience }: Connection,
  key: string,
  { path, file, size, digest }: Sent,
): Promise<void> {
  await semaphore.run(async () => {
    const bytes = await readPart(file, path, 0, size)
    if (hash('sha256', bytes, 'hex') !== digest) throw new AlmanacError('ALM_INPUT_CHANGED', { path })
    const command = new sdk.PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: bytes,
      ContentLength: size,
      ChecksumSHA256: Buffer.from(digest, 'hex').toString('base64'),
    })
    await withPatience(patience, () => client.send(command))
  })
}

async function sendParts(
  s3: Connection,
  key: string,
  { id, parts }: Upload,
  { path, file, size, digest }: Sent,
): Promise<void> {
  const { sdk, client, bucket, patience, semaphore } = s3
  const partBytes = Math.max(s3.partBytes, Math.ceil(size / mostParts))
  const upload = { Bucket: bucket, Key: key, UploadId: id }
  const whole = createHash('sha256')
  const underWay: Promise<CompletedPart>[] = []
  const done: CompletedPart[] = []
  try {
    for (let number = 1, from = 0; from < size; number++, from += partBytes) {
      if (underWay.length >= ahead) done.push(await (underWay.shift() as Promise<CompletedPart>))
      const leave = await semaphore.enter()
      // read in order, for the digest of the whole; sent at once
      const reading = readPart(file, path, from, Math.min(partBytes, size - from))
      const part = reading
        .then((bytes) => {
          whole.update(bytes)
          return sendPart(s3, upload, number, bytes, parts.get(number))
        })
        .finally(leave)
      part.catch(() => undefined)
      underWay.push(part)
      await reading
    }
    for (const part of underWay) done.push(await part)
  } finally {
    await Promise.allSettled(underWay)
  }
  if (whole.digest('hex') !== digest) {
    await abort(s3, key, { id })
    throw new AlmanacError('ALM_INPUT_CHANGED', { path })
  }
  const complete = new sdk.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: done } })
  await withPatience(patience, () => client.send(complete), isEndedUpload)
}

async function isThere({ sdk, client, bucket, patience }: Connection, key: string, size: number) {
  const head = new sdk.HeadObjectCommand({ Bucket: bucket, Key: key })
  try {
    return (await withPatience(patience, () => client.send(head), isAbsent)).ContentLength === size
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

/** The newest upload of the key that is under way. */
async function cutOff(s3: Connection, key: string): Promise<Upload | undefined> {
  const { sdk, client, bucket, patience } = s3
  const list = new sdk.ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key, MaxUploads: 100 })
  const { Uploads = [] } = await withPatience(patience, () => client.send(list))
  const id = Uploads.filter((upload) => upload.Key === key).at(-1)?.UploadId
  if (id === undefined) return undefined
  try {
    return { id, parts: await partsOf(s3, key, id) }
  } catch (error) {
    // completed or removed meanwhile
    if (isAbsent(error)) return undefined
    throw error
  }
}

async function begin({ sdk, client, bucket, patience }: Connection, key: string): Promise<Upload> {
  const create = new sdk.CreateMultipartUploadCommand({
    Bucket: bucket,
    Key: key,
    ChecksumAlgorithm: 'SHA256',
  })
  const { UploadId } = await withPatience(patience, () => client.send(create))
  if (UploadId !== undefined) return { id: UploadId, parts: new Map() }
  const why = 'it gave no name to an upload'
  throw new AlmanacError('ALM_STORE_FAILED', { path: `s3://${bucket}/${key}`, why })
}

/** As far as that can be done: what comes of it matters less than why. */
async function abort({ sdk, client, bucket }: Connection, key: string, { id }: Pick<Upload, 'id'>) {
  const command = new sdk.AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: id })
  await client.send(command).catch(() => undefined)
}

async function partsOf({ sdk, client, bucket, patience }: Connection, key: string, id: string) {
  const parts = new Map<number, Part>()
  let after: string | undefined
  do {
    const command = new sdk.ListPartsCommand({
      Bucket: bucket,
      Key: key,
      UploadId: id,
      ...(after !== undefined && { PartNumberMarker: after }),
    })
    const page = await withPatience(patience, () => client.send(command), isAbsent)
    for (const part of page.Parts ?? []) if (part.PartNumber !== undefined) parts.set(part.PartNumber, part)
    after = page.IsTruncated === true ? page.NextPartNumberMarker : undefined
  } while (after !== undefined)
  return parts
}

async function sendPart(
  { sdk, client, patience }: Connection,
  upload: { readonly Bucket: string; readonly Key: string; readonly UploadId: string },
  number: number,
  bytes: Uint8Array,
  sent: Part | undefined,
): Promise<CompletedPart> {
  const checksum = hash('sha256', bytes, 'base64')
  if (sent !== undefined && isSame(sent, bytes, checksum))
    return { PartNumber: number, ETag: sent.ETag, ChecksumSHA256: sent.ChecksumSHA256 }
  const command = new sdk.UploadPartCommand({
    ...upload,
    PartNumber: number,
    Body: bytes,
    ContentLength: bytes.length,
    ChecksumSHA256: checksum,
  })
  const { ETag, ChecksumSHA256 } = await withPatience(patience, () => client.send(command))
  return { PartNumber: number, ETag, ChecksumSHA256 }
}

/** Stores that keep no SHA-256 of a part have its MD5 as ETag. */
function isSame({ Size, ChecksumSHA256, ETag }: Part, bytes: Uint8Array, checksum: string): boolean {
  if (Size !== bytes.length) return false
  if (ChecksumSHA256 !== undefined) return ChecksumSHA256 === checksum
  return ETag?.replaceAll('"', '') === hash('md5', bytes, 'hex')
}

async function readPart(file: FileHandle, path: string, from: number, length: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(length)
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(bytes, at, length - at, from + at)
    if (bytesRead === 0) throw new AlmanacError('ALM_INPUT_CHANGED', { path })
    at += bytesRead
  }
  return bytes
}

async function opened(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    throw inputError(error, path, 'ALM_INPUT_MISSING')
  }
}
