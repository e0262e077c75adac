import { decode, encode } from '../../model/codec.ts'
import { FileRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'

/** What each kind of artifact has, as it is kept. */
const artifactFields = new Map<unknown, readonly [field: string, fits: (value: unknown) => boolean]>([
  ['markdown', ['text', isText]],
  ['table', ['rows', (rows) => Array.isArray(rows) && rows.every(isFields)]],
  ['image', ['path', (path) => isText(path) || path instanceof FileRef]],
  ['link', ['url', isText]],
  ['plot', ['spec', isFields]],
])

/** What is shown with a result that came from a store, where anybody may have written it; without what is none. */
export function shownFrom(wire: unknown, withoutPlaces: (value: Value) => Value): string | undefined {
  if (!isText(wire)) return undefined
  let things: Value
  try {
    things = decode(wire)
  } catch {
    // not ours, or of a later version: the result is as good without it
    return undefined
  }
  const shown = Array.isArray(things) ? things.filter(isShown) : []
  return shown.length === 0 ? undefined : encode(withoutPlaces(shown))
}

function isShown(thing: unknown): boolean {
  if (!isFields(thing) || !isText(thing['name'])) return false
  const { type, body, entry } = thing
  if (!isFields(body) || !(entry === undefined || isText(entry))) return false
  if (type === 'metric') return typeof body['value'] === 'number'
  const [field, fits] = artifactFields.get(body['kind']) ?? []
  return type === 'artifact' && field !== undefined && fits?.(body[field]) === true
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
