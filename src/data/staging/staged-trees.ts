import { chmodSync, mkdirSync, utimesSync } from 'node:fs'
import { dirname } from 'node:path'
import { walk } from '../../core/tree/walk.ts'
import { AlmanacError, isAlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import type { TreeEntry } from '../../model/tree.ts'
import { temporaryPath } from '../blobs/blob-files.ts'
import type { LocalBlobStore } from '../blobs/blob-store.ts'
import type { Listings } from '../blobs/listings.ts'
import { codeOf, inStore, isMissing, storeError } from '../files/failures.ts'
import type { Home } from '../files/home.ts'
import { isDigest, shard } from '../files/home.ts'
import { namesIn } from '../files/missing-files.ts'
import { moveClosed } from '../files/move-closed.ts'
import { removeTree } from '../files/remove-tree.ts'
import type { Sources } from './sources.ts'
import { nameOf } from './sources.ts'
import type { StageRunner } from './stage-listings.ts'
import { stageTree } from './stage-tree.ts'
import type { StagedFiles } from './staged-files.ts'

/** Trees that this process has looked at whole. */
const keptChecked = 10_000

export interface StagedTreeTools {
  readonly home: Home
  readonly pool: StageRunner
  readonly store: LocalBlobStore
  readonly listings: Listings
  readonly sources: Sources
  readonly files: StagedFiles
}

/**
 * Directories of the store at paths that tasks and people may read: `trees/<aa>/<digest>`.
 *
 * T1 one appears whole, by a rename, and is made once. It is read only from then on.
 * T2 each process looks at a tree whole before it first gives it out; later looks are `verify`'s.
 */
export class StagedTrees {
  readonly #tools: StagedTreeTools
  readonly #checked = new Set<Digest>()
  readonly #making = new Map<Digest, Promise<void>>()

  constructor(tools: StagedTreeTools) {
    this.#tools = tools
  }

  pathOf(digest: Digest): string {
    if (!isDigest(digest)) throw new AlmanacError('ALM_BLOB_MISSING', { digest })
    return shard(this.#tools.home.trees, digest)
  }

  /** `near`: where it lay with the user, if it did. @throws ALM_BLOB_MISSING, ALM_STORE_… */
  async open(digest: Digest, near?: string): Promise<string> {
    const path = this.pathOf(digest)
    // at once by two attempts: made by one
    const making = this.#making.get(digest) ?? this.#ready(digest, path, near)
    this.#making.set(digest, making)
    try {
      await making
    } finally {
      this.#making.delete(digest)
    }
    return path
  }

  /** For people: one that is there is not looked at whole again, however many files it has. */
  async shown(digest: Digest, near?: string): Promise<string> {
    const path = this.pathOf(digest)
    return date(path) ? path : await this.open(digest, near)
  }

  /** @throws ALM_TASK_WROTE_INPUT, naming the first file that differs, after undoing it; ALM_INPUT_CHANGED where it lies with the user */
  async verify(digest: Digest): Promise<void> {
    const path = this.pathOf(digest)
    let first: string | undefined
    for await (const fault of this.#faults(digest, path)) {
      const wrote =
        fault.entry === undefined ||
        (await this.#tools.files.wasWrittenTo(fault.path, { ...fault.entry, name: nameOf(fault.path) }))
      if (wrote) first ??= fault.path
    }
    if (first === undefined) return
    this.#checked.delete(digest)
    await this.#restore(digest, path)
    throw new AlmanacError('ALM_TASK_WROTE_INPUT', { path: first, digest })
  }

  async #ready(digest: Digest, path: string, near: string | undefined): Promise<void> {
    if (this.#checked.has(digest) && date(path)) return
    if (!date(path)) await this.#make(digest, path, 'keep', near)
    else {
      const { done } = await this.#faults(digest, path).next()
      if (done !== true) await this.#make(digest, path, 'replace', near)
      // whoever made it may have died between the rename and this
      else inStore(path, () => chmodSync(path, 0o555))
    }
    if (this.#checked.size >= keptChecked) this.#checked.clear()
    this.#checked.add(digest)
  }

  /** A tree whose bytes are no longer there is taken away: it is made again with them. */
  async #restore(digest: Digest, path: string): Promise<void> {
    try {
      await this.#make(digest, path, 'replace')
    } catch (error) {
      if (!isAlmanacError(error) || error.code !== 'ALM_BLOB_MISSING') throw error
      inStore(path, () => this.#moveAside(path))
    }
  }

  /** `keep`: one that another process has made meanwhile stays, its tasks are reading it. */
  async #make(digest: Digest, path: string, other: 'keep' | 'replace', near?: string): Promise<void> {
    const { store } = this.#tools
    const temporary = temporaryPath(store.files)
    try {
      await stageTree(this.#tools, digest, temporary, near)
      inStore(path, () => this.#moveIn(temporary, path, other))
    } finally {
      removeTree(temporary)
    }
  }

  #moveIn(from: string, to: string, other: 'keep' | 'replace'): void {
    mkdirSync(dirname(to), { recursive: true })
    for (let attempt = 0; ; attempt++) {
      try {
        return moveClosed(from, to)
      } catch (error) {
        if (attempt === 9 || !['ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '')) throw error
        if (other === 'keep') return
        this.#moveAside(to)
      }
    }
  }

  #moveAside(path: string): void {
    const aside = temporaryPath(this.#tools.store.files)
    try {
      moveClosed(path, aside)
    } catch (error) {
      if (isMissing(error)) return
      throw error
    }
    removeTree(aside)
  }

  /** What is not as it was put there: files of the tree, and things that are not of the tree (without an entry). */
  async *#faults(
    digest: Digest,
    path: string,
  ): AsyncGenerator<{ readonly path: string; readonly entry?: TreeEntry }> {
    const names = new Map<string, Set<string>>([[path, new Set()]])
    for await (const entry of this.#tools.listings.find(walk(digest))) {
      const full = `${path}/${entry.path}`
      addNames(names, path, full)
      if (entry.kind === 'empty-dir') names.set(full, new Set())
      else {
        const asStaged = this.#tools.files.isAsStaged(full, { ...entry, name: nameOf(full) })
        // of a hundred thousand files none but the user's are waited for
        if (asStaged !== true && !(await asStaged)) yield { path: full, entry }
      }
    }
    for (const [directory, expected] of names) {
      const found = inStore(directory, () => namesIn(directory))
      for (const name of found) if (!expected.has(name)) yield { path: `${directory}/${name}` }
      // missing files were found above; an empty directory was not
      if (found.length === 0 && !date(directory)) yield { path: directory }
    }
  }
}

function addNames(names: Map<string, Set<string>>, root: string, path: string): void {
  const slash = path.lastIndexOf('/')
  const directory = path.slice(0, slash)
  const siblings = names.get(directory)
  if (siblings !== undefined) return void siblings.add(path.slice(slash + 1))
  names.set(directory, new Set([path.slice(slash + 1)]))
  if (directory !== root) addNames(names, root, directory)
}

/** Dates it anew, so that no collection takes it soon; false where it is not there. */
function date(path: string): boolean {
  try {
    utimesSync(path, Date.now() / 1000, Date.now() / 1000)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw storeError(error, path)
  }
}
