import { defaultExclude } from '../../core/tree/default-exclude.ts'
import { diff } from '../../core/tree/diff.ts'
import type { PathChange } from '../../core/tree/edit.ts'
import { namesOf } from '../../core/tree/name.ts'
import { entryAt, walk } from '../../core/tree/walk.ts'
import { AlmanacError, isAlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import { DirRef, FileRef } from '../../model/refs.ts'
import type { TreeChange, TreeEntry } from '../../model/tree.ts'
import type { DataPlane, Moved, ScanOptions, Workspace } from '../../ports/data.ts'
import type { MemoryFile } from './memory-files.ts'
import { MemoryFiles } from './memory-files.ts'
import type { MemoryGlobs } from './memory-globs.ts'
import { takes } from './memory-globs.ts'
import { MemoryPins } from './memory-pins.ts'
import { isOurs, memoryHome, nameOf, outsidePath, stagedPath } from './memory-places.ts'
import { shownPath } from './memory-shown.ts'
import { digestOf, MemoryTrees } from './memory-trees.ts'

/**
 * The data plane in memory: for tests of what uses one. It passes the same contract as the real one.
 *
 * `files` is the world around it: what a test puts there can be scanned, and what a task leaves at an output path
 * can be collected. It outlives the process it is used by; `crash` is what happens to it when that ends.
 */
export class MemoryData implements DataPlane {
  readonly files = new MemoryFiles()
  /** called with the name of each operation before it does anything: throws what is to go wrong */
  onOperation: (operation: keyof DataPlane) => void = () => {}
  /** what attempts have in use, and how many of them */
  readonly inUse = new Map<Digest, number>()
  readonly #trees = new MemoryTrees()
  readonly #pins = new MemoryPins()
  /** where content was seen with the user */
  readonly #seen = new Map<Digest, Set<string>>()
  readonly #globs = new Map<string, MemoryGlobs>()

  /** The process ends: its attempts' directories are gone. With the power goes what was not synced. */
  crash(kind: 'process' | 'power'): void {
    this.files.remove(`${memoryHome}/work`)
    this.#pins.clear()
    this.inUse.clear()
    if (kind === 'process') return
    this.#trees.loseUnsynced()
    this.files.remove(`${memoryHome}/files`)
    this.files.remove(`${memoryHome}/trees`)
  }

  /** Loses bytes, as a disk may. */
  lose(digest: Digest): void {
    this.#trees.lose(digest)
    this.files.remove(`${memoryHome}/files/${digest}`)
  }

  async scan(path: string, options: ScanOptions = {}): Promise<FileRef | DirRef> {
    this.onOperation('scan')
    const file = this.files.file(path)
    if (file !== undefined) return this.#fileRef(nameOf(path), file, this.#see(path, file))
    if (!this.files.isDirectory(path)) throw new AlmanacError('ALM_INPUT_MISSING', { path })
    const globs = { include: options.include ?? [], exclude: options.exclude ?? defaultExclude }
    const { digest, entries, size } = this.#scanDirectory(path, globs)
    this.#globs.set(`${digest} ${path}`, globs)
    return new DirRef(digest, entries, size, path)
  }

  async open(ref: FileRef | DirRef): Promise<string> {
    this.#use(ref.digest, 1)
    this.onOperation('open')
    const outside = outsidePath(ref)
    if (outside !== undefined && this.files.isThere(outside)) return outside
    return ref instanceof DirRef ? this.#openDir(ref) : this.#openFile(ref)
  }

  async verify(refs: readonly (FileRef | DirRef)[]): Promise<void> {
    this.onOperation('verify')
    for (const ref of refs) {
      const outside = outsidePath(ref)
      if (outside !== undefined && this.files.isThere(outside)) this.#verifyOutside(ref, outside)
      else if (ref instanceof DirRef) this.#verifyStaged(`${memoryHome}/trees/${ref.digest}`, ref)
      else this.#verifyStaged(stagedPath(ref), ref)
    }
  }

  async release(refs: readonly (FileRef | DirRef)[]): Promise<void> {
    this.onOperation('release')
    for (const { digest } of refs) this.#use(digest, -1)
  }

  #use(digest: Digest, by: number): void {
    const count = (this.inUse.get(digest) ?? 0) + by
    if (count === 0) this.inUse.delete(digest)
    else this.inUse.set(digest, count)
  }

  async pin({ digest }: FileRef | DirRef): Promise<() => void> {
    this.onOperation('pin')
    return this.#pins.pin(digest)
  }

  async pinned(): Promise<ReadonlySet<Digest>> {
    return this.#pins.all()
  }

  async workspace(name: string): Promise<Workspace> {
    this.onOperation('workspace')
    const directory = `${memoryHome}/work/${encodeURIComponent(name)}`
    this.files.remove(directory)
    for (const part of ['scratch', 'out']) this.files.makeDirectory(`${directory}/${part}`)
    return {
      scratch: `${directory}/scratch`,
      output: (output) => `${directory}/out/${namesOf(output).join('/')}`,
      remove: async () => this.files.remove(directory),
    }
  }

  async collectFile(path: string): Promise<FileRef> {
    this.onOperation('collectFile')
    const file = this.files.file(path)
    if (file === undefined) throw this.#notCollected(path, 'a directory, where a file was declared')
    this.files.remove(path)
    return new FileRef(nameOf(path), this.#trees.put(file.bytes), file.bytes.length, file.executable)
  }

  async collectDir(path: string): Promise<DirRef> {
    this.onOperation('collectDir')
    if (!this.files.isDirectory(path))
      throw this.#notCollected(path, 'a file, where a directory was declared')
    const entries = [...this.files.below(path)].map(([name, file]): readonly [string, PathChange] => {
      if (file !== undefined) this.#trees.put(file.bytes)
      return [name, this.#trees.changeTo(file)]
    })
    this.files.remove(path)
    return this.#trees.edit(undefined, entries)
  }

  async moveIn(path: string): Promise<Moved> {
    const ref = this.files.isDirectory(path) ? await this.collectDir(path) : await this.collectFile(path)
    return { ref, remove: async () => [], undo: async (error) => error }
  }

  async *entries(dir: DirRef): AsyncGenerator<TreeEntry> {
    this.onOperation('entries')
    yield* this.#trees.find(walk(dir.digest))
  }

  async fileAt(dir: DirRef, path: string): Promise<FileRef | undefined> {
    this.onOperation('fileAt')
    const entry = this.#trees.run(entryAt(dir.digest, namesOf(path)))
    if (entry?.kind !== 'file') return undefined
    const { name, digest, size, executable } = entry
    const at =
      dir.at !== undefined && !isOurs(dir.at)
        ? `${dir.at}/${path}`
        : this.#trees.has(digest)
          ? undefined
          : this.#locate(digest, name)
    return new FileRef(name, digest, size, executable, at)
  }

  async dirAt(dir: DirRef, path: string): Promise<DirRef | undefined> {
    this.onOperation('dirAt')
    const entry = this.#trees.run(entryAt(dir.digest, namesOf(path)))
    if (entry?.kind !== 'dir') return undefined
    return new DirRef(
      entry.digest,
      entry.files,
      entry.size,
      dir.at === undefined || isOurs(dir.at) ? undefined : `${dir.at}/${path}`,
    )
  }

  async assemble(entries: Iterable<readonly [path: string, ref: FileRef | DirRef]>): Promise<DirRef> {
    this.onOperation('assemble')
    return this.#trees.edit(
      undefined,
      [...entries].map(([path, ref]) => [path, this.#trees.changeToRef(ref)] as const),
    )
  }

  async edit(base: DirRef, changes: ReadonlyMap<string, FileRef | DirRef | undefined>): Promise<DirRef> {
    this.onOperation('edit')
    return this.#trees.edit(
      base.digest,
      [...changes].map(([path, ref]) => [path, this.#trees.changeToRef(ref)] as const),
    )
  }

  async *diff(before: DirRef, after: DirRef): AsyncGenerator<TreeChange> {
    this.onOperation('diff')
    yield* this.#trees.find(diff(before.digest, after.digest))
  }

  async readFile(ref: FileRef): Promise<Uint8Array> {
    this.onOperation('readFile')
    const outside = ref.at === undefined || isOurs(ref.at) ? undefined : ref.at
    const bytes =
      this.#trees.get(ref.digest) ??
      this.files.file(outside ?? this.#locate(ref.digest, ref.name) ?? '')?.bytes
    if (bytes === undefined && outside === undefined)
      throw new AlmanacError('ALM_BLOB_MISSING', { digest: ref.digest })
    if (bytes === undefined || digestOf(bytes) !== ref.digest) throw changed(outside ?? ref.name)
    return bytes
  }

  async writeFile(name: string, bytes: Uint8Array): Promise<FileRef> {
    this.onOperation('writeFile')
    if (namesOf(name).length !== 1)
      throw new AlmanacError('ALM_PATH_REFUSED', { path: name, why: 'it is no name' })
    return new FileRef(name, this.#trees.put(bytes.slice()), bytes.length)
  }

  hasNow(ref: FileRef): boolean {
    this.onOperation('hasNow')
    return this.#trees.get(ref.digest) !== undefined
  }

  readNow(ref: FileRef): Uint8Array {
    this.onOperation('readNow')
    const bytes = this.#trees.get(ref.digest)
    if (bytes === undefined) throw new AlmanacError('ALM_BLOB_MISSING', { digest: ref.digest })
    return bytes
  }

  async available(ref: FileRef | DirRef): Promise<boolean> {
    this.onOperation('available')
    try {
      const outside = ref.at === undefined || isOurs(ref.at) ? undefined : ref.at
      if (outside !== undefined && this.files.isThere(outside)) {
        this.#verifyOutside(ref, outside)
        return true
      }
      if (ref instanceof FileRef) return this.#has(ref.digest, ref.name)
      return [...this.#trees.find(walk(ref.digest))].every(
        (entry) => entry.kind !== 'file' || this.#has(entry.digest, nameOf(entry.path)),
      )
    } catch (error) {
      if (isAlmanacError(error) && ['ALM_INPUT_CHANGED', 'ALM_BLOB_MISSING'].includes(error.code))
        return false
      throw error
    }
  }

  async show(environment: string, name: string, ref: FileRef | DirRef): Promise<string> {
    this.onOperation('show')
    const path = shownPath(this.files, environment, name)
    this.files.link(path, ref instanceof DirRef ? this.#openDir(ref) : this.#openFile(ref, true))
    return path
  }

  #filesOf(dir: DirRef): Map<string, TreeEntry> {
    const files = new Map<string, TreeEntry>()
    for (const entry of this.#trees.find(walk(dir.digest)))
      if (entry.kind === 'file') files.set(`${entry.path} ${entry.digest}`, entry)
    return files
  }

  async keep(dir: DirRef, since?: DirRef): Promise<DirRef> {
    this.onOperation('keep')
    const known = since === undefined ? new Set<string>() : new Set(this.#filesOf(since).keys())
    for (const [key, { digest, path }] of this.#filesOf(dir))
      if (!known.has(key)) this.#trees.put(this.#bytes(digest, nameOf(path)))
    return new DirRef(dir.digest, dir.entries, dir.size)
  }

  async checkShown(environment: string, name: string): Promise<void> {
    this.onOperation('checkShown')
    shownPath(this.files, environment, name)
  }

  async shown(environment: string, name: string): Promise<Digest | undefined> {
    this.onOperation('shown')
    const target = this.files.linkAt(`/data/${[...namesOf(environment), ...namesOf(name)].join('/')}`)
    return target === undefined ? undefined : (/[0-9a-f]{64}/.exec(target)?.[0] ?? undefined)
  }

  async hide(environment: string, name: string): Promise<void> {
    this.onOperation('hide')
    this.files.remove(shownPath(this.files, environment, name))
  }

  async writeTo(ref: FileRef | DirRef, path: string): Promise<void> {
    this.onOperation('writeTo')
    if (this.files.isThere(path)) throw new AlmanacError('ALM_TARGET_EXISTS', { path })
    if (ref instanceof FileRef) return this.files.write(path, await this.readFile(ref), ref.executable)
    this.#layOut(ref, path, false)
  }

  async sync(): Promise<void> {
    this.onOperation('sync')
    this.#trees.sync()
  }

  async close(): Promise<void> {
    this.onOperation('close')
    this.files.remove(`${memoryHome}/work`)
  }

  #fileRef(name: string, file: MemoryFile, at: string): FileRef {
    return new FileRef(name, digestOf(file.bytes), file.bytes.length, file.executable, at)
  }

  #see(path: string, file: MemoryFile): string {
    const digest = digestOf(file.bytes)
    const paths = this.#seen.get(digest) ?? new Set()
    this.#seen.set(digest, paths.add(path))
    return path
  }

  #scanDirectory(root: string, globs: MemoryGlobs): DirRef {
    const entries: [string, PathChange][] = []
    for (const [path, file] of this.files.below(root)) {
      if (!takes(globs, path, file !== undefined)) continue
      if (file !== undefined) this.#see(`${root}/${path}`, file)
      entries.push([path, this.#trees.changeTo(file)])
    }
    return this.#trees.edit(undefined, entries)
  }

  #locate(digest: Digest, name: string): string | undefined {
    const paths = [...(this.#seen.get(digest) ?? [])].filter((path) => {
      const file = this.files.file(path)
      return file !== undefined && digestOf(file.bytes) === digest
    })
    return paths.find((path) => nameOf(path) === name) ?? paths[0]
  }

  #has(digest: Digest, name: string): boolean {
    return this.#trees.has(digest) || this.#locate(digest, name) !== undefined
  }

  #bytes(digest: Digest, name: string): Uint8Array {
    const bytes = this.#trees.get(digest) ?? this.files.file(this.#locate(digest, name) ?? '')?.bytes
    if (bytes !== undefined) return bytes
    for (const path of this.#seen.get(digest) ?? []) throw changed(path)
    throw new AlmanacError('ALM_BLOB_MISSING', { digest })
  }

  #openFile(ref: FileRef, alwaysStaged = false): string {
    const located = this.#trees.has(ref.digest) ? undefined : this.#locate(ref.digest, ref.name)
    if (!alwaysStaged && located !== undefined && nameOf(located) === ref.name) return located
    const path = stagedPath(ref)
    if (located !== undefined) this.files.link(path, located)
    else if (this.files.file(path) === undefined)
      this.files.write(path, this.#bytes(ref.digest, ref.name), ref.executable)
    return path
  }

  #openDir(ref: DirRef): string {
    const path = `${memoryHome}/trees/${ref.digest}`
    if (!this.files.isThere(path)) this.#layOut(ref, path, true)
    return path
  }

  #layOut(dir: DirRef, target: string, links: boolean): void {
    const entries = [...this.#trees.find(walk(dir.digest))].map((entry) => ({
      ...entry,
      bytes: entry.kind === 'file' ? this.#bytes(entry.digest, nameOf(entry.path)) : undefined,
    }))
    this.files.makeDirectory(target)
    for (const { path, bytes, digest, executable } of entries) {
      const located = links && !this.#trees.has(digest) ? this.#locate(digest, nameOf(path)) : undefined
      if (bytes === undefined) this.files.makeDirectory(`${target}/${path}`)
      else if (located !== undefined) this.files.link(`${target}/${path}`, located)
      else this.files.write(`${target}/${path}`, bytes, executable)
    }
  }

  #verifyOutside(ref: FileRef | DirRef, path: string): void {
    if (ref instanceof FileRef) {
      const file = this.files.file(path)
      if (file === undefined || digestOf(file.bytes) !== ref.digest || file.executable !== ref.executable)
        throw changed(path)
      return
    }
    const now = this.#scanDirectory(
      path,
      this.#globs.get(`${ref.digest} ${path}`) ?? { include: [], exclude: defaultExclude },
    )
    for (const difference of this.#trees.find(diff(ref.digest, now.digest)))
      throw changed(`${path}/${difference.path}`)
  }

  #verifyStaged(path: string, ref: FileRef | DirRef): void {
    if (!this.files.isThere(path)) {
      const at = outsidePath(ref)
      if (at !== undefined) throw changed(at)
      const located =
        ref instanceof FileRef && !this.#trees.has(ref.digest) ? this.#locate(ref.digest, ref.name) : ''
      if (located === undefined) throw changed(ref instanceof FileRef ? ref.name : path)
      return
    }
    const wrong =
      ref instanceof FileRef ? this.#isOther(path, ref.digest) && path : this.#firstOther(path, ref)
    if (typeof wrong !== 'string') return
    const outside = this.files.linkAt(wrong)
    this.files.remove(path)
    if (outside !== undefined) throw changed(outside)
    throw new AlmanacError('ALM_TASK_WROTE_INPUT', { path: wrong, digest: ref.digest })
  }

  #isOther(path: string, digest: Digest): boolean {
    const file = this.files.file(path)
    return file === undefined || digestOf(file.bytes) !== digest
  }

  #firstOther(path: string, ref: DirRef): string | undefined {
    const now = this.#trees.edit(
      undefined,
      [...this.files.below(path)].map(([name, file]) => [name, this.#trees.changeTo(file)] as const),
    )
    for (const difference of this.#trees.find(diff(ref.digest, now.digest)))
      return `${path}/${difference.path}`
    return undefined
  }

  #notCollected(path: string, what: string): AlmanacError {
    if (this.files.isThere(path)) return new AlmanacError('ALM_PATH_REFUSED', { path, why: `it is ${what}` })
    return new AlmanacError('ALM_OUTPUT_MISSING', { name: nameOf(path), path })
  }
}

/** A data plane in memory that knows nothing yet. */
export const openMemoryData = (): MemoryData => new MemoryData()

const changed = (path: string) => new AlmanacError('ALM_INPUT_CHANGED', { path })
