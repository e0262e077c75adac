import { pathText } from '../model/codec.ts'
import { AlmanacError } from '../model/errors.ts'
import type { Path } from '../model/path.ts'
import { isRef } from '../model/refs.ts'
import type { Value } from '../model/value.ts'
import { copyOfScalar } from '../model/value-refs.ts'
import { setOwnField } from '../util/own-field.ts'
import { currentCaller } from './ambient.ts'
import { refOf, targetOf } from './future-target.ts'

const maxDepth = 200

/**
 * Arguments as they are kept: futures become references, plain objects, arrays, dates and bytes are copied, so that what
 * the author changes later does not count. Futures inside a Map, a Set or an instance of a class are refused with
 * their path, as nothing would see that edge.
 */
export function toArgs(value: unknown): Value {
  return convert(value, [], 0)
}

function convert(value: unknown, path: Path, depth: number): Value {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return scalar(value, path)
  const target = targetOf(value)
  if (target !== undefined) {
    const run = currentCaller()?.run
    if (run !== undefined && run !== target.caller.run)
      throw new AlmanacError('ALM_FUTURE_FOREIGN', { task: target.name })
    return refOf(target)
  }
  if (typeof value === 'function') throw refused(path, 'it is a function')
  if (isRef(value)) return value
  const own = copyOfScalar(value)
  if (own !== undefined) return own
  if (depth > maxDepth) throw refused(path, `it is nested more than ${maxDepth} deep, or contains itself`)
  if (Array.isArray(value)) {
    // most are scalars, which need no path
    return value.map((item, i) => (isScalar(item) ? item : convert(item, [...path, i], depth + 1)))
  }
  if (value instanceof Promise)
    throw refused(path, 'it is a promise, and only futures of Almanac are remembered')
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null)
    throw refused(path, `it is an instance of ${className(value)}`)
  const copy: Record<string, Value> = {}
  for (const key of Object.keys(value)) {
    const item = (value as Record<string, unknown>)[key]
    const field = isScalar(item) ? item : convert(item, [...path, key], depth + 1)
    setOwnField(copy, key, field)
  }
  return copy
}

const isScalar = (value: unknown): value is Value =>
  value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')

function scalar(value: unknown, path: Path): Value {
  if (typeof value === 'symbol') throw refused(path, 'it is a symbol')
  return value as Value
}

const refused = (path: Path, why: string) =>
  new AlmanacError('ALM_VALUE_REFUSED', { path: pathText(path), why })

const className = (value: object): string =>
  (typeof value.constructor === 'function' && value.constructor.name) || 'a class'
