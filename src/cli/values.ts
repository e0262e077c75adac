import { pathText } from '../model/codec.ts'
import { DirRef, FileRef, FutureRef, HeldRef } from '../model/refs.ts'
import type { Value } from '../model/value.ts'
import { relativePath } from './paths.ts'
import { sizeText } from './words.ts'

/** Deeper values are not looked into: nobody reads them on a line. */
const maxDepth = 6

/**
 * A value as people read it: JSON, but files and directories as their paths or names, and futures as the calls behind
 * them. Bounded work for any value; never longer than `length`.
 */
export function valueText(value: Value, length: number): string {
  const text = spell(value, length, 0)
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}

/** Arguments of a call: positions as a list without brackets, names as `name=value`. */
export function inputText(args: Value, length: number): string {
  if (!isPlain(args)) return args === undefined ? '' : valueText(args, length)
  const { args: positions } = args
  const fields = Object.entries(args)
  const text =
    fields.length === 1 && Array.isArray(positions)
      ? positions.map((item: Value) => spell(item, length, 1)).join(', ')
      : fields.map(([name, field]) => `${name}=${spell(field, length, 1)}`).join(' ')
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}

function spell(value: Value, room: number, depth: number): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > room ? value.slice(0, room) : value)
    case 'object':
      return value === null ? 'null' : spellObject(value, room, depth)
    default:
      return String(value)
  }
}

function spellObject(value: object, room: number, depth: number): string {
  if (value instanceof FileRef) return value.at === undefined ? value.name : relativePath(value.at)
  if (value instanceof DirRef)
    return value.at === undefined
      ? `${value.entries} files (${sizeText(value.size)})`
      : relativePath(value.at)
  if (value instanceof HeldRef) return value.type
  if (value instanceof FutureRef)
    return `call ${value.call}${value.path.length === 0 ? '' : ` ${pathText(value.path)}`}`
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (depth > maxDepth) return '…'
  const parts: string[] = []
  let used = 0
  const isList = Array.isArray(value)
  for (const [name, field] of Object.entries(value)) {
    const part = spell(field as Value, room, depth + 1)
    parts.push(isList ? part : `${JSON.stringify(name)}: ${part}`)
    used += part.length + 2
    if (used > room) break
  }
  return isList ? `[${parts.join(', ')}]` : `{${parts.join(', ')}}`
}

const isPlain = (value: Value): value is Record<string, Value> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
