import { readFile } from 'node:fs/promises'
import { diff } from '../core/tree/diff.ts'
import { nameFault, namesOf } from '../core/tree/name.ts'
import { entryAt, walk } from '../core/tree/walk.ts'
import { AlmanacError } from '../model/errors.ts'
import { type Digest, DirRef, FileRef } from '../model/refs.ts'
import type { TreeChange, TreeEntry } from '../model/tree.ts'
import type { BlobStore, DataPlane, Moved, ScanOptions, Workspace } from '../ports/data.ts'
import type { Downloads } from '../ports/downloads.ts'
import { digestOf } from './blobs/blob-files.ts'
import type { StoreReport } from './check-store.ts'
import { checkStore } from './check-store.ts'
import { editDirectory } from './edit-directory.ts'
import { inputError, refused } from './files/failures.ts'
import type { GarbageOptions, GarbageReport } from './garbage/garbage.ts'
import { collectGarbage } from './garbage/garbage.ts'
import { moveIntoStore } from './move-into-store.ts'
import type { Parts } from './parts.ts'
import { openParts, recover } from './parts.ts'
import { checkShowable, digestShown, hideAt, showAt } from './plain-outputs.ts'
import type { Trimmed } from './shared/local-bound.ts'
import type { ObjectBlobs } from './shared/object-blobs.ts'
import { type Newest, showObjects } from './shared/show-objects.ts'
import { collectDir, collectFile } from './staging/collect.ts'
import { openInput, verifyInput } from './staging/inputs.ts'
import { keepTree } from './staging/keep-tree.ts'
import { makeWorkspace } from './staging/workspaces.ts'
import { writeTo } from './write-to.ts'

export interface DataPlaneOptions {
  /** the project's `.almanac`; made when it is first needed */
  readonly home: string
  /** where results are shown as plain files */
  readonly data: string
  /** threads for scanning, hashing and copying; one a core, at most 4, if absent */
  readonly threads?: number
  /** ms since 1970 */
  readonly now?: () => number
  /** a store that is shared with others: what is not here is had from there */
  readonly shared?: ObjectBlobs
  /** bytes of content to be kept here, where there is a shared store; all if absent */
  readonly localBytes?: number
}

/**
 * Directories and files on the local disk. Owns its parts from first use to `close`; nothing is made or read before.
 *
 * What a reference stands for is looked for with the user first (where it lies unchanged), then in the store.
 */
export class LocalDataPlane implements DataPlane {
  readonly #options: DataPlaneOptions
  #parts: Promise<Parts> | undefined
  /** where nothing goes that the journal speaks of */
  #lasting: Parts['store'] | undefined
  #downloads: Promise<Downloads> | undefined

  constructor(options: DataPlaneOptions) {
    this.#options = options
  }

  /** Its content-addressed bytes, for callers that have more than files to keep. */
  async blobs(): Promise<BlobStore> {
    return (await this.#open()).store
  }

  /** All that these stand for is in the shared store when it resolves. @throws ALM_BLOB_MISSING where a part of it lies with a user */
  async push(refs: readonly (FileRef | DirRef)[]): Promise<void> {
    if (refs.length > 0) await (await this.#open()).exchange?.content.push(refs)
  }

  /** Shows a directory at plain keys of the shared store, in place of what is shown there, or of one of `instead`. */
  async showObjects(name: string, newest: Newest, instead?: ReadonlySet<Digest>): Promise<void> {
    const { remote, listings, sources } = await this.#open()
    if (remote !== undefined) await showObjects({ remote, listings, sources }, name, newest, instead)
  }

  /** The listings of a directory are in the shared store when it resolves, but not its files. */
  async pushListings(digest: Digest): Promise<void> {
    await (await this.#open()).exchange?.listings.push([new DirRef(digest, 0, 0)])
  }

  /** The listings of a directory are here when it resolves to true. */
  async pullListings(digest: Digest): Promise<boolean> {
    return (await (await this.#open()).exchange?.listings.pull(digest)) === true
  }

  /** Downloads on their way into the store. */
  downloads(): Promise<Downloads> {
    // loaded only where something is downloaded
    this.#downloads ??= Promise.all([this.#open(), import('./downloads/local-downloads.ts')]).then(
      ([parts, { LocalDownloads }]) => new LocalDownloads(parts, (files) => this.assemble(files)),
    )
    return this.#downloads
  }

  async scan(path: string, options?: ScanOptions): Promise<FileRef | DirRef> {
    const { externals, store } = await this.#open()
    if (options?.keep !== true) return await externals.scan(path, options)
    return await store.taking(() => externals.scan(path, options, store))
  }

  async open(ref: FileRef | DirRef): Promise<string> {
    return await openInput(await this.#open(), ref)
  }

  async verify(refs: readonly (FileRef | DirRef)[]): Promise<void> {
    const parts = await this.#open()
    for (const ref of refs) await verifyInput(parts, ref)
  }

  async release(refs: readonly (FileRef | DirRef)[]): Promise<void> {
    const parts = await this.#open()
    if (parts.bound !== undefined) for (const ref of refs) parts.pins.release(ref.digest)
  }

  async pin(ref: FileRef | DirRef): Promise<() => void> {
    const { pins } = await this.#open()
    pins.pin(ref.digest)
    let isPinned = true
    return () => {
      // closed meanwhile, all are gone
      if (isPinned && this.#parts !== undefined) pins.release(ref.digest)
      isPinned = false
    }
  }

  async pinned(): Promise<ReadonlySet<Digest>> {
    const { pins } = await this.#open()
    return pins.all()
  }

  async workspace(name: string): Promise<Workspace> {
    const { presence } = await this.#open()
    return makeWorkspace(presence.attempts, name)
  }

  async collectFile(path: string): Promise<FileRef> {
    return await collectFile(await this.#open(), path)
  }

  async collectDir(path: string): Promise<DirRef> {
    return await collectDir(await this.#open(), path)
  }

  async moveIn(path: string): Promise<Moved> {
    return await moveIntoStore(await this.#open(), path)
  }

  async *entries(dir: DirRef): AsyncGenerator<TreeEntry> {
    const { listings } = await this.#open()
    yield* listings.find(walk(dir.digest))
  }

  async fileAt(dir: DirRef, path: string): Promise<FileRef | undefined> {
    const { externals, listings, sources, store } = await this.#open()
    const entry = await listings.run(entryAt(dir.digest, namesOf(path)))
    if (entry?.kind !== 'file') return undefined
    const { name, digest, size, executable } = entry
    const base = sources.externalPath(dir.at)
    if (base !== undefined) return new FileRef(name, digest, size, executable, `${base}/${path}`)
    const outside = store.hasNow(digest, size) ? undefined : await externals.locate(digest, name, executable)
    return new FileRef(name, digest, size, executable, outside)
  }

  async dirAt(dir: DirRef, path: string): Promise<DirRef | undefined> {
    const { listings, sources } = await this.#open()
    const entry = await listings.run(entryAt(dir.digest, namesOf(path)))
    if (entry?.kind !== 'dir') return undefined
    const base = sources.externalPath(dir.at)
    return new DirRef(
      entry.digest,
      entry.files,
      entry.size,
      base === undefined ? undefined : `${base}/${path}`,
    )
  }

  async assemble(entries: Iterable<readonly [path: string, ref: FileRef | DirRef]>): Promise<DirRef> {
    return await editDirectory(await this.#open(), undefined, entries)
  }

  async edit(base: DirRef, changes: ReadonlyMap<string, FileRef | DirRef | undefined>): Promise<DirRef> {
    return await editDirectory(await this.#open(), base, changes)
  }

  async *diff(before: DirRef, after: DirRef): AsyncGenerator<TreeChange> {
    const { listings } = await this.#open()
    yield* listings.find(diff(before.digest, after.digest))
  }

  async readFile(ref: FileRef): Promise<Uint8Array> {
    const { sources, store } = await this.#open()
    if (store.hasNow(ref.digest, ref.size)) return await store.get(ref.digest)
    const source = await sources.of(ref, sources.externalPath(ref.at))
    if (!source.external) return await store.get(ref.digest)
    try {
      const bytes = await readFile(source.path)
      if (digestOf(bytes) === ref.digest) return bytes
    } catch (error) {
      throw inputError(error, source.path)
    }
    throw new AlmanacError('ALM_INPUT_CHANGED', { path: source.path })
  }

  hasNow(ref: FileRef): boolean {
    return this.#lasting?.hasNow(ref.digest, ref.size) === true
  }

  readNow(ref: FileRef): Uint8Array {
    if (this.#lasting === undefined) throw new AlmanacError('ALM_BLOB_MISSING', { digest: ref.digest })
    return this.#lasting.getNow(ref.digest)
  }

  async writeFile(name: string, bytes: Uint8Array): Promise<FileRef> {
    const { store } = await this.#open()
    const fault = nameFault(name)
    if (fault !== undefined) throw refused(name, fault)
    return new FileRef(name, store.putNow(bytes), bytes.byteLength)
  }

  async available(ref: FileRef | DirRef): Promise<boolean> {
    const { sources } = await this.#open()
    const outside = sources.externalPath(ref.at)
    if (outside !== undefined && (await sources.isUnchanged(outside, ref))) return true
    return ref instanceof DirRef ? await sources.haveTree(ref.digest) : await sources.canHave(ref)
  }

  async show(environment: string, name: string, ref: FileRef | DirRef): Promise<string> {
    const { home, files, trees, sources } = await this.#open()
    const near = sources.externalPath(ref.at)
    const target = ref instanceof DirRef ? await trees.shown(ref.digest, near) : await files.open(ref, near)
    return showAt(home, this.#options.data, environment, name, target)
  }

  async keep(dir: DirRef, since?: DirRef): Promise<DirRef> {
    return await keepTree(await this.#open(), dir, since)
  }

  async checkShown(environment: string, name: string): Promise<void> {
    checkShowable(this.#options.home, this.#options.data, environment, name)
  }

  async shown(environment: string, name: string): Promise<Digest | undefined> {
    return digestShown(this.#options.home, this.#options.data, environment, name)
  }

  async hide(environment: string, name: string): Promise<void> {
    hideAt(this.#options.home, this.#options.data, environment, name)
  }

  async writeTo(ref: FileRef | DirRef, path: string): Promise<void> {
    await writeTo(await this.#open(), ref, path)
  }

  async sync(): Promise<void> {
    // where nothing was used, nothing was written
    const parts = await this.#parts
    await parts?.store.sync()
  }

  /** Where only so much is kept here, the rest goes; says how much there was, and went. */
  async trim(): Promise<Trimmed> {
    // where nothing was used, nothing came
    const parts = await this.#parts
    return (await parts?.bound?.trim()) ?? { bytes: 0, freed: 0 }
  }

  /** Frees what no root reaches, in two rounds more than a grace apart; says what it did, or would do. */
  async collectGarbage(options: GarbageOptions): Promise<GarbageReport> {
    return await collectGarbage(await this.#open(), this.#options.data, options)
  }

  /** Reads all blobs; damaged ones are moved aside, so that what made them runs again. */
  async checkStore(): Promise<StoreReport> {
    return await checkStore(await this.#open())
  }

  /** Removes what attempts of processes that are gone left; says of how many. */
  async cleanWorkspaces(): Promise<number> {
    return await recover(await this.#open())
  }

  async close(): Promise<void> {
    const opened = this.#parts
    this.#parts = undefined
    this.#lasting = undefined
    const parts = await opened?.catch(() => undefined)
    if (parts === undefined) return
    try {
      if (parts.presence.isReadOnly) return
      parts.statCache.save()
      await parts.store.sync()
      parts.store.whole.save()
      // only now: until all is on disk others must know of us
      parts.presence.leave()
    } finally {
      await parts.pool.close()
    }
  }

  #open(): Promise<Parts> {
    const { home, data, threads, now = Date.now, shared, localBytes } = this.#options
    const content = shared && { blobs: shared, data, ...(localBytes !== undefined && { most: localBytes }) }
    this.#parts ??= this.#opened(openParts(home, threads, now, content))
    return this.#parts
  }

  async #opened(opening: Promise<Parts>): Promise<Parts> {
    const parts = await opening
    if (parts.bound === undefined) this.#lasting = parts.store
    return parts
  }
}
