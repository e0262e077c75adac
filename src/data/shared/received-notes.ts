import { artifactFault } from '../../model/artifact.ts'
import { decode, encode } from '../../model/codec.ts'
import type { Value } from '../../model/value.ts'
import { isPlainObject } from '../../util/plain-object.ts'

/** Artifacts and metrics of a result that came from a store, where anybody may have written them; without what is none. */
export function receivedNotes(wire: unknown, withoutPlaces: (value: Value) => Value): string | undefined {
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
  if (!isPlainObject(thing) || !isText(thing['name'])) return false
  const { type, body, entry } = thing
  if (!isPlainObject(body) || !(entry === undefined || isText(entry))) return false
  if (type === 'metric') return typeof body['value'] === 'number'
  return type === 'artifact' && artifactFault(body) === undefined
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
