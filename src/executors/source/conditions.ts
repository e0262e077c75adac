import type { Begun, Kept, Part, Validators } from '../../ports/downloads.ts'
import type { ResponseHeaders } from './client.ts'
import { headerOf, responseChecksums } from './response-checksums.ts'

export interface Conditions {
  readonly conditions: Readonly<Record<string, string>>
  /** all bytes of the part are there: only whether it is still the newest is asked */
  readonly complete: boolean
}

/** Asks for the rest of what was begun, else whether what is known has changed. */
export function conditionsFor(part: Part, known: Kept | undefined): Conditions {
  const { begun, size } = part
  if (begun !== undefined && size > 0) {
    if (size === begun.total) return { conditions: unlessChanged(begun), complete: hasValidator(begun) }
    const sameAs = strong(begun)
    // without a total, the end of the rest could not be told from a cut
    if (sameAs !== undefined && begun.total !== undefined && size < begun.total)
      return { conditions: { range: `bytes=${size}-`, 'if-range': sameAs }, complete: false }
  }
  return { conditions: known === undefined ? {} : unlessChanged(known), complete: false }
}

const hasValidator = ({ etag, lastModified }: Validators): boolean =>
  etag !== undefined || lastModified !== undefined

function unlessChanged({ etag, lastModified }: Validators): Record<string, string> {
  if (etag !== undefined) return { 'if-none-match': etag }
  return lastModified === undefined ? {} : { 'if-modified-since': lastModified }
}

/** By which parts may be put together. A date alone is good to the second only: two versions may have it. */
const strong = ({ etag }: Validators): string | undefined =>
  etag?.startsWith('"') === true ? etag : undefined

export function begunBy(headers: ResponseHeaders, url: URL): Begun {
  const etag = headerOf(headers, 'etag')
  const lastModified = headerOf(headers, 'last-modified')
  const length = headerOf(headers, 'content-length')
  const encoding = codingOf(headers, url)
  return {
    ...(etag !== undefined && etag.length < 1024 && { etag }),
    ...(lastModified !== undefined && lastModified.length < 100 && { lastModified }),
    ...(length !== undefined && /^\d{1,15}$/.test(length) && { total: Number(length) }),
    ...(encoding !== undefined && { encoding }),
    promised: responseChecksums(headers),
  }
}

/** Servers say of `x.nc.gz` that its coding is gzip; whoever asks for it by that name wants it as it is. */
function codingOf(headers: ResponseHeaders, url: URL): string | undefined {
  const coding = headerOf(headers, 'content-encoding')?.trim().toLowerCase() ?? ''
  if (coding === '' || coding === 'identity') return undefined
  const ending = /\.(gz|tgz|br|zst)$/i.exec(url.pathname)?.[1]?.toLowerCase()
  const named = { gz: 'gzip', tgz: 'gzip', br: 'br', zst: 'zstd' }[ending ?? '']
  return named === coding.replace(/^x-/, '') ? undefined : coding
}

/** Why the rest that is sent does not fit what is there. */
export function rangeFault(part: Part, headers: ResponseHeaders): string | undefined {
  const range = headerOf(headers, 'content-range') ?? ''
  const [, from, to, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(range) ?? []
  if (from === undefined) return 'it sent a part and did not say which'
  if (Number(from) !== part.size)
    return `it sent bytes from ${from}, and was asked for those from ${part.size}`
  const whole = part.begun?.total
  if (total !== '*' && Number(total) !== whole) return `it had ${whole} bytes, and now has ${total}`
  if (Number(to) + 1 !== whole) return 'it did not send all of the rest'
  if (headerOf(headers, 'etag') !== part.begun?.etag) return 'what it sent is of another version'
  return undefined
}
