import { chmodSync, lstatSync, mkdirSync, readlinkSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { nameFault } from '../../core/tree/name.ts'
import { AlmanacError } from '../../model/errors.ts'
import { seal, temporaryPath } from '../blobs/blob-files.ts'
import type { LocalBlobStore } from '../blobs/blob-store.ts'
import { bearsStamp } from '../blobs/stamp.ts'
import { codeOf, inStore, refused } from '../files/failures.ts'
import type { Home } from '../files/home.ts'
import { isDigest, shard } from '../files/home.ts'
import { hashInput } from '../files/read-file.ts'
import type { Externals } from '../scan/externals.ts'
import type { FileContent, Sources } from './sources.ts'
import { stageFile, stageLink } from './stage-file.ts'

/**
 * Files of the store at paths that tasks may read: `files/<aa>/<digest>/<name>`.
 *
 * F1 a path depends on name, content and executable bit only, and is not written to by us once it is there, except
 *    to undo what a task has done to it.
 * F2 what was written to is found by size and stamp; the store's own copy is then read, and moved aside if a task
 *    wrote through a link to it.
 */
export class StagedFiles {
  readonly #home: Home
  readonly #store: LocalBlobStore
  readonly #externals: Externals
  readonly #sources: Sources

  constructor(home: Home, store: LocalBlobStore, externals: Externals, sources: Sources) {
    this.#home = home
    this.#store = store
    this.#externals = externals
    this.#sources = sources
  }

  /** `near`: where it lay with the user, if it did. @throws ALM_BLOB_MISSING, ALM_STORE_… */
  async open(content: FileContent, near?: string): Promise<string> {
    const path = this.#pathOf(content)
    if (!(await this.isAsStaged(path, content))) await this.#put(content, path, near)
    return path
  }

  /** @throws ALM_TASK_WROTE_INPUT, after undoing it; ALM_INPUT_CHANGED where it lies with the user */
  async verify(content: FileContent): Promise<void> {
    const path = this.#pathOf(content)
    if (await this.isAsStaged(path, content)) return
    const wrote = await this.wasWrittenTo(path, content)
    if (await this.#sources.find(content)) await this.#put(content, path)
    else inStore(path, () => removeFromClosed(path))
    if (wrote) throw new AlmanacError('ALM_TASK_WROTE_INPUT', { path, digest: content.digest })
  }

  /** Is it there, as it was put there, by one look? */
  isAsStaged(path: string, content: FileContent): boolean | Promise<boolean> {
    const stat = inStore(path, () => lstatSync(path, { bigint: true, throwIfNoEntry: false }))
    if (stat === undefined) return false
    if (stat.isSymbolicLink())
      return this.#sources.isUnchanged(
        inStore(path, () => readlinkSync(path)),
        content,
      )
    if (!stat.isFile() || stat.size !== BigInt(content.size)) return false
    return !this.#store.files.stamps || bearsStamp(content.digest, stat)
  }

  /**
   * Something is wrong at a staged path: is its content another? The blob behind it is checked too. What was only
   * touched is sealed again.
   */
  async wasWrittenTo(path: string, { digest, executable }: FileContent): Promise<boolean> {
    const damaged = (await this.#store.check([digest])).length > 0
    const stat = inStore(path, () => lstatSync(path, { bigint: true, throwIfNoEntry: false }))
    if (stat?.isSymbolicLink() === true) {
      await this.#externals.verifyFile(
        inStore(path, () => readlinkSync(path)),
        digest,
        executable,
      )
      return false
    }
    if (damaged || stat === undefined || !stat.isFile() || hashInput(path).digest !== digest) return true
    inStore(path, () => seal(path, digest, stat.mtimeNs, executable))
    return false
  }

  isThere(content: FileContent): boolean {
    const path = this.#pathOf(content)
    return inStore(path, () => lstatSync(path, { throwIfNoEntry: false })) !== undefined
  }

  /** A reference may come from a file that anybody wrote. */
  #pathOf({ name, digest, executable }: FileContent): string {
    const fault = nameFault(name)
    if (fault !== undefined) throw refused(name, fault)
    if (!isDigest(digest)) throw new AlmanacError('ALM_BLOB_MISSING', { digest })
    // one file cannot have two modes
    return `${shard(this.#home.files, digest)}${executable ? '-x' : ''}/${name}`
  }

  async #put(content: FileContent, path: string, near?: string): Promise<void> {
    const source = await this.#sources.of(content, near)
    const temporary = temporaryPath(this.#store.files)
    try {
      if (source.external) stageLink(source.path, temporary)
      else stageFile(this.#store.files, content.digest, content.executable, temporary)
      inStore(path, () => moveIntoClosed(temporary, path))
    } finally {
      // still there where both were links to one file, which a rename leaves alone
      rmSync(temporary, { force: true })
    }
  }
}

function moveIntoClosed(from: string, to: string): void {
  inClosed(dirname(to), () => renameSync(from, to))
}

const removeFromClosed = (path: string): void => inClosed(dirname(path), () => rmSync(path, { force: true }))

/** Directories of staged files are read only, so that tasks leave nothing in them. */
function inClosed(directory: string, work: () => void): void {
  for (let attempt = 0; ; attempt++) {
    try {
      mkdirSync(directory, { recursive: true })
      chmodSync(directory, 0o755)
      work()
      chmodSync(directory, 0o555)
      return
    } catch (error) {
      // another process closed it, or a collection removed it, in between
      if (attempt === 9 || !['EACCES', 'ENOENT'].includes(codeOf(error) ?? '')) throw error
    }
  }
}
