import type { GetObjectCommandOutput } from '@aws-sdk/client-s3'
import { AlmanacError } from '../../model/errors.ts'
import type { Connection } from './connection.ts'
import { BadAnswer, isAbsent, isEmptyRange, withPatience } from './failures.ts'

/** Ranges of one object that are under way at once. */
const ahead = 4

type Take = (piece: Uint8Array) => void | Promise<void>

interface Piece {
  readonly bytes: Uint8Array
  /** bytes of the whole object */
  readonly whole: number
  readonly etag: string | undefined
  /** the place that its bytes take, until they are given */
  readonly leave: () => void
}

/**
 * An object in ranges: the first says how long it is, the others are read at once, and given in order. A range that
 * was cut off is read again, from the same object or not at all.
 */
export async function readRanges(
  s3: Connection,
  key: string,
  take: Take,
  most = Number.POSITIVE_INFINITY,
): Promise<number | undefined> {
  const first = await begin(s3, key, take, most)
  if (first === undefined) return undefined
  const coming: Promise<Piece>[] = []
  let asked = first.given
  try {
    for (let given = asked; given < first.whole; ) {
      for (; asked < first.whole && coming.length < ahead; asked += s3.partBytes) {
        const piece = readRange(s3, key, asked, Math.min(s3.partBytes, first.whole - asked), first)
        // it is awaited later; a failure before that is not unhandled
        piece.catch(() => undefined)
        coming.push(piece)
      }
      given += await give(await (coming.shift() as Promise<Piece>), take)
    }
  } finally {
    // nothing goes on behind the caller's back
    for (const piece of await Promise.allSettled(coming))
      if (piece.status === 'fulfilled') piece.value.leave()
  }
  return first.whole
}

/** What the first range has told: not its bytes, which nobody is to hold while the others come. */
interface Known extends Pick<Piece, 'whole' | 'etag'> {
  readonly given: number
}

/** Gives the first range; undefined where there is no such object. */
async function begin(s3: Connection, key: string, take: Take, most: number): Promise<Known | undefined> {
  let first: Piece
  try {
    first = await readRange(s3, key, 0, Math.min(s3.partBytes, most + 1), undefined)
  } catch (error) {
    if (isAbsent(error)) return undefined
    // nothing has no first byte
    if (isEmptyRange(error)) return { whole: 0, etag: undefined, given: 0 }
    throw error
  }
  const { whole, etag } = first
  if (whole <= most) return { whole, etag, given: await give(first, take) }
  first.leave()
  throw new AlmanacError('ALM_STORE_FAILED', {
    path: `s3://${s3.bucket}/${key}`,
    why: `it has ${whole} bytes, more than ${most}`,
  })
}

/** How many bytes were given. */
async function give({ bytes, leave }: Piece, take: Take): Promise<number> {
  try {
    await take(bytes)
    return bytes.length
  } finally {
    leave()
  }
}

async function readRange(
  s3: Connection,
  key: string,
  from: number,
  length: number,
  first: Known | undefined,
): Promise<Piece> {
  const { sdk, client, bucket, semaphore, patience } = s3
  const settled = (error: unknown) => isAbsent(error) || isEmptyRange(error)
  const ask = async (): Promise<Omit<Piece, 'leave'>> => {
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
  const leave = await semaphore.enter()
  try {
    return { ...(await withPatience(patience, ask, settled)), leave }
  } catch (error) {
    leave()
    throw error
  }
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
