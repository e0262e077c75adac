import { resolve } from 'node:path'
import { AlmanacError, isAlmanacError } from '../../model/errors.ts'
import { DirRef, FileRef } from '../../model/refs.ts'
import { parseUrl, safeText, safeUrl } from '../../model/source.ts'
import type { Value } from '../../model/value.ts'
import { isPlainObject } from '../../util/plain-object.ts'
import type { UrlRequest } from '../../workbench.ts'
import { alternatives, type InputSchema, meantFor } from './schemas.ts'

/** Takes a file or directory that lies elsewhere as a value. */
export type Scan = (path: string) => Promise<Value>

/** Asks the server what is at a URL. */
export type Look = (request: UrlRequest) => Promise<Value>

/** Who is asked, and the schema that references are to. */
interface From {
  readonly scan: Scan
  readonly look: Look
  readonly root: InputSchema
}

/**
 * A value with what lies elsewhere in place of the paths and URLs that name it, wherever the schema has some.
 *
 * @throws ALM_INPUT_INVALID
 */
export async function withFiles(
  value: unknown,
  schema: InputSchema,
  name: string,
  from: From,
): Promise<unknown> {
  // a schema with definitions of its own is what its references are to
  const within = schema.$defs === undefined ? from : { ...from, root: schema }
  if (typeof value === 'string') return await named(value, alternatives(schema, within.root), name, within)
  if (Array.isArray(value)) {
    const { prefixItems = [], items } = meantFor(value, schema, within.root)
    const all: unknown[] = []
    for (const [i, item] of value.entries()) {
      const known = prefixItems[i] ?? items
      all.push(typeof known === 'object' ? await withFiles(item, known, `${name}.${i}`, within) : item)
    }
    return all
  }
  if (isPlainObject(value)) return await fieldsWithFiles(value, schema, name, within)
  return value
}

/** By the names that a schema has, or all of them alike. */
async function fieldsWithFiles(
  value: object,
  schema: InputSchema,
  name: string,
  from: From,
): Promise<unknown> {
  const { properties = {}, additionalProperties: others = {} } = meantFor(value, schema, from.root)
  const fields: [string, unknown][] = []
  for (const [field, one] of Object.entries(value)) {
    const known = Object.hasOwn(properties, field) ? properties[field] : others
    const isKnown = typeof known === 'object'
    fields.push([field, isKnown ? await withFiles(one, known, `${name}.${field}`, from) : one])
  }
  return Object.fromEntries(fields)
}

/** What a text names, where files, directories or URLs are meant. */
async function named(
  text: string,
  schemas: readonly InputSchema[],
  name: string,
  { scan, look }: From,
): Promise<unknown> {
  const kinds = new Set(schemas.map(({ almanac }) => almanac))
  if (kinds.has('url')) return await look(urlNamed(text, name))
  if (!kinds.has('file') && !kinds.has('dir')) return text
  try {
    const found = await scan(resolve(text))
    const isOther =
      (found instanceof FileRef && !kinds.has('file')) || (found instanceof DirRef && !kinds.has('dir'))
    if (!isOther) return found
    const why = kinds.has('dir')
      ? 'is a file, and a directory is needed'
      : 'is a directory, and a file is needed'
    throw new AlmanacError('ALM_INPUT_INVALID', { name, why: `${text} ${why}` })
  } catch (error) {
    if (!isAlmanacError(error) || error.code !== 'ALM_INPUT_MISSING') throw error
    throw new AlmanacError('ALM_INPUT_INVALID', { name, why: error.message }, { cause: error })
  }
}

/** `https://host/a.nc` or `s3://bucket/key`. What is given here is kept: nothing that lets one in. @throws ALM_INPUT_INVALID */
function urlNamed(text: string, name: string): UrlRequest {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(text) ?? []
  if (bucket !== undefined && key !== undefined) {
    if (!key.split('/').some((part) => part === '.' || part === '..')) return { object: { bucket, key } }
    throw new AlmanacError('ALM_INPUT_INVALID', {
      name,
      why: 'a name in the key is "." or "..", which no URL can say',
    })
  }
  const parsed = URL.canParse(text) ? new URL(text) : undefined
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') {
    const why = `${JSON.stringify(safeText(text))} is no URL: write https://host/file or s3://bucket/key`
    throw new AlmanacError('ALM_INPUT_INVALID', { name, why })
  }
  const url = parseUrl(text)
  if (safeUrl(url) === url.href) return { url: text }
  const why = `${safeUrl(url)} was given with a user, a password or a secret, and inputs are kept; name it in the workflow: url.http(…)`
  throw new AlmanacError('ALM_INPUT_INVALID', { name, why })
}
