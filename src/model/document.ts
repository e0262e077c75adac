import { isPlainObject } from '../util/plain-object.ts'
import { pathText } from './codec.ts'
import { AlmanacError } from './errors.ts'
import type { Path } from './path.ts'
import type { RunId, Time } from './records.ts'
import type { Value } from './value.ts'

/** What tells one document from all others. */
export interface DocumentKey {
  readonly environment: string
  /** whose it is: `run:<id>`, `workflow:<name>`, `project:<name>` */
  readonly scope: string
  readonly name: string
}

/** A version of a document: plain JSON, and what wrote it. It never changes. */
export interface DocumentVersion extends DocumentKey {
  /** 1, 2, … */
  readonly version: number
  /** JSON with sorted keys: equal texts are equal documents */
  readonly json: string
  /** the run and call that wrote it, or else what did: `context set` */
  readonly run?: RunId
  readonly call?: number
  readonly maker: string
  readonly madeAt: Time
}

/** Bytes of a document's JSON at most: what is larger belongs in a file or a dataset. */
const largestDocument = 2 ** 20

/** Versions of a document that are kept; older ones go when a newer one is written. */
export const keptVersions = 1000

const namePattern = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,127}$/u

/** @throws ALM_CONTEXT_NAME */
export function checkDocumentName(name: string): void {
  if (typeof name === 'string' && namePattern.test(name)) return
  throw new AlmanacError('ALM_CONTEXT_NAME', { name: JSON.stringify(String(name).slice(0, 100)) })
}

/** How people name a document: `workflow:imaging/calibration`. */
export const documentText = ({ scope, name }: Omit<DocumentKey, 'environment'>): string => `${scope}/${name}`

/** @throws ALM_CONTEXT_NAME where the text names none */
export function parseDocument(text: string): Omit<DocumentKey, 'environment'> {
  const match = /^(run|workflow|project):([^/]+)\/([^/]+)$/.exec(text)
  if (match === null) throw new AlmanacError('ALM_CONTEXT_NAME', { name: JSON.stringify(text.slice(0, 100)) })
  const [, kind, owner = '', name = ''] = match
  checkDocumentName(owner)
  checkDocumentName(name)
  return { scope: `${kind}:${owner}`, name }
}

/**
 * A value as the text of a document.
 * @throws ALM_CONTEXT_VALUE where JSON would fold or lose something of it, or it is too large
 */
export function documentJson(value: Value): string {
  const text = jsonText(value, [], 0)
  const bytes = utf8Length(text)
  if (bytes > largestDocument) {
    const why = `it has ${bytes} bytes, and a document has ${largestDocument} at most`
    throw new AlmanacError('ALM_CONTEXT_VALUE', { path: 'the document', why })
  }
  return text
}

/** Every character beyond ASCII takes two to four bytes; half of a pair takes half of four. */
function utf8Length(text: string): number {
  let bytes = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3
  }
  return bytes
}

const deepest = 100

function jsonText(value: Value, path: Path, depth: number): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refused(path, `${value} is no number of JSON`)
    return JSON.stringify(value)
  }
  if (depth > deepest) throw refused(path, `it is nested more than ${deepest} deep`)
  if (Array.isArray(value))
    return `[${value.map((item: Value, i) => jsonText(item, [...path, i], depth + 1)).join(',')}]`
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype)
    throw refused(path, `it is ${kindOf(value)}`)
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  const texts = fields.map(
    ([name, field]) => `${JSON.stringify(name)}:${jsonText(field, [...path, name], depth + 1)}`,
  )
  return `{${texts.join(',')}}`
}

const kindOf = (value: unknown): string =>
  typeof value === 'object' ? `a ${value?.constructor?.name ?? 'strange object'}` : typeof value

const refused = (path: Path, why: string): AlmanacError =>
  new AlmanacError('ALM_CONTEXT_VALUE', {
    path: path.length === 0 ? 'the document' : pathText(path),
    why,
  })

/** A document with a merge patch (RFC 7396): objects are merged, `null` removes a field, all else replaces. */
export function patched(document: Value, patch: Value): Value {
  if (!isPlainObject(patch)) return patch
  const fields = new Map(Object.entries(isPlainObject(document) ? document : {}))
  for (const [name, field] of Object.entries(patch)) {
    if (field === null) fields.delete(name)
    else fields.set(name, patched(fields.get(name), field))
  }
  return Object.fromEntries(fields)
}
