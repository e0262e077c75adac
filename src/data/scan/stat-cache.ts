import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { compareNames } from '../../core/tree/name.ts'
import type { Digest } from '../../model/refs.ts'
import { digestOf } from '../blobs/blob-files.ts'
import { inStore } from '../files/failures.ts'
import type { Globs } from '../files/globs.ts'
import type { Home } from '../files/home.ts'
import { ifThere, namesIn } from '../files/missing-files.ts'
import type { Scanned, ScanTable, Seen } from './scan-table.ts'
import { decodeTable, digestAt, encodeTable, indexOfName, seenAt } from './scan-table.ts'
import { bytesOf, isDirectoryMode, joinNames, newRows, rowMode, setRow, splitNames } from './state-rows.ts'

/** Files by themselves; the oldest are forgotten. */
const keptFiles = 200_000

/**
 * What was seen of files that lie elsewhere: a table for each directory that was scanned, and one for single files.
 * It is a cache, in memory and in `stat-cache/`: without it files are read again, and no answer differs.
 *
 * G1 it says what was seen, not what is: whoever asks compares states.
 */
export class StatCache {
  readonly #home: Home
  /** by the name of its file; undefined: looked for and not there */
  readonly #tables = new Map<string, Loaded | undefined>()
  readonly #byRoot = new Map<string, Loaded[]>()
  readonly #files = new Map<string, Seen>()
  readonly #fileOf = new Map<Digest, string>()
  #filesChanged = false
  #allLoaded = false

  constructor(home: Home) {
    this.#home = home
  }

  table(root: string, globs: Globs): ScanTable | undefined {
    return this.#load(tableName(root, globs))?.table
  }

  keep(table: ScanTable): void {
    const name = tableName(table.root, table.globs)
    this.#take(name, table)
    this.#save(name, table)
  }

  /** How a directory was scanned, by itself or as a part, when it had this digest. */
  scannedAs(path: string, digest: Digest): ScannedAs | undefined {
    this.#loadAll()
    for (let root = path; ; root = dirname(root)) {
      const below = path.slice(root.length + 1)
      for (const { table } of this.#byRoot.get(root) ?? []) {
        if (table.blocks.get(below)?.listing.digest === digest) return partOf(table, below)
      }
      if (root === dirname(root)) return undefined
    }
  }

  /** What was last seen at a path. */
  at(path: string): Seen | undefined {
    const file = this.#files.get(path)
    if (file !== undefined) return file
    this.#loadAll()
    for (let root = dirname(path); ; root = dirname(root)) {
      for (const loaded of this.#byRoot.get(root) ?? []) {
        const seen = loaded.at(path)
        if (seen !== undefined) return seen
      }
      if (root === dirname(root)) return this.#files.get(path)
    }
  }

  note(path: string, seen: Seen): void {
    this.#files.delete(path)
    this.#files.set(path, seen)
    this.#fileOf.set(seen.digest, path)
    this.#filesChanged = true
    if (this.#files.size <= keptFiles) return
    for (const [oldest, { digest }] of this.#files) {
      this.#files.delete(oldest)
      if (this.#fileOf.get(digest) === oldest) this.#fileOf.delete(digest)
      break
    }
  }

  /** Where a file of this content was seen, best one of this name. */
  withDigest(digest: Digest, name: string): string | undefined {
    this.#loadAll()
    let other: string | undefined
    for (const loaded of this.#tables.values()) {
      const path = loaded?.withDigest(digest, name)
      if (path !== undefined && basename(path) === name) return path
      other ??= path
    }
    return other ?? this.#fileOf.get(digest)
  }

  /** Keeps what was noted of single files for the next process. */
  save(): void {
    if (!this.#filesChanged) return
    this.#save(filesName, tableOfFiles(this.#files))
    this.#filesChanged = false
  }

  #loadAll(): void {
    if (this.#allLoaded) return
    this.#allLoaded = true
    for (const name of inStore(this.#home.statCache, () => namesIn(this.#home.statCache))) {
      if (name === filesName) this.#takeFiles(this.#read(name))
      else if (name.endsWith('.bin')) this.#load(name)
    }
  }

  #load(name: string): Loaded | undefined {
    const known = this.#tables.get(name)
    if (known !== undefined || this.#tables.has(name)) return known
    const table = this.#read(name)
    if (table !== undefined) return this.#take(name, table)
    this.#tables.set(name, undefined)
    return undefined
  }

  #take(name: string, table: ScanTable): Loaded {
    const loaded = new Loaded(table)
    const others = (this.#byRoot.get(table.root) ?? []).filter((one) => one !== this.#tables.get(name))
    this.#byRoot.set(table.root, [...others, loaded])
    this.#tables.set(name, loaded)
    return loaded
  }

  #takeFiles(table: ScanTable | undefined): void {
    for (const block of table?.blocks.values() ?? []) {
      for (const [index, name] of splitNames(block.names).entries()) {
        const path = join(block.path, name)
        // what was noted since then is newer
        if (this.#files.has(path)) continue
        const seen = seenAt(block, index)
        this.#files.set(path, seen)
        if (!this.#fileOf.has(seen.digest)) this.#fileOf.set(seen.digest, path)
      }
    }
  }

  #read(name: string): ScanTable | undefined {
    const path = join(this.#home.statCache, name)
    return inStore(path, () => ifThere(() => decodeTable(readFileSync(path))))
  }

  #save(name: string, table: ScanTable): void {
    const path = join(this.#home.statCache, name)
    inStore(path, () => {
      mkdirSync(this.#home.statCache, { recursive: true })
      // damage by a crash of the machine is seen by the digest in it, so it needs no sync
      const temporary = `${path}.${crypto.randomUUID()}.tmp`
      writeFileSync(temporary, encodeTable(table))
      renameSync(temporary, path)
    })
  }
}

/** What a scan needs to be made again. */
export interface ScannedAs {
  readonly globs: Globs
  readonly prefix: string
  readonly table: ScanTable
}

function partOf(table: ScanTable, below: string): ScannedAs {
  const { globs } = table
  if (below === '') return { globs, prefix: '', table }
  const blocks = new Map<string, Scanned>()
  for (const [path, block] of table.blocks) {
    const part = path === below ? '' : path.startsWith(`${below}/`) ? path.slice(below.length + 1) : undefined
    if (part !== undefined) blocks.set(part, { ...block, path: part })
  }
  return { globs, prefix: `${below}/`, table: { root: `${table.root}/${below}`, globs, blocks } }
}

const filesName = 'files.bin'
const noGlobs: Globs = { include: [], exclude: [] }

const tableName = (root: string, globs: Globs): string =>
  `${digestOf(`${root}\0${JSON.stringify(globs)}`).slice(0, 40)}.bin`

/** A table with what is derived from it when it is first asked for. */
class Loaded {
  readonly table: ScanTable
  readonly #names = new Map<string, readonly string[]>()
  #byDigest: ReadonlyMap<Digest, readonly FilePlace[]> | undefined

  constructor(table: ScanTable) {
    this.table = table
  }

  at(path: string): Seen | undefined {
    const { root, blocks } = this.table
    if (!path.startsWith(`${root}/`)) return undefined
    const below = path.slice(root.length + 1)
    const slash = below.lastIndexOf('/')
    const block = blocks.get(slash < 0 ? '' : below.slice(0, slash))
    if (block === undefined) return undefined
    const index = indexOfName(block, this.#namesOf(block), below.slice(slash + 1))
    return index < 0 ? undefined : seenAt(block, index)
  }

  withDigest(digest: Digest, name: string): string | undefined {
    this.#byDigest ??= this.#places()
    const places = this.#byDigest.get(digest)
    const place = places?.find(({ block, index }) => this.#namesOf(block)[index] === name) ?? places?.[0]
    if (place === undefined) return undefined
    const { block, index } = place
    return join(this.table.root, block.path, this.#namesOf(block)[index] as string)
  }

  #namesOf(block: Scanned): readonly string[] {
    let names = this.#names.get(block.path)
    if (names === undefined) {
      names = splitNames(block.names)
      this.#names.set(block.path, names)
    }
    return names
  }

  #places(): Map<Digest, FilePlace[]> {
    const places = new Map<Digest, FilePlace[]>()
    for (const block of this.table.blocks.values()) {
      for (let index = 0; index < block.count; index++) {
        if (isDirectoryMode(rowMode(block.rows, index))) continue
        const digest = digestAt(block.digests, index)
        const others = places.get(digest)
        if (others === undefined) places.set(digest, [{ block, index }])
        // of thousands of equal files a few will do
        else if (others.length < 32) others.push({ block, index })
      }
    }
    return places
  }
}

interface FilePlace {
  readonly block: Scanned
  readonly index: number
}

function tableOfFiles(files: ReadonlyMap<string, Seen>): ScanTable {
  const byDirectory = new Map<string, [string, Seen][]>()
  for (const [path, seen] of files) {
    const directory = dirname(path)
    const list = byDirectory.get(directory)
    if (list === undefined) byDirectory.set(directory, [[basename(path), seen]])
    else list.push([basename(path), seen])
  }
  return {
    root: '',
    globs: noGlobs,
    blocks: new Map([...byDirectory].map(([path, list]) => [path, blockOfFiles(path, list)])),
  }
}

function blockOfFiles(path: string, list: [string, Seen][]): Scanned {
  list.sort(([a], [b]) => compareNames(a, b))
  const rows = newRows(list.length)
  const digests = Buffer.alloc(list.length * 32)
  const settled = new Uint8Array(list.length)
  for (const [i, [, seen]] of list.entries()) {
    setRow(rows, i, seen.state)
    digests.write(seen.digest, i * 32, 'hex')
    settled[i] = seen.settled ? 1 : 0
  }
  const listing = { digest: '0'.repeat(64), size: 0, files: list.length, entries: list.length }
  const names = joinNames(list.map(([name]) => name))
  return {
    path,
    count: list.length,
    names,
    rows,
    subdirectories: [],
    links: [],
    digests: bytesOf(digests),
    settled,
    listing,
  }
}
