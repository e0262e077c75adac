import { AlmanacError } from '../model/errors.ts'
import { isRef } from '../model/refs.ts'
import { isOpenHeader, type SourceSecrets, safeText } from '../model/source.ts'
import type { TaskSpec } from '../model/task.ts'
import type { Value } from '../model/value.ts'
import { requireCaller } from './ambient.ts'
import { toArgs } from './arguments.ts'
import type { Arg } from './callable.ts'
import { type Future, makeFuture } from './future.ts'
import { isFuture } from './future-target.ts'
import { type Duration, durationMs, policyOf, type Size, sizeBytes } from './options.ts'
import type { Dir } from './values.ts'

/** How a source asks. */
export interface SourceOptions {
  /** what one host is asked for: requests under way (4 if absent), and requests a second (any number if absent) */
  readonly rate?: { readonly concurrency?: number; readonly perSecond?: number }
  /** how often a file is tried again after a failure that may pass, 5 if absent; the delay doubles, `Retry-After` counts */
  readonly retries?:
    | number
    | { readonly count: number; readonly delay?: Duration; readonly maxDelay?: Duration }
  /** longest silence of a server, 1 minute if absent */
  readonly idle?: Duration
  /** larger files are refused */
  readonly maxBytes?: Size
  /** what is there never changes: a file that was fetched once is not asked for again */
  readonly immutable?: boolean
  /** tells equal calls apart */
  readonly key?: string
}

/** One file of a source. */
export interface SourceFile {
  /** `{name}` stands for a value of `each` */
  readonly url: string
  /** path in the directory; the last name of the URL's path if absent */
  readonly to?: string
  /** what the file must be, in hexadecimal */
  readonly sha256?: string
  readonly md5?: string
}

/** Files of web servers. */
export interface HttpSource extends SourceOptions {
  /** one or many; `{name}` stands for a value of `each`, `{name:YYYY/MM/DD}` for a date in that form */
  readonly url: Arg<string | SourceFile | readonly (string | SourceFile)[]>
  /** values of the parameters: one file for each combination */
  readonly each?: Readonly<Record<string, Arg<readonly (string | number | Date)[]>>>
  /** path of each file in the directory, with parameters; the last name of its URL's path if absent */
  readonly to?: string
  /** where the checksum of a file is told: `'{url}.sha256'` */
  readonly checksums?: string
  /** sent to the servers named here alone; all but `accept`, `user-agent` and the like are kept out of the journal */
  readonly headers?: Readonly<Record<string, string>>
  /** files that are not there (404, 410) are left out; otherwise there is no directory without them */
  readonly allowMissing?: boolean
  /** lets addresses be asked where clouds keep a machine's credentials */
  readonly linkLocal?: boolean
  /** takes files of which the server says neither length nor end, so that one that is cut is not found out */
  readonly unsized?: boolean
}

/** Objects of a bucket of S3, or of what speaks it. Credentials are those of the AWS SDK's chain. */
export interface S3Source extends SourceOptions {
  readonly bucket: Arg<string>
  /** what keys begin with; paths in the directory are keys without its folders */
  readonly prefix?: Arg<string>
  /** globs on paths within the directory; default: everything */
  readonly include?: readonly string[]
  /** globs; default: `*.part`, `*.tmp`, `*.idx`, `.DS_Store` and the like */
  readonly exclude?: readonly string[]
  /** of a store that is not Amazon's */
  readonly endpoint?: string
  readonly region?: string
  /** the bucket's name in the path, not in the host's name; with an `endpoint` that is so if absent */
  readonly pathStyle?: boolean
  /** requests are not signed: for buckets that everybody may read */
  readonly anonymous?: boolean
}

/**
 * Directories of files that lie elsewhere. Each run asks again, and fetches only what has changed; a run that goes on
 * keeps what it has fetched. See docs/sources.md.
 */
export const source = {
  /** Files of web servers. @throws ALM_OUTSIDE, ALM_OPTION_REFUSED */
  http: (options: HttpSource): Future<Dir> => askServers(options),
  /** Objects of a bucket. @throws ALM_OUTSIDE, ALM_OPTION_REFUSED */
  s3: (options: S3Source): Future<Dir> => askBucket(options),
  /** The days from one to another, both included, as `2026-01-31`. @throws ALM_OPTION_REFUSED */
  days: (from: string | Date, to: string | Date): readonly string[] => daysBetween(from, to),
}

function askServers(options: HttpSource): Future<Dir> {
  const secrets = { urls: new Map<string, string>(), headers: {} as Record<string, string> }
  const { url, each, headers = {}, to, checksums, allowMissing, linkLocal, unsized } = options
  for (const [name, value] of Object.entries(headers))
    if (!isOpenHeader(name)) secrets.headers[name.toLowerCase()] = value
  const args = {
    url: withoutSecrets(url, secrets),
    ...(each !== undefined && { each: toArgs(each) }),
    ...(to !== undefined && { to }),
    ...(checksums !== undefined && { checksums }),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), isOpenHeader(name) ? value : null]),
    ),
    ...(allowMissing === true && { allowMissing }),
    ...(linkLocal === true && { linkLocal }),
    ...(unsized === true && { unsized }),
    ...common(options),
  }
  // what is no secret is in the arguments
  for (const [safe, full] of secrets.urls) if (safe === full) secrets.urls.delete(safe)
  return ask('http', args, secrets, options.key)
}

function askBucket(options: S3Source): Future<Dir> {
  const { bucket, prefix, include, exclude, endpoint, region, pathStyle, anonymous } = options
  if (endpoint !== undefined && safeText(endpoint) !== endpoint)
    throw refused('endpoint', 'it has a user, a password or a secret in it')
  const given = { bucket, prefix, include, exclude, endpoint, region, pathStyle, anonymous }
  const args = Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, toArgs(value)]])),
  )
  return ask('s3', { ...args, ...common(options) }, { urls: new Map(), headers: {} }, options.key)
}

function daysBetween(from: string | Date, to: string | Date): readonly string[] {
  const [first, last] = [dayOf(from, 'from'), dayOf(to, 'to')]
  const count = Math.max(0, Math.round((last - first) / dayMs) + 1)
  if (count > 100_000) throw refused('to', 'these are more than 100 000 days')
  return Array.from({ length: count }, (_, i) => new Date(first + i * dayMs).toISOString().slice(0, 10))
}

const dayMs = 86_400_000

function dayOf(value: string | Date, name: string): number {
  const date = new Date(value)
  if (Number.isNaN(date.getTime())) throw refused(name, `${JSON.stringify(value)} is no date`)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate())
}

function ask(from: 'http' | 's3', args: Value, secrets: SourceSecrets, key: string | undefined): Future<Dir> {
  const task = tasks[from]
  const caller = requireCaller(task.name)
  // full URLs and headers go to the executor in memory: the journal, keys and logs have the arguments alone
  const call = caller.call({ kind: 'task', name: task.name, task, fn: () => secrets }, args, key)
  return makeFuture(caller, call, [], task.name)
}

const taskOf = (from: 'http' | 's3'): TaskSpec => ({
  name: `source.${from}`,
  body: { kind: 'source', from },
  // it looks at the world, takes no processor, and tries again by itself, file by file
  policy: policyOf(`source.${from}`, { cache: false, cpu: 0 }),
  env: [],
  reads: [],
})

const tasks = { http: taskOf('http'), s3: taskOf('s3') }

function common(options: SourceOptions): Record<string, Value> {
  const { rate, retries, idle, maxBytes, immutable } = options
  const given = typeof retries === 'number' ? { count: retries } : retries
  return {
    ...(rate !== undefined && { rate: toArgs(rate) }),
    ...(given !== undefined && {
      retries: {
        count: given.count,
        ...(given.delay !== undefined && { delayMs: duration(given.delay, 'retries.delay') }),
        ...(given.maxDelay !== undefined && { maxDelayMs: duration(given.maxDelay, 'retries.maxDelay') }),
      },
    }),
    ...(idle !== undefined && { idleMs: duration(idle, 'idle') }),
    ...(maxBytes !== undefined && { maxBytes: size(maxBytes) }),
    ...(immutable === true && { immutable }),
  }
}

function duration(value: Duration, option: string): number {
  return durationMs(value) ?? fail(option, `${JSON.stringify(value)} is no duration; write '30s' or '5m'`)
}

function size(value: Size): number {
  return sizeBytes(value) ?? fail('maxBytes', `${JSON.stringify(value)} is no size; write '512MiB'`)
}

/** Texts in it, at any depth, without what lets one in; the full ones are kept by what stands for them. */
function withoutSecrets(url: unknown, secrets: { readonly urls: Map<string, string> }): Value {
  if (typeof url === 'string') return hide(url, secrets.urls)
  if (isFuture(url) || isRef(url)) return toArgs(url)
  if (Array.isArray(url)) return url.map((one) => withoutSecrets(one, secrets))
  if (typeof url !== 'object' || url === null) return toArgs(url)
  const file = url as Record<string, unknown>
  return toArgs({ ...file, url: withoutSecrets(file['url'], secrets) })
}

function hide(text: string, urls: Map<string, string>): string {
  const safe = safeText(text)
  const full = urls.get(safe)
  if (full !== undefined && full !== text)
    throw refused('url', `two of ${safe} differ in nothing but what looks like a secret`)
  urls.set(safe, text)
  return safe
}

const refused = (option: string, why: string): AlmanacError =>
  new AlmanacError('ALM_OPTION_REFUSED', { option, task: 'the source', why })

function fail(option: string, why: string): never {
  throw refused(option, why)
}
