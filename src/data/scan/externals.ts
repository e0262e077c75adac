import { existsSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { diff } from '../../core/tree/diff.ts'
import { nameFault } from '../../core/tree/name.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import { DirRef, FileRef } from '../../model/refs.ts'
import type { ScanOptions } from '../../ports/data.ts'
import { inputError, refused } from '../files/failures.ts'
import type { Globs } from '../files/globs.ts'
import { globsOf } from '../files/globs.ts'
import type { FileState } from '../files/read-file.ts'
import { isExecutable, sameState } from '../files/read-file.ts'
import { kindOf } from './list-directory.ts'
import type { BlobsInto, ScanTools } from './scan-directory.ts'
import { scanDirectory } from './scan-directory.ts'
import type { ScanTable, Seen } from './scan-table.ts'
import type { ScannedAs, StatCache } from './stat-cache.ts'
import { isSettled, newRows, setRow } from './state-rows.ts'
import type { Walk } from './walk-directory.ts'

/** Larger files are hashed by a thread. */
const largeBytes = 1n << 20n

/**
 * Files and directories that lie elsewhere and stay there.
 *
 * X1 a file is read again unless it is in a state in which it was read, and which was settled then (`isSettled`).
 * X2 what is scanned is known by the path without the links above it; a file keeps its own last name.
 */
export class Externals {
  readonly #home: string
  readonly #tools: ScanTools
  readonly #statCache: StatCache

  constructor(home: string, tools: ScanTools, statCache: StatCache) {
    this.#home = home
    this.#tools = tools
    this.#statCache = statCache
  }

  /** @throws ALM_INPUT_MISSING, ALM_INPUT_CHANGED, ALM_INPUT_UNREADABLE, ALM_PATH_REFUSED */
  async scan(path: string, options: ScanOptions = {}, into?: BlobsInto): Promise<FileRef | DirRef> {
    const given = resolve(path)
    try {
      const stat = statSync(given, { bigint: true })
      if (stat.isDirectory()) return await this.#scanDirectory(realpathSync(given), options, into)
      if (!stat.isFile()) throw refused(given, `it is ${kindOf(stat)}, not a regular file`)
      const name = basename(given)
      const fault = nameFault(name)
      if (fault !== undefined) throw refused(given, fault)
      const at = `${realpathSync(dirname(given)).replace(/\/$/, '')}/${name}`
      const { digest } = await this.#read(at)
      return new FileRef(name, digest, Number(stat.size), isExecutable(stat.mode), at)
    } catch (error) {
      throw inputError(error, given, 'ALM_INPUT_MISSING')
    }
  }

  /** Is the file still what the reference says? @throws ALM_INPUT_CHANGED, ALM_INPUT_UNREADABLE */
  async verifyFile(path: string, digest: Digest, executable: boolean): Promise<void> {
    const seen = await this.#read(path)
    if (seen.digest !== digest || seen.executable !== executable) throw changed(path)
  }

  /** Is the directory still what the reference says, with nothing added? @throws ALM_INPUT_CHANGED, naming the first file that differs */
  async verifyDirectory(path: string, digest: Digest): Promise<void> {
    const { made } = await this.#scan(
      path,
      this.#statCache.scannedAs(path, digest) ?? this.#asKnown(path, globsOf()),
    )
    if (made.digest === digest) return
    const { listings } = this.#tools
    for await (const difference of listings.find(diff(digest, made.digest)))
      throw changed(`${path}/${difference.path}`)
    throw changed(path)
  }

  /** Where this content was seen last, whatever is there now. */
  lastPlace(digest: Digest, name: string): string | undefined {
    return this.#statCache.withDigest(digest, name)
  }

  /** A path where this content lies, if there is one: the one of that name, if possible. */
  async locate(digest: Digest, name: string, executable: boolean): Promise<string | undefined> {
    const path = this.#statCache.withDigest(digest, name)
    if (path === undefined || !existsSync(path)) return undefined
    const seen = await this.#read(path)
    return seen.digest === digest && seen.executable === executable ? path : undefined
  }

  async #scanDirectory(root: string, options: ScanOptions, into?: BlobsInto): Promise<DirRef> {
    const { settleMs, onLeftOut } = options
    let leftOut = 0
    const {
      made,
      table,
      changed: differs,
    } = await this.#scan(root, this.#asKnown(root, globsOf(options)), {
      ...(into !== undefined && { into }),
      ...(settleMs !== undefined && {
        settledBefore: BigInt(Math.floor(this.#tools.now() - settleMs)) * 1_000_000n,
        onYoung: (path: string) => {
          leftOut++
          onLeftOut?.(`${root}/${path}`)
        },
      }),
    })
    if (differs) this.#statCache.keep(table)
    // what was left out lies there as well: tasks are given the files one by one instead
    return new DirRef(made.digest, made.files, made.size, leftOut === 0 ? root : undefined)
  }

  #asKnown(root: string, globs: Globs) {
    return { globs, prefix: '', table: this.#statCache.table(root, globs) }
  }

  async #scan(
    root: string,
    { globs, prefix, table }: Omit<ScannedAs, 'table'> & { readonly table: ScanTable | undefined },
    { into, ...more }: Pick<Walk, 'settledBefore' | 'onYoung'> & Pick<ScanTools, 'into'> = {},
  ) {
    const tools = into === undefined ? this.#tools : { ...this.#tools, into }
    return await scanDirectory(tools, { root, globs, prefix, without: [this.#home], ...more }, table)
  }

  async #read(path: string): Promise<Seen> {
    const at = this.#tools.now()
    let state: FileState & { isFile(): boolean }
    try {
      state = statSync(path, { bigint: true })
    } catch (error) {
      throw inputError(error, path)
    }
    if (!state.isFile()) throw changed(path)
    const seen = this.#statCache.at(path)
    if (seen?.settled === true && sameState(seen.state, state)) return seen
    const digest = await this.#hash(path, state)
    const read = { digest, state, settled: isSettled(state, at), executable: isExecutable(state.mode) }
    this.#statCache.note(path, read)
    return read
  }

  async #hash(path: string, state: FileState): Promise<Digest> {
    const rows = newRows(1)
    setRow(rows, 0, state)
    const heavy = state.size > largeBytes
    const job = { kind: 'hash' as const, paths: [path], rows, heavy }
    const digest = heavy ? await this.#tools.pool.run(job) : this.#tools.pool.runHere(job)
    return Buffer.from(digest).toString('hex')
  }
}

const changed = (path: string) => new AlmanacError('ALM_INPUT_CHANGED', { path })
