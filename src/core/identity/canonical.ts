import { pathText, plainText } from '../../model/codec.ts'
import { AlmanacError } from '../../model/errors.ts'
import { microsOf } from '../../model/instant.ts'
import type { Path } from '../../model/path.ts'
import { DirRef, FileRef, FutureRef, HeldRef, UrlRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { toBase64 } from '../../util/base64.ts'

/**
 * The canonical text of a value: equal texts if and only if the values count as equal. `JSON.stringify` folds
 * NaN, -0, undefined, dates and key order; this does not, and every kind of value starts with its own character.
 *
 * Files count by base name and content, directories by their tree, held values by the call that made them;
 * none by where it lies, unless `location` says so. A file at a URL counts by its place, version and size.
 */
export interface CanonicalOptions {
  /** the text that stands for a future: of the key behind it, or of the value that became known */
  readonly future: (ref: FutureRef) => string
  /** where files and directories lie counts too */
  readonly location?: boolean
}

const maxDepth = 200

export const canonical = (value: Value, options: CanonicalOptions): string =>
  plainText(value) ?? text(value, options, [], 0)

function text(value: unknown, options: CanonicalOptions, path: Path, depth: number): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return numberText(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'undefined':
      return 'undefined'
    case 'bigint':
      return `b${value}`
    case 'object':
      return value === null ? 'null' : objectText(value, options, path, depth)
    default:
      throw new AlmanacError('ALM_VALUE_REFUSED', { path: pathText(path), why: `it is a ${typeof value}` })
  }
}

const numberText = (value: number): string => (Object.is(value, -0) ? '-0' : String(value))

function objectText(value: object, options: CanonicalOptions, path: Path, depth: number): string {
  if (depth > maxDepth) {
    throw new AlmanacError('ALM_VALUE_REFUSED', {
      path: pathText(path),
      why: 'it is nested too deep, or contains itself',
    })
  }
  if (Array.isArray(value)) {
    const items: string[] = new Array(value.length)
    for (let i = 0; i < value.length; i++) items[i] = text(value[i], options, path, depth + 1)
    return `[${items.join(',')}]`
  }
  if (value instanceof FutureRef) return options.future(value)
  if (value instanceof FileRef) {
    const at = options.location === true ? `@${JSON.stringify(value.at ?? '')}` : ''
    return `f${JSON.stringify(value.name)}${value.digest}${value.executable ? 'x' : ''}${at}`
  }
  if (value instanceof DirRef)
    return `d${value.digest}${options.location === true ? `@${JSON.stringify(value.at ?? '')}` : ''}`
  if (value instanceof UrlRef)
    return `u${JSON.stringify(value.place)}${JSON.stringify(value.version ?? null)}${value.size}`
  if (value instanceof HeldRef) return `h${value.key}${JSON.stringify(value.path)}`
  if (value instanceof Date) {
    const micros = microsOf(value)
    return micros === 0 ? `t${value.getTime()}` : `t${value.getTime()}+${micros}`
  }
  if (value instanceof Uint8Array) return `y${toBase64(value)}`
  const fields: string[] = []
  for (const key of Object.keys(value).sort()) {
    fields.push(
      `${JSON.stringify(key)}:${text((value as Record<string, unknown>)[key], options, [...path, key], depth + 1)}`,
    )
  }
  return `{${fields.join(',')}}`
}

/** The value at a path, or undefined where a step leads nowhere. Own properties only. */
export function valueAt(value: Value, path: Path): Value {
  let at: Value = value
  for (const step of path) {
    const here = stepIn(at, step)
    if (at === null || typeof at !== 'object' || !Object.hasOwn(at, here)) return undefined
    at = (at as Record<string | number, Value>)[here]
  }
  return at
}

/** Is there something at the end of the path, if only `undefined`? */
export function isAt(value: Value, path: Path): boolean {
  const last = path.at(-1)
  if (last === undefined) return true
  const parent = valueAt(value, path.slice(0, -1))
  return parent !== null && typeof parent === 'object' && Object.hasOwn(parent, stepIn(parent, last))
}

/** Python counts from the end of a list too: `[-1]`. */
const stepIn = (value: Value, step: string | number): string | number =>
  typeof step === 'number' && step < 0 && Array.isArray(value) ? value.length + step : step
