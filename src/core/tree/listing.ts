import { AlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import { compareNames, nameFault } from './name.ts'

/**
 * A listing: one directory, or a part of a large one, as the text whose SHA-256 is its digest.
 *
 *   almanac-tree 1                                  header of a leaf
 *   f <digest> <bytes> <name>                       a file
 *   x <digest> <bytes> <name>                       an executable file
 *   d <digest> <bytes> <files> <name>               a directory: all bytes and files below it
 *
 *   almanac-tree 1 index <level>                    header of an index, level 1 over leaves, 2 over those, …
 *   n <digest> <bytes> <files> <entries> <last>     a listing one level down, with the last name in it
 *
 * Every line ends with a newline. In names `\` is written `\\` and a newline `\n`; all else stands as it is.
 *
 * L1 names ascend by their UTF-8 bytes, none twice.
 * L2 the same entries give the same text, whatever the order of edits that led to them (see `chunk.ts`).
 */
export type Listing = Leaf | Index

export interface Leaf {
  readonly level: 0
  readonly entries: readonly Entry[]
}

export interface Index {
  readonly level: number
  readonly nodes: readonly Node[]
}

/** One name in a directory. */
export interface Entry {
  readonly name: string
  readonly kind: 'file' | 'dir'
  readonly executable: boolean
  readonly digest: Digest
  /** bytes of the file, or of all files below the directory */
  readonly size: number
  /** files at and below it: 1 for a file */
  readonly files: number
}

/** A listing that is a part of another. */
export interface Node {
  readonly digest: Digest
  /** its own: one less than that of the index that names it */
  readonly level: number
  readonly size: number
  readonly files: number
  readonly entries: number
  readonly last: string
}

/** What is known of a directory without reading it. */
export interface Totals {
  readonly size: number
  readonly files: number
  /** names in the directory itself */
  readonly entries: number
}

/** First bytes of every listing. */
export const listingHeader = 'almanac-tree 1'

export const emptyListing: Leaf = { level: 0, entries: [] }

export const isIndex = (listing: Listing): listing is Index => listing.level > 0

export const sameEntry = (a: Entry, b: Entry): boolean =>
  a.digest === b.digest && a.kind === b.kind && a.executable === b.executable

export function leafText(entries: readonly Entry[]): string {
  let text = `${listingHeader}\n`
  for (const entry of entries) {
    text +=
      entry.kind === 'dir'
        ? `d ${entry.digest} ${entry.size} ${entry.files} ${escapeName(entry.name)}\n`
        : `${entry.executable ? 'x' : 'f'} ${entry.digest} ${entry.size} ${escapeName(entry.name)}\n`
  }
  return text
}

export function indexText(level: number, nodes: readonly Node[]): string {
  let text = `${listingHeader} index ${level}\n`
  for (const node of nodes) {
    text += `n ${node.digest} ${node.size} ${node.files} ${node.entries} ${escapeName(node.last)}\n`
  }
  return text
}

export function totals(listing: Listing): Totals {
  let size = 0
  let files = 0
  let entries = 0
  if (isIndex(listing)) {
    for (const node of listing.nodes) {
      size += node.size
      files += node.files
      entries += node.entries
    }
    return { size, files, entries }
  }
  for (const entry of listing.entries) {
    size += entry.size
    files += entry.files
    entries++
  }
  return { size, files, entries }
}

/** @throws ALM_BLOB_DAMAGED where the text is not of the form above */
export function parseListing(digest: Digest, text: string): Listing {
  const fail: Fail = (why) => {
    throw new AlmanacError('ALM_BLOB_DAMAGED', { digest, why: `it is no listing of a directory: ${why}` })
  }
  const end = text.indexOf('\n')
  const header = text.slice(0, end)
  if (end < 0 || !text.endsWith('\n')) fail('it is cut off')
  const lines = end + 1 === text.length ? [] : text.slice(end + 1, -1).split('\n')
  if (header === listingHeader)
    return {
      level: 0,
      entries: ascending(
        lines.map((line) => parseEntry(line, fail)),
        entryName,
        fail,
      ),
    }
  const level = /^almanac-tree 1 index ([1-9]\d?)$/.exec(header)?.[1]
  if (level === undefined) return fail('its first line is unknown')
  if (lines.length === 0) fail('its index is empty')
  const nodes = lines.map((line) => parseNode(line, Number(level) - 1, fail))
  return { level: Number(level), nodes: ascending(nodes, nodeName, fail) }
}

const entryName = (entry: Entry): string => entry.name
const nodeName = (node: Node): string => node.last

type Fail = (why: string) => never

function ascending<T>(items: T[], nameOf: (item: T) => string, fail: Fail): readonly T[] {
  for (let i = 1; i < items.length; i++) {
    if (compareNames(nameOf(items[i - 1] as T), nameOf(items[i] as T)) >= 0)
      fail('its names are not in order')
  }
  return items
}

function parseEntry(line: string, fail: Fail): Entry {
  const letter = line.charAt(0)
  if (letter !== 'f' && letter !== 'x' && letter !== 'd') fail(`an entry begins with "${letter}"`)
  const digest = parseDigest(line, fail)
  const sizeEnd = line.indexOf(' ', digestEnd + 1)
  const size = parseCount(line.slice(digestEnd + 1, sizeEnd), fail)
  if (letter !== 'd') {
    const name = parseName(line.slice(sizeEnd + 1), fail)
    return { name, kind: 'file', executable: letter === 'x', digest, size, files: 1 }
  }
  const filesEnd = line.indexOf(' ', sizeEnd + 1)
  const files = parseCount(line.slice(sizeEnd + 1, filesEnd), fail)
  return {
    name: parseName(line.slice(filesEnd + 1), fail),
    kind: 'dir',
    executable: false,
    digest,
    size,
    files,
  }
}

function parseNode(line: string, level: number, fail: Fail): Node {
  if (line.charAt(0) !== 'n') fail('a line of its index is no part')
  const digest = parseDigest(line, fail)
  const [size, files, entries] = line.slice(digestEnd + 1).split(' ', 3)
  const head = digestEnd + 1 + `${size} ${files} ${entries} `.length
  const counts = {
    size: parseCount(size, fail),
    files: parseCount(files, fail),
    entries: parseCount(entries, fail),
  }
  return { digest, level, ...counts, last: parseName(line.slice(head), fail) }
}

/** a letter, a space, the digest */
const digestEnd = 66

function parseDigest(line: string, fail: Fail): Digest {
  const digest = line.slice(2, digestEnd)
  if (line.charAt(1) !== ' ' || line.charAt(digestEnd) !== ' ' || !/^[0-9a-f]{64}$/.test(digest))
    fail('a digest is none')
  return digest
}

function parseCount(text: string | undefined, fail: Fail): number {
  const count = Number(text)
  if (text === undefined || !/^(0|[1-9]\d*)$/.test(text) || !Number.isSafeInteger(count))
    fail('a count is none')
  return count
}

function parseName(text: string, fail: Fail): string {
  const name = text.includes('\\') ? unescapeName(text, fail) : text
  const fault = nameFault(name)
  if (fault !== undefined) fail(fault)
  return name
}

const escapeName = (name: string): string =>
  name.includes('\\') || name.includes('\n') ? name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n') : name

function unescapeName(text: string, fail: Fail): string {
  return text.replace(/\\(.?)/gs, (_, letter: string) => {
    if (letter !== '\\' && letter !== 'n') fail('a name has an unknown escape')
    return letter === 'n' ? '\n' : letter
  })
}
