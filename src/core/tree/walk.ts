import type { Digest } from '../../model/refs.ts'
import type { TreeEntry } from '../../model/tree.ts'
import type { Entry, Listing, Node } from './listing.ts'
import { emptyListing, isIndex } from './listing.ts'
import { checkReach, compareNames } from './name.ts'
import type { Finding, Reading } from './reading.ts'

/** All files and empty directories below a root, in order. */
export function* walk(root: Digest): Finding<TreeEntry> {
  yield* walkListing('', yield root)
}

function* walkListing(prefix: string, listing: Listing): Finding<TreeEntry> {
  checkReach(prefix)
  if (isIndex(listing)) {
    for (const node of listing.nodes) yield* walkListing(prefix, yield node.digest)
    return
  }
  for (const entry of listing.entries) {
    const path = prefix + entry.name
    const below = entry.kind === 'dir' ? yield entry.digest : undefined
    const own = ownEntry(path, entry, below)
    if (own !== undefined) yield own
    else yield* walkListing(`${path}/`, below as Listing)
  }
}

/** An entry as one of the whole tree; undefined for a directory that holds something. */
export function ownEntry(
  path: string,
  entry: Entry | undefined,
  below: Listing | undefined,
): TreeEntry | undefined {
  if (entry === undefined) return undefined
  if (entry.kind === 'file') {
    return { path, kind: 'file', digest: entry.digest, size: entry.size, executable: entry.executable }
  }
  if (!isEmpty(below)) return undefined
  return { path, kind: 'empty-dir', digest: entry.digest, size: 0, executable: false }
}

/** Is nothing listed, not even a directory? */
export const isEmpty = (listing: Listing | undefined): boolean =>
  listing !== undefined && !isIndex(listing) && listing.entries.length === 0

/** What lies at a path. Reads one way down. */
export function* entryAt(root: Digest, names: readonly string[]): Reading<Entry | undefined> {
  let at: Entry | undefined
  for (const [depth, name] of names.entries()) {
    if (depth > 0 && at?.kind !== 'dir') return undefined
    at = yield* entryNamed(yield at === undefined ? root : at.digest, name)
  }
  return at
}

/** One name of a directory. */
export function* entryNamed(listing: Listing, name: string): Reading<Entry | undefined> {
  let part = listing
  while (isIndex(part)) {
    const node = atOrAfter(part.nodes, name, (one) => one.last)
    if (node === undefined) return undefined
    part = yield node.digest
  }
  const entry = atOrAfter(part.entries, name, (one) => one.name)
  return entry?.name === name ? entry : undefined
}

/**
 * A place in the names of one directory. It stands before a part of a large listing or before an entry,
 * so that parts that need not be read are stepped over whole.
 */
export class Cursor {
  readonly #stack: { readonly items: readonly (Entry | Node)[]; next: number }[] = []

  constructor(listing: Listing = emptyListing) {
    this.#enter(listing)
  }

  /** What it stands before; undefined at the end. */
  get current(): Entry | Node | undefined {
    const top = this.#stack.at(-1)
    return top?.items[top.next]
  }

  step(): void {
    const top = this.#stack.at(-1)
    if (top === undefined) return
    top.next++
    this.#leave()
  }

  /** Goes into the part that it stands before. */
  enter(listing: Listing): void {
    const top = this.#stack.at(-1)
    if (top !== undefined) top.next++
    this.#enter(listing)
  }

  #enter(listing: Listing): void {
    this.#stack.push({ items: isIndex(listing) ? listing.nodes : listing.entries, next: 0 })
    this.#leave()
  }

  #leave(): void {
    for (
      let top = this.#stack.at(-1);
      top !== undefined && top.next === top.items.length;
      top = this.#stack.at(-1)
    ) {
      this.#stack.pop()
    }
  }
}

function atOrAfter<T>(items: readonly T[], name: string, nameOf: (item: T) => string): T | undefined {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareNames(nameOf(items[middle] as T), name) < 0) low = middle + 1
    else high = middle
  }
  return items[low]
}
