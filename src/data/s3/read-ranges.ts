import type { GetObjectCommandOutput } from '@aws-sdk/client-s3'
import { AlmanacError } from '../../model/errors.ts'
import type { Connection } from './connection.ts'
import { BadAnswer, isAbsent, isEmptyRange, withPatience } from './failures.ts'

/** Ranges of one object that are under way at once. */
const ahead = 4

interface Piece {
  readonly bytes: Uint8Array
  /** bytes of the whole object */
  readonly whole: number
  readonly etag: string | undefined
}

/**
 * An object in ranges: the first says how long it is, the others are read at once, and given in order. A range that
 * was cut off is read again, from the same object or not at all.
 */
export async function readRanges(
  s3: Connection,
  key: string,
  take: (piece: Uint8Array) => void | Promise<void>,
  most = Number.POSITIVE_INFINITY,
): Promise<number | undefined> {
  let first: Piece
  try {
    first = await readRange(s3, key, 0, Math.min(s3.partBytes, most + 1), undefined)
  } catch (error) {
    if (isAbsent(error)) return undefined
    // nothing has no first byte
    if (isEmptyRange(error)) return 0
    throw error
  }
  if (first.whole > most)
    throw new AlmanacError('ALM_STORE_FAILED', {
      path: `s3://${s3.bucket}/${key}`,
      why: `it has ${first.whole} bytes, more than ${most}`,
    })
  await take(first.bytes)
  const coming: Promise<Piece>[] = []
  let asked = first.bytes.length
  try {
    for (let given = asked; given < first.whole; ) {
      for (; asked < first.whole && coming.length < ahead; asked += s3.partBytes) {
        const piece = readRange(s3, key, asked, Math.min(s3.partBytes, first.whole - asked), first)
        // it is awaited later; a failure before that is not unhandled
        piece.catch(() => undefined)
        coming.push(piece)
      }
      const { bytes } = await (coming.shift() as Promise<Piece>)
      given += bytes.length
      await take(bytes)
    }
  } finally {
    // nothing goes on behind the caller's back
    await Promise.allSettled(coming)
  }
  return first.whole
}

function readRange(s3: Connection, key: string, from: number, length: number, first: Piece | undefined) {
  const { sdk, client, bucket, semaphore, patience } = s3
  const settled = (error: unknown) => isAbsent(error) || isEmptyRange(error)
  const ask = async (): Promise<Piece> => {
    const command = new sdk.GetObjectCommand({
      Bucket: bucket,
      Key: key,
      Range: `bytes=${from}-${from + length - 1}`,
      ...(first?.etag !== undefined && { IfMatch: first.etag }),
    })
    const answer = await client.send(command)
    const whole = wholeOf(answer)
    if (first !== undefined && whole !== first.whole)
      throw new BadAnswer(`it had ${first.whole} bytes, and now ${whole}`)
    const expected = Math.min(length, whole - from)
    const bytes = await collect(answer, expected, patience.silenceMs)
    if (bytes.length !== expected) throw new BadAnswer(`${bytes.length} bytes came of ${expected}`)
    return { bytes, whole, etag: answer.ETag }
  }
  return semaphore.run(() => withPatience(patience, ask, settled))
}

function wholeOf({ ContentRange, ContentLength }: GetObjectCommandOutput): number {
  const whole = Number(/\/(\d+)$/.exec(ContentRange ?? '')?.[1] ?? ContentLength)
  if (!Number.isSafeInteger(whole) || whole < 0) throw new BadAnswer('it does not say how long it is')
  return whole
}

/** The body, as far as it may go; whoever stops speaking is cut off. */
async function collect(answer: GetObjectCommandOutput, most: number, silenceMs: number): Promise<Uint8Array> {
  const body = answer.Body as (AsyncIterable<Uint8Array> & { destroy(error?: Error): void }) | undefined
  if (body === undefined) return new Uint8Array()
  // put where it belongs at once: pieces that are put together at the end would be held twice
  const bytes = Buffer.allocUnsafeSlow(most)
  let length = 0
  const cut = () => body.destroy(new BadAnswer(`nothing came for ${silenceMs} ms`))
  let timer = setTimeout(cut, silenceMs)
  try {
    for await (const piece of body) {
      clearTimeout(timer)
      timer = setTimeout(cut, silenceMs)
      if (length + piece.length > most) throw new BadAnswer(`more than ${most} bytes came`)
      bytes.set(piece, length)
      length += piece.length
    }
  } finally {
    clearTimeout(timer)
    body.destroy()
  }
  return bytes.subarray(0, length)
}
