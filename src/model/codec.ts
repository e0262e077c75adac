import { fromBase64, toBase64 } from '../util/base64.ts'
import { setOwnField } from '../util/own-field.ts'
import { AlmanacError } from './errors.ts'
import { dateOf } from './instant.ts'
import { joinPaths, type Path } from './path.ts'
import { DirRef, FileRef, FutureRef, HeldRef, SpilledRef, type UrlObject, UrlRef } from './refs.ts'
import type { Value } from './value.ts'

/**
 * Values as JSON text, both ways, nothing folded: the form of the journal and of the wire to workers.
 * What JSON lacks stands in an object with a key `$` that names its kind; a plain object that has a key `$`
 * of its own is wrapped in one. `decode` treats its text as hostile.
 *
 *   NaN, ±Infinity, -0   {"$":"number","v":"NaN"}
 *   undefined            {"$":"undefined"}
 *   bigint               {"$":"bigint","v":"12"}
 *   Date                 {"$":"date","v":"2026-01-01T00:00:00.000Z"}, with six digits where there are microseconds
 *   bytes                {"$":"bytes","v":"<base64>"}
 *   file                 {"$":"file","name":…,"digest":…,"size":…,"executable":true?,"at":…?}
 *   directory            {"$":"dir","digest":…,"entries":…,"size":…,"at":…?}
 *   file at a URL        {"$":"url","place":…,"size":…,"version":…?,"pinned":true?,"object":{"bucket":…,"key":…}?}
 *   held in a worker     {"$":"held","key":…,"path":[…],"type":…,"size":…,"holder":…,"handle":…,"copy":{…}?}
 *   future               {"$":"future","call":3,"path":["refs"]}
 *   kept as a blob       {"$":"spilled","digest":…,"size":…,"plain":"text"|"object"?}, only as the whole of what the journal keeps of a value
 *   object with `$`      {"$":"object","v":{…}}
 */

/** Deeper values are refused: a stack overflow would be no error message. */
const maxDepth = 200

/** @throws ALM_VALUE_REFUSED with the path of what cannot be kept */
export const encode = (value: Value): string => plainText(value) ?? JSON.stringify(toWire(value, [], 0))

/**
 * The text of a value that JSON says exactly, with the fields of its objects in order: the same in the journal, in a
 * key and in a fingerprint. Undefined of all others, and of what holds a reference. Most values are plain.
 */
export function plainText(value: unknown): string | undefined {
  const positions = positionsText(value)
  if (positions !== undefined) return positions
  if (!isPlain(value, 0)) return undefined
  return typeof value === 'number' ? String(value) : JSON.stringify(value)
}

/** The same of what most calls are given, a few scalars by position: put together by hand, as there may be a million. */
function positionsText(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { args } = value as { readonly args?: unknown }
  if (!Array.isArray(args) || args.length > mostPositions) return undefined
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined
  for (const name in value) if (name !== 'args') return undefined
  let text = ''
  for (let i = 0; i < args.length; i++) {
    const item: unknown = args[i]
    if (!isPlainScalar(item)) return undefined
    text += `${i === 0 ? '' : ','}${typeof item === 'string' ? JSON.stringify(item) : String(item)}`
  }
  return `{"args":[${text}]}`
}

const mostPositions = 8

/** Has the value a plain text? */
export const isPlainValue = (value: unknown): boolean => isPlain(value, 0)

/** The same of a scalar. */
export const isPlainScalar = (value: unknown): boolean =>
  (typeof value !== 'object' || value === null) && isPlain(value, 0)

function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'object':
      if (value === null) return true
      if (depth > maxDepth) return false
      return Array.isArray(value) ? areItemsPlain(value, depth + 1) : areFieldsPlain(value, depth + 1)
    default:
      return false
  }
}

function areItemsPlain(items: readonly unknown[], depth: number): boolean {
  // by index: holes are no nulls
  for (let i = 0; i < items.length; i++) if (!isPlain(items[i], depth)) return false
  return true
}

function areFieldsPlain(value: object, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  let before = ''
  // no list of them is made, as this is asked for each of very many
  for (const key in value)
    if (key >= before && key !== '$' && isPlain((value as Record<string, unknown>)[key], depth)) before = key
    else return false
  return true
}

/** The JSON structure that `encode` writes, for callers that put it into a larger message. */
export function toWire(value: unknown, path: Path = [], depth = 0): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $: 'number', v: Object.is(value, -0) ? '-0' : String(value) }
    case 'undefined':
      return { $: 'undefined' }
    case 'bigint':
      return { $: 'bigint', v: value.toString() }
    case 'object':
      return value === null ? null : objectToWire(value, path, depth)
    default:
      throw refused(path, `a ${typeof value}`)
  }
}

function objectToWire(value: object, path: Path, depth: number): unknown {
  if (depth > maxDepth) throw refused(path, `it is nested more than ${maxDepth} deep, or contains itself`)
  if (Array.isArray(value)) {
    const items: unknown[] = new Array(value.length)
    for (let i = 0; i < value.length; i++) items[i] = toWire(value[i], [...path, i], depth + 1)
    return items
  }
  const special = specialToWire(value, path)
  if (special !== undefined) return special
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    throw refused(path, `it is an instance of ${constructorName(value)}`)
  }
  const fields: Record<string, unknown> = Object.create(null)
  for (const key of Object.keys(value)) {
    fields[key] = toWire((value as Record<string, unknown>)[key], [...path, key], depth + 1)
  }
  return '$' in fields ? { $: 'object', v: fields } : fields
}

function specialToWire(value: object, path: Path): unknown {
  if (value instanceof SpilledRef) {
    const { digest, size, plain } = value
    return { $: 'spilled', digest, size, ...(plain !== undefined && { plain }) }
  }
  if (value instanceof FileRef) {
    const { name, digest, size, executable, at } = value
    return {
      $: 'file',
      name,
      digest,
      size,
      ...(executable && { executable }),
      ...(at !== undefined && { at }),
    }
  }
  if (value instanceof DirRef) {
    const { digest, entries, size, at } = value
    return { $: 'dir', digest, entries, size, ...(at !== undefined && { at }) }
  }
  if (value instanceof UrlRef) {
    // not where a task reads it: that may be signed
    const { place, size, version, pinned, object } = value
    return {
      $: 'url',
      place,
      size,
      ...(version !== undefined && { version }),
      ...(pinned && { pinned }),
      ...(object !== undefined && { object }),
    }
  }
  if (value instanceof HeldRef) {
    const { copy, ...held } = value
    return { $: 'held', ...held, ...(copy !== undefined && { copy }) }
  }
  if (value instanceof FutureRef) return { $: 'future', call: value.call, path: value.path }
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw refused(path, 'it is an invalid date')
    return { $: 'date', v: value.toISOString() }
  }
  if (value instanceof Uint8Array) return { $: 'bytes', v: toBase64(value) }
  return undefined
}

/** @throws ALM_VALUE_REFUSED if the text is not of the form above */
export function decode(text: string): Value {
  let wire: unknown
  try {
    wire = JSON.parse(text)
  } catch (error) {
    throw refused([], `it is not JSON: ${(error as Error).message}`)
  }
  return spilledFromWire(wire) ?? fromWire(wire)
}

function spilledFromWire(wire: unknown): SpilledRef | undefined {
  if (typeof wire !== 'object' || wire === null || !('$' in wire) || wire.$ !== 'spilled') return undefined
  const blob = copyOf(wire, [])
  const plain = 'plain' in wire ? wire.plain : undefined
  return (
    blob && new SpilledRef(blob.digest, blob.size, plain === 'text' || plain === 'object' ? plain : undefined)
  )
}

export function fromWire(wire: unknown, path: Path = [], depth = 0): Value {
  if (wire === null || typeof wire !== 'object') return wire as Value
  if (depth > maxDepth * 2) throw refused(path, 'it is nested too deep')
  if (Array.isArray(wire)) return wire.map((item, i) => fromWire(item, [...path, i], depth + 1))
  const fields = wire as Record<string, unknown>
  if (Object.hasOwn(fields, '$')) return specialFromWire(fields, path, depth)
  return fieldsFromWire(fields, path, depth)
}

function fieldsFromWire(fields: Record<string, unknown>, path: Path, depth: number): Value {
  const value: Record<string, Value> = {}
  for (const key of Object.keys(fields)) {
    setOwnField(value, key, fromWire(fields[key], [...path, key], depth + 1))
  }
  return value
}

function specialFromWire(fields: Record<string, unknown>, path: Path, depth: number): Value {
  const text = (name: string): string => {
    const field = fields[name]
    if (typeof field !== 'string') throw refused(path, `${name} is no text`)
    return field
  }
  const count = (name: string): number => {
    const field = fields[name]
    if (typeof field !== 'number' || !Number.isSafeInteger(field) || field < 0)
      throw refused(path, `${name} is no count`)
    return field
  }
  const digest = (): string => {
    const field = text('digest')
    if (!/^[0-9a-f]{64}$/.test(field)) throw refused(path, 'digest is no SHA-256')
    return field
  }
  const at = (): string | undefined => (fields['at'] === undefined ? undefined : text('at'))
  switch (fields['$']) {
    case 'number':
      return specialNumber(text('v'), path)
    case 'undefined':
      return undefined
    case 'bigint': {
      if (!/^-?\d+$/.test(text('v'))) throw refused(path, 'it is no integer')
      return BigInt(text('v'))
    }
    case 'date': {
      const date = dateOf(text('v'))
      if (Number.isNaN(date.getTime())) throw refused(path, 'it is no date')
      return date
    }
    case 'bytes': {
      const bytes = fromBase64(text('v'))
      if (bytes === undefined) throw refused(path, 'it is no base64')
      return bytes
    }
    case 'file':
      return new FileRef(text('name'), digest(), count('size'), fields['executable'] === true, at())
    case 'dir':
      return new DirRef(digest(), count('entries'), count('size'), at())
    case 'url': {
      const version = fields['version'] === undefined ? undefined : text('version')
      const object = objectOf(fields['object'], path)
      return new UrlRef(text('place'), count('size'), version, fields['pinned'] === true, object)
    }
    case 'held':
      return new HeldRef(
        text('key'),
        steps(fields['path'], path),
        text('type'),
        count('size'),
        text('holder'),
        count('handle'),
        copyOf(fields['copy'], path),
      )
    case 'future':
      return new FutureRef(count('call'), steps(fields['path'], path))
    case 'object': {
      const inner = fields['v']
      if (inner === null || typeof inner !== 'object' || Array.isArray(inner))
        throw refused(path, 'it is no object')
      return fieldsFromWire(inner as Record<string, unknown>, path, depth + 1)
    }
    default:
      throw refused(path, `its kind ${JSON.stringify(fields['$'])} is unknown`)
  }
}

/** Which object of a bucket it is. */
function objectOf(value: unknown, path: Path): UrlObject | undefined {
  if (value === undefined) return undefined
  const { bucket, key, endpoint, region, pathStyle, anonymous } = (value ?? {}) as Record<string, unknown>
  const texts = [endpoint, region].every((one) => one === undefined || typeof one === 'string')
  const flags = [pathStyle, anonymous].every((one) => one === undefined || typeof one === 'boolean')
  if (typeof bucket !== 'string' || typeof key !== 'string' || !texts || !flags)
    throw refused(path, 'object is no object of a bucket')
  const given = { bucket, key, endpoint, region, pathStyle, anonymous }
  return Object.fromEntries(
    Object.entries(given).filter(([, one]) => one !== undefined),
  ) as unknown as UrlObject
}

/** Where a held value is kept besides. */
function copyOf(value: unknown, path: Path): HeldRef['copy'] {
  if (value === undefined) return undefined
  const { digest, size } = (value ?? {}) as Record<string, unknown>
  if (typeof digest !== 'string' || !/^[0-9a-f]{64}$/.test(digest)) throw refused(path, 'copy has no SHA-256')
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw refused(path, 'copy has no size')
  return { digest, size }
}

function specialNumber(text: string, path: Path): number {
  if (text === '-0') return -0
  if (text === 'NaN' || text === 'Infinity' || text === '-Infinity') return Number(text)
  throw refused(path, 'it is no number')
}

function steps(value: unknown, path: Path): Path {
  if (!Array.isArray(value) || !value.every((step) => typeof step === 'string' || typeof step === 'number')) {
    throw refused(path, 'path is no path')
  }
  return joinPaths([], value)
}

const refused = (path: Path, why: string) =>
  new AlmanacError('ALM_VALUE_REFUSED', { path: pathText(path), why })

/** `a.b[3]`, or `(the value itself)`. */
export const pathText = (path: Path): string =>
  path.length > shownSteps
    ? `${stepsText(path.slice(0, shownSteps))}… (${path.length} deep)`
    : stepsText(path) || '(the value itself)'

const shownSteps = 20

const stepsText = (path: Path): string =>
  path.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('')

const constructorName = (value: object): string => {
  const made: unknown = value.constructor
  return typeof made === 'function' && made.name !== '' ? made.name : 'a class'
}
