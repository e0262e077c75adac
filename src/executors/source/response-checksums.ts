import type { ChecksumAlgorithm } from '../../ports/downloads.ts'

type Headers = Readonly<Record<string, string | string[] | undefined>>

export const headerOf = (headers: Headers, name: string): string | undefined => {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

const named: readonly (readonly [header: string, algorithm: ChecksumAlgorithm])[] = [
  ['content-md5', 'md5'],
  ['x-amz-checksum-sha256', 'sha256'],
  ['x-amz-checksum-sha1', 'sha1'],
  ['x-amz-checksum-crc32', 'crc32'],
  ['x-amz-checksum-crc32c', 'crc32c'],
]

const digestNames: Readonly<Record<string, ChecksumAlgorithm>> = {
  'sha-256': 'sha256',
  'sha-512': 'sha512',
  sha: 'sha1',
  md5: 'md5',
}

/**
 * Checksums of the whole that a response promises, in hexadecimal by algorithm. `Content-Digest` and `Content-MD5` of
 * a range are of the range alone, so only those of a whole response count.
 */
export function responseChecksums(headers: Headers): Readonly<Record<string, string>> {
  const promised: Record<string, string> = {}
  for (const [header, algorithm] of named) add(promised, algorithm, headerOf(headers, header))
  // `sha-256=:…:, md5=:…:` (RFC 9530), and the older `SHA-256=…,MD5=…` (RFC 3230)
  for (const header of ['digest', 'repr-digest', 'content-digest']) {
    for (const part of (headerOf(headers, header) ?? '').split(',')) {
      const [, name, value] = /^\s*([\w-]+)=:?([A-Za-z0-9+/]+={0,2}):?\s*$/.exec(part) ?? []
      const algorithm = digestNames[(name ?? '').toLowerCase()]
      if (algorithm !== undefined) add(promised, algorithm, value)
    }
  }
  // `crc32c=…, md5=…`
  for (const part of (headerOf(headers, 'x-goog-hash') ?? '').split(',')) {
    const [, name, value] = /^\s*(crc32c|md5)=([A-Za-z0-9+/]+={0,2})\s*$/.exec(part) ?? []
    if (name !== undefined) add(promised, name as ChecksumAlgorithm, value)
  }
  return promised
}

const lengths: Readonly<Record<ChecksumAlgorithm, number>> = {
  sha256: 32,
  sha512: 64,
  sha1: 20,
  md5: 16,
  crc32: 4,
  crc32c: 4,
}

/** One of another length is something else, such as the checksum of checksums that S3 has for uploads in parts. */
function add(
  promised: Record<string, string>,
  algorithm: ChecksumAlgorithm,
  value: string | undefined,
): void {
  if (value === undefined || value.includes('-')) return
  const bytes = Buffer.from(value, 'base64')
  if (bytes.length === lengths[algorithm]) promised[algorithm] = bytes.toString('hex')
}
