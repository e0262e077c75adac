import { AlmanacError } from '../../model/errors.ts'
import { parseUrl, type SourceSecrets, safeUrl } from '../../model/source.ts'
import type { Value } from '../../model/value.ts'
import type { Checksum } from '../../ports/downloads.ts'
import { isPlainObject } from '../../util/plain-object.ts'
import type { Rate } from './host-throttles.ts'
import { expand, fill, type Values } from './template.ts'

/** One file that is wanted. */
export interface FileRequest {
  /** path in the result */
  readonly path: string
  /** what it is known by: the URL without secrets */
  readonly name: string
  readonly url: URL
  /** as a listing has it: what agrees is not asked for */
  readonly listed?: { readonly etag: string; readonly size: number }
  readonly sidecar?: URL
  readonly expected?: Checksum
}

/** How files are fetched. */
export interface Manner {
  readonly rate: Rate
  readonly retries: { readonly count: number; readonly delayMs: number; readonly maxDelayMs: number }
  readonly allowMissing: boolean
  readonly immutable: boolean
  readonly linkLocal: boolean
  readonly unsized: boolean
  readonly maxBytes: number
  readonly idleMs: number
  readonly headers: Readonly<Record<string, string>>
  readonly secretHeaders: Readonly<Record<string, string>>
}

const maxFiles = 1_000_000

/** The files of a `source.http` call, each at a path of its own. @throws ALM_SOURCE_REFUSED, ALM_OPTION_REFUSED */
export function fileRequestsOf(args: Readonly<Record<string, Value>>, secrets: SourceSecrets): FileRequest[] {
  const to = text(args['to'], 'to')
  const sidecar = text(args['checksums'], 'checksums')
  const wanted: FileRequest[] = []
  const paths = new Map<string, FileRequest>()
  for (const given of list(args['url'], 'url')) {
    const one = fileOf(given)
    for (const values of expand(args['each'])) {
      const found = fileRequest({ ...one, to: one.to ?? to, sidecar }, values, secrets)
      const twin = paths.get(found.path)
      if (twin !== undefined)
        throw refused(found.name, `it would be ${found.path}, which ${twin.name} is; say to`)
      paths.set(found.path, found)
      wanted.push(found)
      if (wanted.length > maxFiles) throw option('url', `it names more than ${maxFiles} files`)
    }
  }
  return wanted
}

interface Given {
  readonly url: string
  readonly to?: string | undefined
  readonly sha256?: string | undefined
  readonly md5?: string | undefined
  readonly sidecar?: string | undefined
}

function fileOf(given: Value): Given {
  if (typeof given === 'string') return { url: given }
  const fields = record(given, 'url')
  const url = text(fields['url'], 'url')
  if (url === undefined) throw option('url', 'a file has no url')
  return {
    url,
    to: text(fields['to'], 'to'),
    sha256: text(fields['sha256'], 'sha256'),
    md5: text(fields['md5'], 'md5'),
  }
}

function fileRequest(given: Given, values: Values, secrets: SourceSecrets): FileRequest {
  // templates are filled before they are parsed: a URL would encode the braces
  const filled = fill(given.url, values, encodeURIComponent)
  const full = secrets.urls.get(given.url)
  const url = parseUrl(full === undefined ? filled : fill(full, values, encodeURIComponent))
  const name = safeUrl(url)
  const path = given.to === undefined ? lastName(url, name) : fill(given.to, values, (value) => value)
  const fault = pathFault(path)
  if (fault !== undefined) throw new AlmanacError('ALM_PATH_REFUSED', { path: short(path), why: fault })
  return {
    path,
    name,
    url,
    ...(given.sidecar !== undefined && { sidecar: parseUrl(given.sidecar.replaceAll('{url}', url.href)) }),
    ...expectation(given),
  }
}

function expectation({ sha256, md5 }: Given): Pick<FileRequest, 'expected'> {
  if (sha256 !== undefined) {
    if (!/^[0-9a-f]{64}$/i.test(sha256)) throw option('sha256', 'it is no SHA-256 in hexadecimal')
    return { expected: { algorithm: 'sha256', value: sha256.toLowerCase() } }
  }
  if (md5 === undefined) return {}
  if (!/^[0-9a-f]{32}$/i.test(md5)) throw option('md5', 'it is no MD5 in hexadecimal')
  return { expected: { algorithm: 'md5', value: md5.toLowerCase() } }
}

/** The name that the URL's path ends with. What a server would call it (`Content-Disposition`) does not count. */
function lastName(url: URL, name: string): string {
  const last = url.pathname.slice(url.pathname.lastIndexOf('/') + 1)
  if (last === '') throw refused(name, 'its path ends without a name; say to')
  let decoded: string
  try {
    decoded = decodeURIComponent(last)
  } catch {
    throw refused(name, 'its last name is not valid UTF-8; say to')
  }
  if (decoded.includes('/')) throw refused(name, 'its last name has a "/" in it; say to')
  return decoded
}

/** As `core/tree/name.ts` will judge: said before anything is fetched. */
export function pathFault(path: string): string | undefined {
  if (path.length > 4096) return 'its path is too long'
  for (const name of path.split('/')) {
    if (name === '' || name === '.' || name === '..') return `a name in it is "${name}"`
    if (name.includes('\0')) return 'a name has a NUL in it'
    if (!name.isWellFormed()) return 'a name is not valid Unicode'
    if (Buffer.byteLength(name) > 255) return 'a name is longer than 255 bytes'
  }
  return undefined
}

export function mannerOf(args: Readonly<Record<string, Value>>, secrets: SourceSecrets): Manner {
  const rate = record(args['rate'] ?? {}, 'rate')
  const retries = record(args['retries'] ?? {}, 'retries')
  const open = record(args['headers'] ?? {}, 'headers')
  return {
    rate: {
      concurrency: number(rate['concurrency'] ?? 4, 'rate.concurrency', 1),
      perSecond: number(rate['perSecond'] ?? Number.POSITIVE_INFINITY, 'rate.perSecond', 1e-6),
    },
    retries: {
      count: number(retries['count'] ?? 5, 'retries.count', 0),
      delayMs: number(retries['delayMs'] ?? 1000, 'retries.delay', 0),
      maxDelayMs: number(retries['maxDelayMs'] ?? 60_000, 'retries.maxDelay', 0),
    },
    allowMissing: args['allowMissing'] === true,
    immutable: args['immutable'] === true,
    linkLocal: args['linkLocal'] === true,
    unsized: args['unsized'] === true,
    maxBytes: number(args['maxBytes'] ?? Number.POSITIVE_INFINITY, 'maxBytes', 0),
    idleMs: number(args['idleMs'] ?? 60_000, 'idle', 1),
    headers: Object.fromEntries(
      Object.entries(open).flatMap(([name, value]) =>
        typeof value === 'string' ? [[name.toLowerCase(), value]] : [],
      ),
    ),
    secretHeaders: secrets.headers,
  }
}

export function list(value: Value, name: string): readonly Value[] {
  if (Array.isArray(value)) return value
  if (value === undefined || value === null) throw option(name, 'it is missing')
  return [value]
}

export function text(value: Value, name: string): string | undefined {
  if (value === undefined || typeof value === 'string') return value
  throw option(name, 'it is no text')
}

function record(value: Value, name: string): Readonly<Record<string, Value>> {
  if (isPlainObject(value)) return value
  throw option(name, 'it is no object')
}

function number(value: Value, name: string, least: number): number {
  if (typeof value === 'number' && value >= least) return value
  throw option(name, `it is no number from ${least}`)
}

export const option = (name: string, why: string): AlmanacError =>
  new AlmanacError('ALM_OPTION_REFUSED', { option: name, task: 'the source', why })

const refused = (url: string, why: string): AlmanacError =>
  new AlmanacError('ALM_SOURCE_REFUSED', { url, why })

const short = (path: string): string => (path.length > 120 ? `${path.slice(0, 120)}…` : path)
