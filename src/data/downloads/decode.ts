import { createReadStream, createWriteStream } from 'node:fs'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { AlmanacError } from '../../model/errors.ts'
import { codeOf, storeError } from '../files/failures.ts'

const decoders = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
} as const

/** Writes the decoded content of a file beside it. */
export async function decodeFile(
  from: string,
  to: string,
  encoding: string,
  maxBytes: number,
): Promise<void> {
  const decoder = decoders[encoding as keyof typeof decoders] as (typeof decoders)['gzip'] | undefined
  if (decoder === undefined) throw undecodable(encoding, 'nobody here knows this coding')
  let size = 0
  // a small file may unpack to any size
  const limit = new Transform({
    transform(chunk: Buffer, _, done) {
      size += chunk.length
      if (size > maxBytes) done(undecodable(encoding, `it unpacks to more than ${maxBytes} bytes`))
      else done(null, chunk)
    },
  })
  try {
    await pipeline(
      createReadStream(from),
      decoder(),
      limit,
      createWriteStream(to, { flags: 'wx', mode: 0o600 }),
    )
  } catch (error) {
    const code = codeOf(error) ?? ''
    if (error instanceof AlmanacError) throw error
    if (/^(Z_|ERR_|ZSTD_)/.test(code)) throw undecodable(encoding, 'it is damaged')
    throw storeError(error, to)
  }
}

const undecodable = (encoding: string, why: string): AlmanacError =>
  new AlmanacError('ALM_SOURCE_CODING', { encoding, why })
