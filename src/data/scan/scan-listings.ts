import type { Made, NameChange } from '../../core/tree/chunk.ts'
import { editListing, isOneLeaf, makeListing } from '../../core/tree/chunk.ts'
import type { Entry } from '../../core/tree/listing.ts'
import { sameEntry } from '../../core/tree/listing.ts'
import { compareNames } from '../../core/tree/name.ts'
import type { Listings } from '../blobs/listings.ts'
import { isExecutable } from '../files/read-file.ts'
import type { Scanned } from './scan-table.ts'
import { digestAt } from './scan-table.ts'
import type { Block } from './state-rows.ts'
import { isDirectoryMode, rowMode, rowSize, splitNames } from './state-rows.ts'

/** A directory whose digests are being found. */
export interface Draft {
  readonly block: Block
  readonly known: Scanned | undefined
  /** nothing in it differs from what was known, and all of that was settled */
  readonly same: boolean
  readonly digests: Uint8Array
  readonly settled: Uint8Array
  /** names as texts, by position, where they were needed */
  readonly names: readonly string[]
  /** positions of files to read */
  readonly unknown: readonly number[]
  /** the names are those that were known, and all that may differ is here: positions in order, with their names */
  readonly inPlace?: readonly number[]
}

/** Directories that have their listing, as they are now and as they were known. */
interface Below {
  readonly made: ReadonlyMap<string, Scanned>
  readonly known: ReadonlyMap<string, Scanned>
  /** leave out directories without files: with `include` they are there for nothing */
  readonly dropEmpty: boolean
}

/**
 * Makes the listings of directories whose digests are known. One without directories in it may begin as soon as its
 * own are: others are still read meanwhile.
 */
export class DraftLists {
  readonly #listings: Listings
  readonly #known: ReadonlyMap<string, Scanned>
  readonly #dropEmpty: boolean
  readonly #begun = new Map<Draft, Promise<Scanned>>()

  constructor(listings: Listings, known: ReadonlyMap<string, Scanned>, dropEmpty: boolean) {
    this.#listings = listings
    this.#known = known
    this.#dropEmpty = dropEmpty
  }

  begin(draft: Draft): void {
    if (draft.block.subdirectories.length > 0) return
    const scanned = this.#list(draft, new Map())
    // said by `all`
    scanned.catch(() => undefined)
    this.#begun.set(draft, scanned)
  }

  /** The deepest first: each needs those below it. */
  async all(drafts: readonly Draft[]): Promise<Map<string, Scanned>> {
    const depth = new Map(
      drafts.map((draft) => [draft, draft.block.path.split('/').length + (draft.block.path === '' ? 0 : 1)]),
    )
    const deepest = [...drafts].sort((a, b) => (depth.get(b) as number) - (depth.get(a) as number))
    const made = new Map<string, Scanned>()
    for (const [i, draft] of deepest.entries()) {
      made.set(draft.block.path, await (this.#begun.get(draft) ?? this.#list(draft, made)))
      if (i % 64 === 63) await new Promise(setImmediate)
    }
    // in the order of the walk, so that a table is the same whenever it is written
    return new Map(drafts.map(({ block: { path } }) => [path, made.get(path) as Scanned]))
  }

  #list(draft: Draft, made: ReadonlyMap<string, Scanned>): Promise<Scanned> {
    return scannedOf(this.#listings, draft, { made, known: this.#known, dropEmpty: this.#dropEmpty })
  }
}

async function scannedOf(listings: Listings, draft: Draft, below: Below): Promise<Scanned> {
  const { block, known, digests, settled } = draft
  if (
    known !== undefined &&
    draft.same &&
    block.subdirectories.every((name) => isUnchanged(pathOf(block, name), below))
  ) {
    if (listings.renew(known.listing)) return known
  }
  return { ...block, digests, settled, listing: await listingOf(listings, draft, below) }
}

const isUnchanged = (path: string, { made, known }: Below): boolean =>
  made.get(path)?.listing.digest === known.get(path)?.listing.digest

async function listingOf(listings: Listings, draft: Draft, below: Below): Promise<Made> {
  const { block, known } = draft
  // an edit of a large listing costs less than a new one
  if (known === undefined || isOneLeaf(known.count) || !listings.renew(known.listing)) {
    return makeListing(listings.maker, entriesOf(block, draft.digests, allNames(draft), below.made, below))
  }
  const changes =
    draft.inPlace === undefined ? changesOf(draft, known, below) : changesInPlace(draft, known, below)
  if (changes.length === 0) return known.listing
  return await listings.run(editListing(listings.maker, known.listing.digest, changes))
}

const allNames = ({ block, names, inPlace }: Draft): readonly string[] =>
  inPlace === undefined && names.length === block.count ? names : splitNames(block.names)

function changesOf(draft: Draft, known: Scanned, below: Below): NameChange[] {
  const before = entriesOf(known, known.digests, splitNames(known.names), below.known, below)
  return changesBetween(before, entriesOf(draft.block, draft.digests, allNames(draft), below.made, below))
}

function changesInPlace(
  { block, digests, names, inPlace = [] }: Draft,
  known: Scanned,
  below: Below,
): NameChange[] {
  const changes = new Map<string, NameChange>()
  const compare = (name: string, before: Entry | undefined, entry: Entry | undefined): void => {
    const same = before === undefined || entry === undefined ? before === entry : sameEntry(before, entry)
    if (!same) changes.set(name, { name, entry })
  }
  for (const name of block.subdirectories) {
    const path = pathOf(block, name)
    if (isUnchanged(path, below)) continue
    compare(
      name,
      directoryEntry(name, below.known.get(path), below),
      directoryEntry(name, below.made.get(path), below),
    )
  }
  for (const i of inPlace) {
    const name = names[i] as string
    const before = entryOf(known, known.digests, i, name, below.known, below)
    compare(name, before, entryOf(block, digests, i, name, below.made, below))
  }
  return [...changes.values()].sort((a, b) => compareNames(a.name, b.name))
}

type Options = Pick<Below, 'dropEmpty'>

function entriesOf(
  block: Block,
  digests: Uint8Array,
  names: readonly string[],
  below: ReadonlyMap<string, Scanned>,
  options: Options,
): Entry[] {
  const entries: Entry[] = []
  for (const [i, name] of names.entries()) {
    const entry = entryOf(block, digests, i, name, below, options)
    if (entry !== undefined) entries.push(entry)
  }
  return entries
}

function entryOf(
  block: Block,
  digests: Uint8Array,
  index: number,
  name: string,
  below: ReadonlyMap<string, Scanned>,
  options: Options,
): Entry | undefined {
  const mode = rowMode(block.rows, index)
  if (isDirectoryMode(mode)) return directoryEntry(name, below.get(pathOf(block, name)), options)
  const digest = digestAt(digests, index)
  return {
    name,
    kind: 'file',
    executable: isExecutable(mode),
    digest,
    size: rowSize(block.rows, index),
    files: 1,
  }
}

function directoryEntry(
  name: string,
  scanned: Scanned | undefined,
  { dropEmpty }: Options,
): Entry | undefined {
  const listing = scanned?.listing
  if (listing === undefined || (dropEmpty && listing.files === 0)) return undefined
  const { digest, size, files } = listing
  return { name, kind: 'dir', executable: false, digest, size, files }
}

const pathOf = (block: Block, name: string): string => (block.path === '' ? name : `${block.path}/${name}`)

function changesBetween(before: readonly Entry[], after: readonly Entry[]): NameChange[] {
  const changes: NameChange[] = []
  let at = 0
  for (const entry of after) {
    let old = before[at]
    for (; old !== undefined && compareNames(old.name, entry.name) < 0; old = before[++at]) {
      changes.push({ name: old.name, entry: undefined })
    }
    if (old?.name === entry.name) at++
    if (old?.name !== entry.name || !sameEntry(old, entry)) changes.push({ name: entry.name, entry })
  }
  for (const gone of before.slice(at)) changes.push({ name: gone.name, entry: undefined })
  return changes
}
