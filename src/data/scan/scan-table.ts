import { createHash, hash } from 'node:crypto'
import type { Made } from '../../core/tree/chunk.ts'
import { compareNames } from '../../core/tree/name.ts'
import type { Digest } from '../../model/refs.ts'
import type { Globs } from '../files/globs.ts'
import type { FileState } from '../files/read-file.ts'
import { isExecutable } from '../files/read-file.ts'
import type { Block } from './state-rows.ts'
import { bytesOf, isDirectoryMode, rowMode, rowState, rowsOf, splitNames } from './state-rows.ts'

/** One directory as it was scanned. */
export interface Scanned extends Block {
  /** 32 bytes a name; zeros for directories */
  readonly digests: Uint8Array
  /** a byte a name: 1 where its state is enough to know its digest later */
  readonly settled: Uint8Array
  readonly listing: Made
}

/** What was seen of a directory that lies elsewhere, with all below it. */
export interface ScanTable {
  /** absolute, without links; `''` where the blocks' paths are absolute themselves */
  readonly root: string
  readonly globs: Globs
  readonly blocks: ReadonlyMap<string, Scanned>
}

/** A file in a table. */
export interface Seen {
  readonly digest: Digest
  readonly state: FileState
  readonly settled: boolean
  readonly executable: boolean
}

export const digestAt = (digests: Uint8Array, index: number): Digest =>
  bytesOf(digests).toString('hex', index * 32, index * 32 + 32)

export function seenAt(block: Scanned, index: number): Seen {
  const state = rowState(block.rows, index)
  return {
    digest: digestAt(block.digests, index),
    state,
    settled: block.settled[index] === 1,
    executable: isExecutable(state.mode),
  }
}

/** Position of a file's name among a block's; -1 where there is no file of that name. */
export function indexOfName(block: Scanned, names: readonly string[], name: string): number {
  let low = 0
  let high = names.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareNames(names[middle] as string, name) < 0) low = middle + 1
    else high = middle
  }
  return names[low] === name && !isDirectoryMode(rowMode(block.rows, low)) ? low : -1
}

/**
 * The stat cache's file: a line with the digest of the rest; a line of JSON with root, globs and, of each directory,
 * path, counts and listing; then names, states, digests and `settled`, each in one piece for all directories.
 */
const magic = 'almanac-stat-cache 1'

export function encodeTable(table: ScanTable): Buffer {
  const blocks = [...table.blocks.values()]
  const head = {
    root: table.root,
    globs: table.globs,
    paths: blocks.map((block) => block.path),
    counts: blocks.map((block) => [
      block.count,
      block.names.byteLength,
      block.subdirectories.length > 0 ? 1 : 0,
    ]),
    listings: blocks.map(({ listing }) => [listing.digest, listing.size, listing.files, listing.entries]),
  }
  const pieces = [
    Buffer.from(`${JSON.stringify(head)}\n`),
    ...blocks.map((block) => bytesOf(block.names)),
    ...blocks.map((block) => bytesOf(block.rows)),
    ...blocks.map((block) => bytesOf(block.digests)),
    ...blocks.map((block) => bytesOf(block.settled)),
  ]
  const digest = createHash('sha256')
  for (const piece of pieces) digest.update(piece)
  return Buffer.concat([Buffer.from(`${magic} ${digest.digest('hex')}\n`), ...pieces])
}

/** Undefined where the file is damaged: it is a cache. */
export function decodeTable(file: Buffer): ScanTable | undefined {
  const first = file.indexOf(10)
  const body = file.subarray(first + 1)
  if (first < 0 || file.toString('latin1', 0, first) !== `${magic} ${hash('sha256', body)}`) return undefined
  const second = body.indexOf(10)
  const head = JSON.parse(body.toString('utf8', 0, second)) as Head
  return { root: head.root, globs: head.globs, blocks: decodeBlocks(head, body.subarray(second + 1)) }
}

interface Head {
  readonly root: string
  readonly globs: Globs
  readonly paths: readonly string[]
  readonly counts: readonly (readonly [count: number, nameBytes: number, hasDirectories: number])[]
  readonly listings: readonly (readonly [Digest, number, number, number])[]
}

function decodeBlocks(head: Head, data: Buffer): Map<string, Scanned> {
  const all = head.counts.reduce((sum, [count]) => sum + count, 0)
  const nameBytes = head.counts.reduce((sum, [, bytes]) => sum + bytes, 0)
  // copied, since integers of 8 bytes must lie on a multiple of 8
  const rows = new BigInt64Array(all * 5)
  data.copy(bytesOf(rows), 0, nameBytes)
  const digestsAt = nameBytes + rows.byteLength
  const settledAt = digestsAt + all * 32
  const blocks = new Map<string, Scanned>()
  let name = 0
  let item = 0
  for (const [i, path] of head.paths.entries()) {
    const [count, bytes, hasDirectories] = head.counts[i] as Head['counts'][number]
    const [digest, size, files, entries] = head.listings[i] as Head['listings'][number]
    const names = data.subarray(name, name + bytes)
    const block = { path, count, names, rows: rowsOf(rows, item, item + count) }
    blocks.set(path, {
      ...block,
      subdirectories:
        hasDirectories === 1
          ? splitNames(names).filter((_, at) => isDirectoryMode(rowMode(block.rows, at)))
          : [],
      links: [],
      digests: data.subarray(digestsAt + item * 32, digestsAt + (item + count) * 32),
      settled: data.subarray(settledAt + item, settledAt + item + count),
      listing: { digest, size, files, entries },
    })
    name += bytes
    item += count
  }
  return blocks
}
