import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AlmanacError, isAlmanacError } from '../../model/errors.ts'
import { inStore } from '../files/failures.ts'
import { fsyncPath } from '../files/fsync-path.ts'
import type { Home } from '../files/home.ts'
import { ifThere, namesIn } from '../files/missing-files.ts'
import { removeTree } from '../files/remove-tree.ts'
import type { ProcessIdentity } from './process-identity.ts'
import { isGone, thisProcess } from './process-identity.ts'

/**
 * A process's entry in `work/`: `<id>.json` says who it is and since when it has written blobs that may not be on
 * disk; `<id>/` holds its temporary files and its attempts' directories. Owns both.
 *
 * P1 the entry is there before the directory and goes after it, so a directory always says whose it is.
 * P2 the time in it is on disk before the first such blob is written; it is never later than the oldest of them.
 * P3 where nothing can be written there is no entry: what is there can be read, and all else fails.
 */
export class Presence {
  readonly id: string
  readonly directory: string
  readonly temporary: string
  readonly attempts: string
  readonly #home: Home
  readonly #file: string
  readonly #identity: ProcessIdentity
  readonly #readOnly: AlmanacError | undefined
  #unsyncedSince: number | undefined

  constructor(home: Home) {
    this.#home = home
    this.#identity = thisProcess()
    const id = `${this.#identity.pid}-${crypto.randomUUID().slice(0, 8)}`
    this.id = id
    this.#file = `${home.work}/${id}.json`
    this.directory = `${home.work}/${id}`
    this.temporary = `${this.directory}/tmp`
    this.attempts = `${this.directory}/attempts`
    this.#readOnly = this.#enter()
  }

  get isReadOnly(): boolean {
    return this.#readOnly !== undefined
  }

  /** @throws ALM_STORE_READ_ONLY where this user may not write in the store */
  checkWritable(): void {
    if (this.#readOnly !== undefined) throw this.#readOnly
  }

  #enter(): AlmanacError | undefined {
    const { work } = this.#home
    try {
      inStore(work, () => {
        mkdirSync(work, { recursive: true })
        this.#write(false)
        mkdirSync(this.temporary, { recursive: true })
        mkdirSync(this.attempts)
      })
      return undefined
    } catch (error) {
      if (isAlmanacError(error) && error.code === 'ALM_STORE_READ_ONLY') return error
      throw error
    }
  }

  get unsyncedSince(): number | undefined {
    return this.#unsyncedSince
  }

  /** Blobs made since then (ms) may be lost with the power; undefined: none. */
  setUnsynced(since: number | undefined): void {
    this.checkWritable()
    this.#unsyncedSince = since
    inStore(this.#file, () => this.#write(since !== undefined))
  }

  /**
   * Blobs that others made since then (ms) may not be on disk; infinity: there are none. What they make from now on is
   * younger than this call.
   */
  othersUnsynced(): number {
    const { work } = this.#home
    for (let attempt = 0; attempt < 3; attempt++) {
      const names = namesIn(work).filter((name) => name.endsWith('.json') && `${work}/${name}` !== this.#file)
      const entries = names.map((name) => readEntry(`${work}/${name}`))
      // one that went meanwhile may have left its blobs to another, whose entry was read before
      if (entries.includes(undefined)) continue
      return Math.min(...entries.map((entry) => entry?.unsyncedSince ?? Number.POSITIVE_INFINITY))
    }
    return 0
  }

  /** Works nobody else here, as far as can be known? */
  isAlone(): boolean {
    return namesIn(this.#home.work).every((name) => {
      const path = `${this.#home.work}/${name}`
      if (!name.endsWith('.json') || path === this.#file) return true
      const entry = readEntry(path)
      return entry === undefined || isGone(entry.identity)
    })
  }

  leave(): void {
    if (this.isReadOnly) return
    inStore(this.directory, () => {
      removeTree(this.directory)
      rmSync(this.#file, { force: true })
    })
  }

  #write(durable: boolean): void {
    const text = JSON.stringify({ ...this.#identity, unsyncedSince: this.#unsyncedSince })
    const temporary = `${this.#file}.tmp`
    writeFileSync(temporary, text)
    if (durable) fsyncPath(temporary)
    renameSync(temporary, this.#file)
    if (durable) fsyncPath(this.#home.work)
  }
}

/** A process that is gone, and what it left. */
export interface Departed {
  readonly identity: ProcessIdentity
  readonly unsyncedSince: number | undefined
  /** forgets it, with its directory */
  remove(): void
}

/** Is the process of that entry there, as far as can be known? */
export function isPresent(home: Home, id: string): boolean {
  const entry = readEntry(`${home.work}/${id}.json`)
  return entry !== undefined && !isGone(entry.identity)
}

/** Processes that are surely gone without having cleaned up. */
export function departed(home: Home): readonly Departed[] {
  return namesIn(home.work).flatMap((name) => {
    const [, id, part] = /^(.+)\.json(\.tmp)?$/.exec(name) ?? []
    if (id === undefined) return []
    const path = `${home.work}/${name}`
    const entry = readEntry(path)
    if (entry === undefined || !isGone(entry.identity)) return []
    if (part !== undefined) {
      // not the entry itself, so it tells of no blobs; one that is cut off may be about to be written
      const remove = () => rmSync(path, { force: true })
      return entry.identity !== nobody || isOld(path) ? [{ ...entry, unsyncedSince: undefined, remove }] : []
    }
    const remove = () => {
      removeTree(`${home.work}/${id}`)
      rmSync(path, { force: true })
    }
    return [{ ...entry, remove }]
  })
}

/** Nobody takes so long to write an entry. */
const isOld = (path: string): boolean =>
  Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > 60_000

/** One that is cut off tells of no blobs: it was not yet on disk, and so was none of them. */
const nobody: ProcessIdentity = { pid: 0, start: '', bootId: '', pidNamespace: '' }

function readEntry(path: string): Omit<Departed, 'remove'> | undefined {
  const text = ifThere(() => readFileSync(path, 'utf8'))
  if (text === undefined) return undefined
  try {
    const { unsyncedSince, ...identity } = JSON.parse(text) as Record<string, unknown>
    const { pid, start, bootId, pidNamespace } = identity
    if (
      !Number.isSafeInteger(pid) ||
      ![start, bootId, pidNamespace].every((field) => typeof field === 'string')
    ) {
      return { identity: nobody, unsyncedSince: undefined }
    }
    return {
      identity: identity as unknown as ProcessIdentity,
      unsyncedSince: typeof unsyncedSince === 'number' ? unsyncedSince : undefined,
    }
  } catch {
    // no JSON: see `nobody`
    return { identity: nobody, unsyncedSince: undefined }
  }
}
