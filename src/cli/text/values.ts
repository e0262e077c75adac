import { pathText } from '../../model/codec.ts'
import { DirRef, FileRef, FutureRef, HeldRef, UrlRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { isPlainObject } from '../../util/plain-object.ts'
import { shownName } from '../output/printable.ts'
import { sizeText } from './format.ts'
import { relativePath } from './paths.ts'

/** Deeper values are not looked into: nobody reads them on a line. */
const maxDepth = 6

/**
 * A value as people read it: `{n: 1, page: report.md}`; files and directories as their paths or names, and futures as
 * the calls behind them. Bounded work for any value; never longer than `length`.
 */
export const valueText = (value: Value, length: number): string =>
  cut(spell(value, { room: length }, 0), length)

/** The same with what files and directories are known by: size and the first characters of the digest. */
export const fullText = (value: Value, length: number): string =>
  cut(spell(value, { room: length, full: true }, 0), length)

/** Arguments of a call: positions as a list without brackets, names as `name=value`. */
export function inputText(args: Value, length: number, full = false): string {
  const how = { room: length, full }
  if (!isPlainObject(args)) return args === undefined ? '' : cut(spell(args, how, 0), length)
  const { args: positions, ...named } = args
  // documents that a function declares
  const { context, ...others } = named
  const isFunction = Array.isArray(positions) && Object.keys(others).length === 0
  const fields = Object.entries(isFunction ? { ...(context as object | undefined) } : args)
  const text = [
    ...(isFunction ? [positions.map((item: Value) => spell(item, how, 1)).join(', ')] : []),
    ...fields.map(([name, field]) => `${name}=${spell(field as Value, how, 1)}`),
  ]
    .filter((part) => part !== '')
    .join(' ')
  return cut(text, length)
}

/** A map is called with what it goes over, and what each entry gets besides. */
export function mapInputText(args: Value, length: number): string {
  if (!isPlainObject(args) || !Object.hasOwn(args, 'over')) return inputText(args, length, true)
  const { over, with: besides } = args
  const more = besides === undefined ? '' : inputText(besides, length, true)
  const text = `over ${spell(over, { room: length, full: true }, 1)}${more === '' ? '' : ` with ${more}`}`
  return cut(text, length)
}

const cut = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`

interface How {
  readonly room: number
  /** with sizes and digests */
  readonly full?: boolean
}

function spell(value: Value, how: How, depth: number): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > how.room ? value.slice(0, how.room) : value)
    case 'object':
      return value === null ? 'null' : spellObject(value, how, depth)
    default:
      return String(value)
  }
}

function spellObject(value: object, how: How, depth: number): string {
  const special = spellSpecial(value, how.full === true)
  if (special !== undefined) return special
  if (depth > maxDepth) return '…'
  const parts: string[] = []
  let used = 0
  const isList = Array.isArray(value)
  for (const [name, field] of Object.entries(value)) {
    const part = spell(field as Value, how, depth + 1)
    parts.push(isList ? part : `${/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name)}: ${part}`)
    used += part.length + 2
    if (used > how.room) break
  }
  return isList ? `[${parts.join(', ')}]` : `{${parts.join(', ')}}`
}

function spellSpecial(value: object, full: boolean): string | undefined {
  if (value instanceof FileRef) {
    const name = shownName(value.at === undefined ? value.name : relativePath(value.at))
    return full ? `${name} (${sizeText(value.size)}, ${value.digest.slice(0, 12)})` : name
  }
  if (value instanceof DirRef) {
    const files = `${value.entries} ${value.entries === 1 ? 'file' : 'files'}`
    const what = full
      ? `(${files}, ${sizeText(value.size)}, ${value.digest.slice(0, 12)})`
      : `(${files}, ${sizeText(value.size)})`
    if (value.at !== undefined) {
      const name = shownName(relativePath(value.at))
      return full ? `${name} ${what}` : name
    }
    return `directory ${what}`
  }
  if (value instanceof UrlRef)
    return full ? `${value.place} (${sizeText(value.size)}, ${value.version ?? 'immutable'})` : value.place
  if (value instanceof HeldRef)
    return full ? `${value.type} (${sizeText(value.size)}, in memory)` : value.type
  if (value instanceof FutureRef)
    return `call ${value.call}${value.path.length === 0 ? '' : ` ${pathText(value.path)}`}`
  if (value instanceof Date) return value.toISOString()
  return value instanceof Uint8Array ? `${value.length} bytes` : undefined
}
