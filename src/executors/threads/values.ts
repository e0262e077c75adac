import { fromWire, pathText, toWire } from '../../model/codec.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { Path } from '../../model/path.ts'
import { UrlRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { setOwnField } from '../../util/own-field.ts'

/**
 * Values on their way to a thread and back: the codec's form, but for three things. An array stands for where it lies
 * (`{"$":"array",…}`), large bytes for their place beside the text (`{"$":"part","i":0}`), and a file at a URL has
 * where it is read (`{"$":"at",…}`).
 */

/** An array in shared memory. */
export interface ArrayWire {
  readonly $: 'array'
  /** number of the shared buffer */
  readonly id: number
  readonly type: ArrayName
  readonly offset: number
  /** elements; of an `ArrayBuffer` bytes */
  readonly length: number
}

/** Names of the types of arrays that are shared, with what they are called in references. `Uint8Array`s are bytes. */
export const arrayTypes = {
  Float64Array: 'float64',
  Float32Array: 'float32',
  Float16Array: 'float16',
  Int32Array: 'int32',
  Uint32Array: 'uint32',
  Int16Array: 'int16',
  Uint16Array: 'uint16',
  Int8Array: 'int8',
  Uint8ClampedArray: 'uint8clamped',
  BigInt64Array: 'int64',
  BigUint64Array: 'uint64',
  ArrayBuffer: 'bytes',
} as const

export type ArrayName = keyof typeof arrayTypes

const elementBytes: Readonly<Record<ArrayName, number>> = {
  Float64Array: 8,
  Float32Array: 4,
  Float16Array: 2,
  Int32Array: 4,
  Uint32Array: 4,
  Int16Array: 2,
  Uint16Array: 2,
  Int8Array: 1,
  Uint8ClampedArray: 1,
  BigInt64Array: 8,
  BigUint64Array: 8,
  ArrayBuffer: 1,
}

export const bytesOf = ({ type, length }: Pick<ArrayWire, 'type' | 'length'>): number =>
  elementBytes[type] * length

/** bytes from this size on do not go through text */
const partSize = 32 * 1024
const maxDepth = 200

/** Large bytes that travel beside the text. */
export type Parts = Uint8Array[]

/** `special`: what stands for a value that is not for the codec; undefined for all others. @throws ALM_VALUE_REFUSED */
export function pack(
  value: unknown,
  parts: Parts,
  special: (value: object, path: Path) => unknown,
  path: Path = [],
): unknown {
  if (typeof value !== 'object' || value === null) return isPlain(value) ? value : toWire(value, path)
  if (path.length > maxDepth)
    throw refused(path, `it is nested more than ${maxDepth} deep, or contains itself`)
  if (Array.isArray(value)) {
    const items: unknown[] = new Array(value.length)
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i]
      items[i] = isPlain(item) ? item : pack(item, parts, special, [...path, i])
    }
    return items
  }
  const own = special(value, path)
  if (own !== undefined) return own
  // a copy: parts wait, and what lies there may be written anew meanwhile (`slice` of a Buffer would copy nothing)
  if (value instanceof Uint8Array && value.length >= partSize)
    return { $: 'part', i: parts.push(new Uint8Array(value)) - 1 }
  if (value instanceof UrlRef && value.at !== undefined)
    return { $: 'at', at: value.at, v: toWire(value, path) }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return toWire(value, path)
  const fields: Record<string, unknown> = Object.create(null)
  for (const key of Object.keys(value)) {
    fields[key] = pack((value as Record<string, unknown>)[key], parts, special, [...path, key])
  }
  return '$' in fields ? { $: 'object', v: fields } : fields
}

/** How what was packed is made a value again. */
export interface Unpacking {
  readonly parts: readonly Uint8Array[]
  readonly array: (wire: ArrayWire, path: Path) => Value
  /** of a file, a directory and whatever else is of the codec's */
  readonly other: (value: Value) => Value
}

/** @throws ALM_VALUE_REFUSED */
export function unpack(wire: unknown, how: Unpacking, path: Path = []): Value {
  if (typeof wire !== 'object' || wire === null) return wire as Value
  if (path.length > maxDepth) throw refused(path, 'it is nested too deep')
  if (Array.isArray(wire)) {
    const items: Value[] = new Array(wire.length)
    for (let i = 0; i < wire.length; i++) {
      const item: unknown = wire[i]
      items[i] = isPlain(item) ? (item as Value) : unpack(item, how, [...path, i])
    }
    return items
  }
  const fields = wire as Record<string, unknown>
  switch (fields['$']) {
    case undefined:
      return unpackFields(fields, how, path)
    case 'object':
      return unpackFields(fields['v'] as Record<string, unknown>, how, path)
    case 'array':
      return how.array(wire as ArrayWire, path)
    case 'part': {
      const part = how.parts[fields['i'] as number]
      if (!(part instanceof Uint8Array)) throw refused(path, 'its bytes did not come')
      return part
    }
    case 'at': {
      const { place, size, version, pinned, object } = fromWire(fields['v']) as UrlRef
      return how.other(new UrlRef(place, size, version, pinned, object, String(fields['at'])))
    }
    default:
      return how.other(fromWire(wire, path))
  }
}

function unpackFields(fields: Record<string, unknown>, how: Unpacking, path: Path): Value {
  const value: Record<string, Value> = {}
  for (const key of Object.keys(fields)) {
    setOwnField(value, key, unpack(fields[key], how, [...path, key]))
  }
  return value
}

/** What JSON has as it is. */
const isPlain = (value: unknown): boolean =>
  typeof value === 'number'
    ? Number.isFinite(value) && !Object.is(value, -0)
    : typeof value === 'string' || typeof value === 'boolean' || value === null

const refused = (path: Path, why: string): AlmanacError =>
  new AlmanacError('ALM_VALUE_REFUSED', { path: pathText(path), why })
