import type { FileState } from '../files/read-file.ts'

/**
 * What was seen of one directory, packed: it travels between threads and lies in the stat cache as it is, and two
 * of them are compared as bytes. Names are in order; five integers a name say the state of its file.
 */
export interface Block {
  /** below the root, `''` for itself */
  readonly path: string
  readonly count: number
  /** UTF-8, each with a NUL after it */
  readonly names: Uint8Array
  /** size, mtime and ctime in ns, inode, mode; a directory has only its mode */
  readonly rows: BigInt64Array
  /** names that are directories */
  readonly subdirectories: readonly string[]
  /** names that are links to files inside; not kept in the stat cache */
  readonly links: readonly string[]
}

const width = 5

export const newRows = (count: number): BigInt64Array => new BigInt64Array(count * width)

export function setRow(rows: BigInt64Array, index: number, state: FileState): void {
  const at = index * width
  rows[at] = state.size
  rows[at + 1] = state.mtimeNs
  rows[at + 2] = state.ctimeNs
  rows[at + 3] = state.ino
  rows[at + 4] = state.mode
}

export function rowState(rows: BigInt64Array, index: number): FileState {
  const at = index * width
  return {
    size: rows[at] as bigint,
    mtimeNs: rows[at + 1] as bigint,
    ctimeNs: rows[at + 2] as bigint,
    // inode numbers use all 64 bits, and are kept as signed
    ino: BigInt.asUintN(64, rows[at + 3] as bigint),
    mode: rows[at + 4] as bigint,
  }
}

export const rowSize = (rows: BigInt64Array, index: number): number => Number(rows[index * width])

export const rowMode = (rows: BigInt64Array, index: number): bigint => rows[index * width + 4] as bigint

export function sameRow(a: BigInt64Array, i: number, b: BigInt64Array, j: number): boolean {
  for (let field = 0; field < width; field++) if (a[i * width + field] !== b[j * width + field]) return false
  return true
}

export function copyRow(from: BigInt64Array, index: number, to: BigInt64Array, at: number): void {
  to.set(from.subarray(index * width, (index + 1) * width), at * width)
}

export const rowsOf = (rows: BigInt64Array, from: number, to: number): BigInt64Array =>
  rows.subarray(from * width, to * width)

export const isDirectoryMode = (mode: bigint): boolean => (mode & 0o170000n) === 0o040000n

export const joinNames = (names: readonly string[]): Uint8Array =>
  names.length === 0 ? new Uint8Array() : Buffer.from(`${names.join('\0')}\0`)

export const splitNames = (names: Uint8Array): string[] =>
  names.length === 0
    ? []
    : Buffer.from(names.buffer, names.byteOffset, names.byteLength - 1)
        .toString('utf8')
        .split('\0')

/** Some of the names, by position; `wanted` ascends. None of the others becomes a text. */
export function namesAt(names: Uint8Array, wanted: readonly number[]): string[] {
  const found: string[] = []
  const bytes = bytesOf(names)
  let at = 0
  let index = 0
  for (const next of wanted) {
    for (; index < next; index++) at = bytes.indexOf(0, at) + 1
    found[next] = bytes.toString('utf8', at, bytes.indexOf(0, at))
  }
  return found
}

/** Positions at which two lists of states differ. They are as long as each other. */
export function differingRows(a: BigInt64Array, b: BigInt64Array): number[] {
  // as halves: integers of 64 bits would each be made an object
  const x = new Int32Array(a.buffer, a.byteOffset, a.length * 2)
  const y = new Int32Array(b.buffer, b.byteOffset, b.length * 2)
  const differing: number[] = []
  for (let index = 0; index < a.length / width; index++) {
    const from = index * width * 2
    let field = from
    while (field < from + width * 2 && x[field] === y[field]) field++
    if (field < from + width * 2) differing.push(index)
  }
  return differing
}

/** Bytes of any view. */
export const bytesOf = (view: ArrayBufferView): Buffer =>
  Buffer.from(view.buffer, view.byteOffset, view.byteLength)

export const sameNames = (a: Pick<Block, 'names'>, b: Pick<Block, 'names'>): boolean =>
  bytesOf(a.names).equals(bytesOf(b.names))

/** Were the same files in the same state in the directory? */
export const sameBlock = (a: Pick<Block, 'names' | 'rows'>, b: Pick<Block, 'names' | 'rows'>): boolean =>
  sameNames(a, b) && bytesOf(a.rows).equals(bytesOf(b.rows))

/** A file's state counts later only if it was at least this much older than the moment of hashing (see `isSettled`). */
const racyNs = 2_000_000_000n

/**
 * A file may change again within the grain of its times, unseen: what was hashed so soon after a change is not
 * known by its state. `at`: before the file was read, ms.
 */
export const isSettled = (state: Pick<FileState, 'mtimeNs' | 'ctimeNs'>, at: number): boolean => {
  const limit = settledUntil(at)
  return state.mtimeNs <= limit && state.ctimeNs <= limit
}

/** What changed last by that time (ns) is settled. */
export const settledUntil = (at: number): bigint => BigInt(Math.floor(at)) * 1_000_000n - racyNs

/** As `isSettled`, of one of many. */
export const isSettledRow = (rows: BigInt64Array, index: number, limit: bigint): boolean =>
  (rows[index * width + 1] as bigint) <= limit && (rows[index * width + 2] as bigint) <= limit
