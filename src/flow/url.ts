import { z } from 'zod'
import { AlmanacError } from '../model/errors.ts'
import { UrlRef } from '../model/refs.ts'
import { parseUrl, type SourceSecrets, safeText, safeUrl } from '../model/source.ts'
import type { TaskSpec } from '../model/task.ts'
import type { Value } from '../model/value.ts'
import { requireCaller } from './ambient.ts'
import { toArgs } from './arguments.ts'
import type { Arg } from './callable.ts'
import { type Future, makeFuture } from './future.ts'
import { checkNames, type OptionNames } from './option-names.ts'
import { policyOf } from './options.ts'
import type { Url } from './values.ts'

/** An object of a bucket that is left there. Credentials are those of the AWS SDK's chain. */
export interface S3Url {
  readonly bucket: Arg<string>
  readonly key: Arg<string>
  /** id of the version that is meant; the newest if absent */
  readonly version?: Arg<string>
  /** of a store that is not Amazon's */
  readonly endpoint?: string
  readonly region?: string
  /** the bucket's name in the path, not in the host's name; with an `endpoint` that is so if absent */
  readonly pathStyle?: boolean
  /** everybody may read it: its URL is not signed */
  readonly anonymous?: boolean
}

/** How a file of a web server is taken. */
export interface HttpUrlOptions {
  /** what is there never changes: its place and size are all it is known by, whatever the server says */
  readonly immutable?: boolean
}

const s3Names: OptionNames<S3Url> = {
  bucket: true,
  key: true,
  version: true,
  endpoint: true,
  region: true,
  pathStyle: true,
  anonymous: true,
}
const httpNames: OptionNames<HttpUrlOptions> = { immutable: true }

const urlSchema = (): z.ZodType<Url, Url> =>
  z.custom<Url>((value) => value instanceof UrlRef, { error: 'is no URL' }).meta({ almanac: 'url' })

/**
 * An input that a task is given as a URL, and never as bytes. What it is comes from `url.http` or `url.s3`, which ask
 * the server what is there when the run comes to them: it counts by its place, its version or `ETag`, and its size.
 */
export const url: {
  /** The schema of such an input. */
  (): z.ZodType<Url, Url>
  /** A file of a web server. @throws ALM_OUTSIDE, ALM_OPTION_REFUSED, ALM_SOURCE_REFUSED */
  readonly http: (url: Arg<string>, options?: HttpUrlOptions) => Future<Url>
  /** An object of a bucket. @throws ALM_OUTSIDE, ALM_OPTION_REFUSED */
  readonly s3: (options: S3Url) => Future<Url>
} = Object.assign(urlSchema, {
  http: (at: Arg<string>, options: HttpUrlOptions = {}): Future<Url> => {
    checkNames('url.http', options, httpNames)
    const immutable = options.immutable === true && { immutable: true }
    if (typeof at !== 'string') return look('url.http', { url: toArgs(at), ...immutable }, new Map())
    const full = parseUrl(at)
    const safe = safeUrl(full)
    // the journal, keys and logs have the arguments alone; the full URL stays in memory
    const urls = new Map(safe === full.href ? [] : [[safe, full.href]])
    return look('url.http', { url: safe, ...immutable }, urls)
  },
  s3: (options: S3Url): Future<Url> => {
    checkNames('url.s3', options, s3Names)
    const { endpoint } = options
    if (endpoint !== undefined && safeText(endpoint) !== endpoint) {
      const why = 'it has a user, a password or a secret in it'
      throw new AlmanacError('ALM_OPTION_REFUSED', { option: 'endpoint', task: 'url.s3', why })
    }
    const given = Object.entries(options).filter(([, value]) => value !== undefined)
    return look('url.s3', Object.fromEntries(given.map(([name, value]) => [name, toArgs(value)])), new Map())
  },
})

function look(name: 'url.http' | 'url.s3', args: Value, urls: SourceSecrets['urls']): Future<Url> {
  const caller = requireCaller(name)
  const secrets: SourceSecrets = { urls, headers: {} }
  const call = caller.call({ kind: 'task', name, task: tasks[name], fn: () => secrets }, args)
  return makeFuture(caller, call, [], name)
}

const taskOf = (name: 'url.http' | 'url.s3'): TaskSpec => ({
  name,
  body: { kind: 'source', from: 'url' },
  // it looks at the world, takes no processor, and tries again by itself
  policy: policyOf(name, { cache: false, cpu: 0 }),
  env: [],
  reads: [],
})

const tasks = { 'url.http': taskOf('url.http'), 'url.s3': taskOf('url.s3') }
