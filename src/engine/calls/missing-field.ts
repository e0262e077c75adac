import { isAt, valueAt } from '../../core/identity/canonical.ts'
import { pathText } from '../../model/codec.ts'
import type { Path } from '../../model/path.ts'
import { DirRef, FileRef, HeldRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'

/** Names that are listed of those that are there. */
const listed = 10

/** What of a result is not there, and what is there instead, for an error. */
export function missing(value: Value, path: Path): { readonly path: string; readonly has: string } {
  const length = path.findIndex((_, i) => !isAt(value, path.slice(0, i + 1)))
  const there = path.slice(0, length)
  return {
    path: pathText(path.slice(0, length + 1)),
    has: `${there.length === 0 ? 'it' : pathText(there)} ${described(valueAt(value, there))}`,
  }
}

function described(value: Value): string {
  if (value === null || value === undefined) return 'is nothing'
  if (typeof value !== 'object') return `is a ${typeof value === 'string' ? 'text' : typeof value}`
  if (Array.isArray(value)) return `is a list of ${value.length}`
  if (value instanceof HeldRef) return `is ${value.type} in a worker's memory`
  if (value instanceof FileRef) return `is the file ${value.name}`
  if (value instanceof DirRef) return 'is a directory'
  if (Object.getPrototypeOf(value) !== Object.prototype) return `is a ${value.constructor.name}`
  const names = Object.keys(value)
  const more = names.length > listed ? ` and ${names.length - listed} more` : ''
  return names.length === 0 ? 'is empty' : `has ${names.slice(0, listed).join(', ')}${more}`
}
