import { isPlainObject } from '../util/plain-object.ts'
import { FileRef } from './refs.ts'

/** what each kind of artifact must have */
const needed = new Map<unknown, readonly [field: string, what: string, fits: (value: unknown) => boolean]>([
  ['markdown', ['text', 'a text', isText]],
  ['table', ['rows', 'a list of objects', (rows) => Array.isArray(rows) && rows.every(isPlainObject)]],
  ['image', ['path', 'a path or a file', (path) => isText(path) || path instanceof FileRef]],
  ['link', ['url', 'a text', isText]],
  ['plot', ['spec', 'an object', isPlainObject]],
])

/** Why something is no artifact, and where in it; undefined of one that can be shown. */
export function artifactFault(body: unknown): readonly [path: string, why: string] | undefined {
  if (!isPlainObject(body)) return ['artifact', 'it is no object']
  const { kind } = body
  const [field, what, fits] = needed.get(kind) ?? []
  if (field === undefined || fits === undefined)
    return ['kind', `it is none of ${[...needed.keys()].join(', ')}`]
  return fits(body[field]) ? undefined : [field, `an artifact of kind ${String(kind)} needs ${what} there`]
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
