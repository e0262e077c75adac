import { hash } from 'node:crypto'
import { appendFileSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type Checksum, checksumAlgorithms, type Kept } from '../../ports/downloads.ts'
import { inStore } from '../files/failures.ts'
import { isDigest } from '../files/home.ts'
import { textIn } from '../files/missing-files.ts'

/** A table is written anew when it has this many times the lines that count. */
const waste = 4
/** and at least so many */
const fewLines = 256

/** One table as it was read. */
interface Shard {
  readonly size: number
  readonly mtimeMs: number
  readonly rows: Map<string, Kept>
}

/**
 * What was downloaded, by name: 256 files of lines that are only appended, each with a checksum of its own; the last
 * line of a name counts. It is a cache: a line that is lost costs a download, and none is ever believed unless its
 * content is in the store.
 *
 * K1 a line that a crash cut off, or that two processes wrote into each other, is no line.
 */
export class KnownTable {
  readonly #folder: string
  readonly #temporary: string
  readonly #read = new Map<string, Shard>()

  constructor(folder: string, temporary: string) {
    this.#folder = folder
    this.#temporary = temporary
  }

  get(name: string): Kept | undefined {
    const key = keyOf(name)
    return this.#shard(this.#pathOf(key)).get(key)
  }

  set(name: string, kept: Kept): void {
    const key = keyOf(name)
    const path = this.#pathOf(key)
    inStore(path, () => {
      mkdirSync(this.#folder, { recursive: true })
      // begins with a line's end: what was there may have been cut off
      const line = `\n${lineOf(key, kept)}\n`
      appendFileSync(path, line, { mode: 0o600 })
      this.#added(path, Buffer.byteLength(line), key, kept)
    })
  }

  /** What this process adds needs no reading, or a call of many files would read all tables again for each. */
  #added(path: string, bytes: number, key: string, kept: Kept): void {
    const read = this.#read.get(path)
    const { size, mtimeMs } = statSync(path)
    if (read === undefined || read.size + bytes !== size) return
    read.rows.set(key, kept)
    this.#read.set(path, { size, mtimeMs, rows: read.rows })
  }

  #pathOf(key: string): string {
    return `${this.#folder}/${key.slice(0, 2)}.txt`
  }

  #shard(path: string): ReadonlyMap<string, Kept> {
    return inStore(path, () => {
      const stat = statSync(path, { throwIfNoEntry: false })
      if (stat === undefined) return new Map()
      const read = this.#read.get(path)
      if (read !== undefined && read.size === stat.size && read.mtimeMs === stat.mtimeMs) return read.rows
      const { rows, lines } = parse(textIn(path))
      this.#read.set(path, { size: stat.size, mtimeMs: stat.mtimeMs, rows })
      if (lines > fewLines && lines > rows.size * waste) this.#compact(path, rows)
      return rows
    })
  }

  /** A line that another process appends meanwhile is lost, which costs a download. */
  #compact(path: string, rows: ReadonlyMap<string, Kept>): void {
    const temporary = `${this.#temporary}/${crypto.randomUUID()}`
    try {
      writeFileSync(temporary, [...rows].map(([key, kept]) => `${lineOf(key, kept)}\n`).join(''), {
        mode: 0o600,
      })
      renameSync(temporary, path)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw error
    }
  }
}

/** Names may be long, and are URLs, which are nobody's business. */
export const keyOf = (name: string): string => hash('sha256', name, 'hex').slice(0, 40)

function lineOf(key: string, { digest, size, etag, lastModified, checked }: Kept): string {
  const text = JSON.stringify([key, digest, size, etag ?? null, lastModified ?? null, checkedText(checked)])
  return `${checksum(text)} ${text}`
}

const checkedText = (checked: Checksum | undefined): string | null =>
  checked === undefined ? null : `${checked.algorithm}:${checked.value}`

/** Lines of earlier versions have none. */
function checkedOf(text: unknown): Checksum | undefined {
  const [name, value] = typeof text === 'string' ? text.split(':') : []
  const algorithm = checksumAlgorithms.find((one) => one === name)
  return algorithm === undefined || value === undefined ? undefined : { algorithm, value }
}

const checksum = (text: string): string => hash('sha256', text, 'hex').slice(0, 16)

function parse(text: string): { readonly rows: Map<string, Kept>; readonly lines: number } {
  const rows = new Map<string, Kept>()
  let lines = 0
  for (const line of text.split('\n')) {
    if (line === '') continue
    lines++
    const json = line.slice(17)
    if (line.slice(0, 17) !== `${checksum(json)} `) continue
    const [key, digest, size, etag, lastModified, checkedAs] = JSON.parse(json) as readonly unknown[]
    if (typeof key !== 'string' || typeof digest !== 'string' || !isDigest(digest)) continue
    if (!Number.isSafeInteger(size)) continue
    const checked = checkedOf(checkedAs)
    rows.set(key, {
      digest,
      size: size as number,
      ...(typeof etag === 'string' && { etag }),
      ...(typeof lastModified === 'string' && { lastModified }),
      ...(checked !== undefined && { checked }),
    })
  }
  return { rows, lines }
}
