import { AlmanacError } from '../../model/errors.ts'

/** Where a store on S3 is, and how it is spoken to. */
export interface S3Location {
  readonly bucket: string
  /** without slashes at its ends; may be empty */
  readonly prefix: string
  readonly endpoint?: string
  readonly region?: string
  /** the bucket's name in the path, not in the host's name */
  readonly pathStyle?: boolean
}

/** What may be said beside the address itself. */
export type S3Options = Omit<S3Location, 'bucket' | 'prefix'>

/**
 * `s3://bucket/prefix?endpoint=…&region=…&pathStyle=true`; what it says itself goes before options beside it.
 * @throws ALM_CONFIG
 */
export function parseLocation(text: string, options: S3Options = {}): S3Location {
  const refuse = (why: string): never => {
    throw new AlmanacError('ALM_CONFIG', { file: `store ${text}`, why })
  }
  if (!text.startsWith('s3://')) refuse('it begins with none of the stores that there are: s3://')
  const mark = text.indexOf('?')
  const [bucket = '', ...folders] = text.slice('s3://'.length, mark < 0 ? undefined : mark).split('/')
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) refuse(`"${bucket}" cannot be the name of a bucket`)
  const prefix = folders.filter((name) => name !== '').join('/')
  if (prefix.length > 512 || /(^|\/)\.\.?(\/|$)/.test(prefix)) refuse(`"${prefix}" cannot be a prefix`)
  const query = new URLSearchParams(mark < 0 ? '' : text.slice(mark + 1))
  for (const name of query.keys())
    if (!['endpoint', 'region', 'pathStyle'].includes(name)) refuse(`it has an unknown option ${name}`)
  const endpoint = query.get('endpoint') ?? options.endpoint
  if (endpoint !== undefined && !/^https?:\/\/[^/]+\/?$/.test(endpoint))
    refuse(`"${endpoint}" is no endpoint: it begins with http:// or https:// and has no path`)
  const region = query.get('region') ?? options.region
  const style = query.get('pathStyle')
  const pathStyle = style === null ? options.pathStyle : style === 'true'
  return {
    bucket,
    prefix,
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(pathStyle !== undefined && { pathStyle }),
  }
}
