import { AlmanacError } from '../../model/errors.ts'

/** File systems refuse longer ones; counted in UTF-8 bytes. */
const maxNameBytes = 255

/** No system opens longer paths, and what is nested deeper would exhaust the stack. */
const maxPathLength = 4096
const maxDepth = 512

/** Why a text cannot be a name in a directory, or undefined where it can. */
export function nameFault(name: string): string | undefined {
  if (name === '') return 'a name is empty'
  if (name === '.' || name === '..') return `a name is "${name}"`
  if (name.includes('/')) return 'a name has a "/" in it'
  if (name.includes('\0')) return 'a name has a NUL in it'
  if (!name.isWellFormed()) return 'a name is not valid Unicode'
  if (utf8Length(name) > maxNameBytes) return `a name is longer than ${maxNameBytes} bytes`
  return undefined
}

/** The names of a path within a directory. @throws ALM_PATH_REFUSED */
export function namesOf(path: string): readonly string[] {
  checkReach(path)
  const names = path.split('/')
  for (const name of names) {
    const fault = nameFault(name)
    if (fault !== undefined) throw new AlmanacError('ALM_PATH_REFUSED', { path, why: fault })
  }
  return names
}

/** @throws ALM_PATH_REFUSED where a path is too long or too deep to be used */
export function checkReach(path: string): void {
  const why =
    path.length > maxPathLength
      ? `its path is longer than ${maxPathLength} characters`
      : path.length > maxDepth && path.split('/').length > maxDepth
        ? `it lies deeper than ${maxDepth} directories`
        : undefined
  if (why !== undefined) throw new AlmanacError('ALM_PATH_REFUSED', { path: `${path.slice(0, 80)}…`, why })
}

/** Order by UTF-8 bytes. JavaScript's own order is by UTF-16 units, which puts U+1F600 before U+FB01. */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return x >= 0xd800 && y >= 0xd800 ? rank(x) - rank(y) : x - y
  }
  return a.length - b.length
}

/** Order of `TreeEntry`s: like `compareNames`, with `/` before every other character. */
export function comparePaths(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    if (x === slash) return -1
    if (y === slash) return 1
    return x >= 0xd800 && y >= 0xd800 ? rank(x) - rank(y) : x - y
  }
  return a.length - b.length
}

const slash = 0x2f

/** Surrogates stand for characters above all others. */
const rank = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit + 0x2000)

function utf8Length(text: string): number {
  let length = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    // each half of a surrogate pair counts two of its four bytes
    length += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3
  }
  return length
}
