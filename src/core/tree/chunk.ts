import type { Hash } from '../../model/digest.ts'
import type { Digest } from '../../model/refs.ts'
import type { Entry, Index, Listing, Node, Totals } from './listing.ts'
import { indexText, isIndex, leafText, totals } from './listing.ts'
import { compareNames } from './name.ts'
import type { Reading } from './reading.ts'

/**
 * How the names of one directory are cut into listings.
 *
 * C1 up to `splitOver` entries are one leaf.
 * C2 more are cut after each name whose digest begins with `bits` zero bits; an index of level n after each name
 *    whose digest begins with (n + 1) × `bits` of them; an index of one part only is left out at the top.
 * C3 so the cuts depend on the names alone: a change rewrites the leaf it is in and the indexes above, and two
 *    versions share all other parts, by whichever edits they came about.
 */
export interface TreeMaker {
  readonly hash: Hash
  /** takes each listing that is part of the result; the same one may come twice */
  readonly write: (digest: Digest, text: string) => void
  /** for tests: the format's own if absent */
  readonly shape?: Shape
}

export interface Shape {
  readonly splitOver: number
  readonly bits: number
}

/**
 * 64 entries a leaf on average: of a million, some 40 KB are rewritten by a change (with 8 bits 100 KB), and a
 * whole version is 16 000 blobs. A part of the format: changing it changes the digest of every large directory.
 */
const format: Shape = { splitOver: 1024, bits: 6 }

/** Is a directory of so many names listed in one piece? */
export const isOneLeaf = (entries: number): boolean => entries <= format.splitOver

/** A directory as its parent lists it. */
export interface Made extends Totals {
  readonly digest: Digest
}

/** A change of one name: to an entry of that name, or to nothing. */
export interface NameChange {
  readonly name: string
  readonly entry: Entry | undefined
}

/** The listing of a directory. `entries` in order of name, none twice. */
export function makeListing(maker: TreeMaker, entries: readonly Entry[]): Made {
  const { splitOver } = maker.shape ?? format
  if (entries.length <= splitOver) return writeLeaf(maker, entries)
  const cutter = new Cutter(maker)
  for (const entry of entries) cutter.pushEntry(entry)
  let top = cutter.finish()
  for (let only = cutter.onlyPartOf(top); only !== undefined; only = cutter.onlyPartOf(top)) top = only
  return top
}

/** The listing with some names changed; reads and writes only what the changes touch. `changes` in order of name, none twice. */
export function* editListing(maker: TreeMaker, root: Digest, changes: readonly NameChange[]): Reading<Made> {
  const listing = yield root
  if (!isIndex(listing)) return makeListing(maker, merge(listing.entries, changes))
  const { splitOver } = maker.shape ?? format
  if (totals(listing).entries - changes.length <= splitOver) {
    return makeListing(maker, merge(yield* allEntries(listing), changes))
  }
  const cutter = new Cutter(maker)
  yield* editParts(cutter, listing, changes, 0, changes.length)
  let top = cutter.finish()
  while (top.level > 0) {
    const { nodes } = (yield top.digest) as Index
    if (nodes.length > 1) break
    top = nodes[0] as Node
  }
  return top
}

/** All entries of one directory, in order. */
function* allEntries(listing: Listing): Reading<Entry[]> {
  if (!isIndex(listing)) return [...listing.entries]
  const parts: Entry[][] = []
  for (const node of listing.nodes) parts.push(yield* allEntries(yield node.digest))
  return parts.flat()
}

function* editParts(
  cutter: Cutter,
  listing: Listing,
  changes: readonly NameChange[],
  from: number,
  to: number,
): Reading<void> {
  if (!isIndex(listing)) {
    for (const entry of merge(listing.entries, changes.slice(from, to))) cutter.pushEntry(entry)
    return
  }
  let start = from
  for (const [i, node] of listing.nodes.entries()) {
    let end = start
    // what comes after all names there goes to the last part
    if (i === listing.nodes.length - 1) end = to
    else while (end < to && compareNames((changes[end] as NameChange).name, node.last) <= 0) end++
    if (end === start) yield* pass(cutter, node)
    else yield* editParts(cutter, yield node.digest, changes, start, end)
    start = end
  }
}

/** A part without a change stays as it is, unless a cut before it has gone: then its names move up to the next cut. */
function* pass(cutter: Cutter, node: Node): Reading<void> {
  if (cutter.isAtCut(node.level)) return cutter.pushNode(node)
  const listing = yield node.digest
  if (isIndex(listing)) for (const part of listing.nodes) yield* pass(cutter, part)
  else for (const entry of listing.entries) cutter.pushEntry(entry)
}

function merge(entries: readonly Entry[], changes: readonly NameChange[]): Entry[] {
  const merged: Entry[] = []
  let at = 0
  for (const { name, entry } of changes) {
    while (at < entries.length && compareNames((entries[at] as Entry).name, name) < 0)
      merged.push(entries[at++] as Entry)
    if (at < entries.length && (entries[at] as Entry).name === name) at++
    if (entry !== undefined) merged.push(entry)
  }
  while (at < entries.length) merged.push(entries[at++] as Entry)
  return merged
}

/** Owns the open groups, one a level, while names are dealt out in order. */
class Cutter {
  readonly #maker: TreeMaker
  readonly #bits: number
  #entries: Entry[] = []
  /** `#nodes[n]`: parts of level n that wait for their index */
  readonly #nodes: Node[][] = []
  readonly #only = new Map<Digest, Node>()

  constructor(maker: TreeMaker) {
    this.#maker = maker
    this.#bits = (maker.shape ?? format).bits
  }

  pushEntry(entry: Entry): void {
    this.#entries.push(entry)
    if (this.#cutsAfter(entry.name) > 0) this.#closeLeaf()
  }

  pushNode(node: Node): void {
    const group = this.#group(node.level)
    group.push(node)
    if (this.#cutsAfter(node.last) > node.level + 1) this.#closeIndex(node.level)
  }

  /** Is nothing open that a part of this level would have to join? */
  isAtCut(level: number): boolean {
    return this.#entries.length === 0 && this.#nodes.slice(0, level).every((group) => group.length === 0)
  }

  /** Closes all groups; gives what is at the top. At least one entry must have been pushed. */
  finish(): Node {
    if (this.#entries.length > 0) this.#closeLeaf()
    for (let level = 0; ; level++) {
      const group = this.#group(level)
      if (group.length === 1 && this.#nodes.slice(level + 1).every((above) => above.length === 0))
        return group[0] as Node
      if (group.length > 0) this.#closeIndex(level)
    }
  }

  /** The one part of an index made here that has just one. */
  onlyPartOf(node: Node): Node | undefined {
    return this.#only.get(node.digest)
  }

  #closeLeaf(): void {
    const entries = this.#entries
    this.#entries = []
    this.pushNode({ ...writeLeaf(this.#maker, entries), level: 0, last: (entries.at(-1) as Entry).name })
  }

  #closeIndex(level: number): void {
    const nodes = this.#group(level)
    this.#nodes[level] = []
    const text = indexText(level + 1, nodes)
    const digest = this.#maker.hash(text)
    this.#maker.write(digest, text)
    if (nodes.length === 1) this.#only.set(digest, nodes[0] as Node)
    this.pushNode({
      digest,
      level: level + 1,
      ...totals({ level: level + 1, nodes }),
      last: (nodes.at(-1) as Node).last,
    })
  }

  #group(level: number): Node[] {
    while (this.#nodes.length <= level) this.#nodes.push([])
    return this.#nodes[level] as Node[]
  }

  /** The number of levels that are cut after this name. */
  #cutsAfter(name: string): number {
    return Math.floor(Math.clz32(Number.parseInt(this.#maker.hash(name).slice(0, 8), 16)) / this.#bits)
  }
}

function writeLeaf(maker: TreeMaker, entries: readonly Entry[]): Made {
  const text = leafText(entries)
  const digest = maker.hash(text)
  maker.write(digest, text)
  return { digest, ...totals({ level: 0, entries }) }
}
