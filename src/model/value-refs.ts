import { setOwnField } from '../util/own-field.ts'
import { Instant } from './instant.ts'
import { isRef, type Ref } from './refs.ts'
import type { Value } from './value.ts'

/** The references within a value, and copies of it with others in their places. */

const maxDepth = 200

/** Calls `found` for each future and each file, directory, URL or held value in it. */
export function eachRef(value: Value, found: (ref: Ref) => void, depth = 0): void {
  if (value === null || typeof value !== 'object' || depth > maxDepth) return
  if (isRef(value)) {
    found(value)
  } else if (Array.isArray(value)) {
    for (const item of value) eachRef(item, found, depth + 1)
  } else if (!(value instanceof Date) && !(value instanceof Uint8Array)) {
    for (const key of Object.keys(value)) eachRef((value as Record<string, Value>)[key], found, depth + 1)
  }
}

/** Are they positions (`{ args: […] }`) of scalars alone? Then nothing in them is to be replaced, or can be changed. */
export function areScalars(args: Value): boolean {
  if (args === null || typeof args !== 'object') return true
  const positions = (args as { readonly args?: Value }).args
  if (!Array.isArray(positions)) return false
  for (const name in args) if (name !== 'args') return false
  for (const item of positions) if (typeof item === 'object' && item !== null) return false
  return true
}

/** Of dates and bytes, which whoever has them can change: bytes of any kind are plain `Uint8Array`s, as they are when read again. */
export function copyOfScalar(value: object): Date | Uint8Array | undefined {
  if (value instanceof Instant) return new Instant(value.getTime(), value.micros)
  if (value instanceof Date) return new Date(value)
  return value instanceof Uint8Array ? new Uint8Array(value) : undefined
}

/** A copy that nobody else can change. */
export const ownCopy = (value: Value): Value => mapRefs(value, (ref) => ref)

/** A copy in which `replace` stands for each reference. */
export function mapRefs(value: Value, replace: (ref: Ref) => Value): Value {
  if (value === null || typeof value !== 'object') return value
  if (isRef(value)) return replace(value)
  if (Array.isArray(value)) return value.map((item) => mapRefs(item, replace))
  const own = copyOfScalar(value)
  if (own !== undefined) return own
  const copy: Record<string, Value> = {}
  for (const key of Object.keys(value)) {
    const field = mapRefs((value as Record<string, Value>)[key], replace)
    setOwnField(copy, key, field)
  }
  return copy
}
