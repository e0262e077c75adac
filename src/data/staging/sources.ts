import { isAbsolute } from 'node:path'
import { walk } from '../../core/tree/walk.ts'
import type { ErrorCode } from '../../model/errors.ts'
import { AlmanacError, isAlmanacError } from '../../model/errors.ts'
import type { Digest, FileRef } from '../../model/refs.ts'
import { DirRef } from '../../model/refs.ts'
import type { LocalBlobStore } from '../blobs/blob-store.ts'
import type { Listings } from '../blobs/listings.ts'
import { shard } from '../files/home.ts'
import type { Externals } from '../scan/externals.ts'

/** A file as a listing names it. */
export interface FileContent {
  /** its last name */
  readonly name: string
  readonly digest: Digest
  readonly size: number
  readonly executable: boolean
}

/** Where its bytes can be had. */
export interface Source {
  readonly path: string
  /** not in the store but with the user */
  readonly external: boolean
}

/** Blobs of a store that is shared with others. */
interface RemoteBlobs {
  /** Brings it here; false if it is not there. */
  fetch(digest: Digest): Promise<boolean>
  has(digest: Digest): Promise<boolean>
}

/** Files of one tree that a shared store is asked for before the tree is used. */
const mostAsked = 256

/** What says that something is no longer to be had, rather than that something failed. */
const gone: ReadonlySet<ErrorCode> = new Set([
  'ALM_BLOB_MISSING',
  'ALM_BLOB_DAMAGED',
  'ALM_INPUT_CHANGED',
  'ALM_INPUT_MISSING',
  'ALM_INPUT_UNREADABLE',
  'ALM_PATH_REFUSED',
])

/** Finds bytes: in the store, or where they were seen. */
export class Sources {
  readonly #home: string
  readonly #store: LocalBlobStore
  readonly #externals: Externals
  readonly #listings: Listings
  readonly #remote: RemoteBlobs | undefined

  constructor(
    home: string,
    store: LocalBlobStore,
    externals: Externals,
    listings: Listings,
    remote?: RemoteBlobs,
  ) {
    this.#home = home
    this.#store = store
    this.#externals = externals
    this.#listings = listings
    this.#remote = remote
  }

  /** Where a reference says that it lies with the user; a path of ours is no news. */
  externalPath(at: string | undefined): string | undefined {
    const ours = at === undefined || !isAbsolute(at) || at === this.#home || at.startsWith(`${this.#home}/`)
    return ours ? undefined : at
  }

  /** `near`: where it lay with the user, if that is known. @throws ALM_BLOB_MISSING, ALM_INPUT_CHANGED */
  async of(content: FileContent, near?: string): Promise<Source> {
    const source = await this.find(content, near)
    if (source !== undefined) return source
    // known, and no longer as it was: better than to say that it is not in the store, where it never was
    const path = near ?? this.#externals.lastPlace(content.digest, content.name)
    if (path !== undefined) throw new AlmanacError('ALM_INPUT_CHANGED', { path })
    this.#store.whole.forget()
    throw new AlmanacError('ALM_BLOB_MISSING', { digest: content.digest, path: content.name })
  }

  /** `find` for callers that have many: what is in the store needs no waiting. */
  inStore({ digest, size }: FileContent): Source | undefined {
    return this.#store.hasNow(digest, size) ? this.#stored(digest) : undefined
  }

  /** What only a shared store has is brought here. */
  async find(content: FileContent, near?: string): Promise<Source | undefined> {
    const source = await this.findHere(content, near)
    if (source !== undefined || this.#remote === undefined) return source
    return (await this.#remote.fetch(content.digest)) ? this.#stored(content.digest) : undefined
  }

  /** Can it be had, from wherever? */
  async canHave(content: FileContent): Promise<boolean> {
    return (await this.findHere(content)) !== undefined || (await this.#remote?.has(content.digest)) === true
  }

  /** On this machine. */
  async findHere(content: FileContent, near?: string): Promise<Source | undefined> {
    const { digest, name, executable } = content
    if (await this.#store.has(digest)) {
      return this.#stored(digest)
    }
    if (near !== undefined && (await this.isUnchanged(near, content))) return { path: near, external: true }
    const path = await this.#externals.locate(digest, name, executable)
    return path === undefined ? undefined : { path, external: true }
  }

  #stored(digest: Digest): Source {
    return { path: shard(this.#store.files.store, digest), external: false }
  }

  /**
   * Can all files of a tree be had, and all of its listings? Of files that are only in a shared store some are asked
   * for: a listing is there only if its files are, and a hundred thousand questions cost more than the answer is worth.
   */
  async haveTree(root: Digest): Promise<boolean> {
    const { whole } = this.#store
    if (whole.has(root)) return true
    const suspects = whole.suspects(root)
    const elsewhere: FileContent[] = []
    let kept = true
    try {
      for await (const entry of this.#listings.find(walk(root))) {
        if (entry.kind !== 'file' || suspects?.has(entry.digest.slice(0, 2)) === false) continue
        if (this.#store.hasNow(entry.digest, entry.size)) continue
        kept = false
        const content = { ...entry, name: nameOf(entry.path) }
        if ((await this.findHere(content)) !== undefined) continue
        if (this.#remote === undefined) return false
        if (elsewhere.length < mostAsked) elsewhere.push(content)
      }
      if (kept) whole.add(root)
      return (await Promise.all(elsewhere.map((content) => this.canHave(content)))).every((there) => there)
    } catch (error) {
      if (isAlmanacError(error) && gone.has(error.code)) return false
      throw error
    }
  }

  /** Is what lies with the user as the reference says? */
  async isUnchanged(path: string, ref: Pick<FileRef, 'digest' | 'executable'> | DirRef): Promise<boolean> {
    try {
      if (ref instanceof DirRef) await this.#externals.verifyDirectory(path, ref.digest)
      else await this.#externals.verifyFile(path, ref.digest, ref.executable)
      return true
    } catch (error) {
      if (isAlmanacError(error) && gone.has(error.code)) return false
      throw error
    }
  }
}

export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
