import { linkSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { AlmanacError } from '../model/errors.ts'
import type { DirRef } from '../model/refs.ts'
import { FileRef } from '../model/refs.ts'
import type { Listings } from './blobs/listings.ts'
import { codeOf, inStore } from './files/failures.ts'
import { removeTree } from './files/remove-tree.ts'
import type { CopyRunner } from './staging/copy-files.ts'
import type { Sources } from './staging/sources.ts'
import { copyTree } from './staging/tree-files.ts'

export interface WriteTools {
  readonly pool: CopyRunner
  readonly listings: Listings
  readonly sources: Sources
}

/** Copies to a path of the user's, all of it or nothing. @throws ALM_TARGET_EXISTS, ALM_BLOB_MISSING, ALM_INPUT_CHANGED */
export async function writeTo(tools: WriteTools, ref: FileRef | DirRef, path: string): Promise<void> {
  const target = resolve(path)
  const temporary = `${dirname(target)}/.${crypto.randomUUID()}.part`
  checkFree(target)
  inStore(target, () => mkdirSync(dirname(target), { recursive: true }))
  const near = tools.sources.externalPath(ref.at)
  try {
    if (ref instanceof FileRef) {
      const source = await tools.sources.of(ref, near)
      const copy = {
        from: source.path,
        external: source.external,
        digest: ref.digest,
        executable: ref.executable,
        path: temporary,
      }
      await tools.pool.run({ kind: 'copy', targets: [copy] })
    } else await copyTree(tools, ref.digest, temporary, near)
    inStore(target, () => moveToFree(temporary, target, ref instanceof FileRef))
  } finally {
    removeTree(temporary)
  }
}

function checkFree(path: string): void {
  const stat = inStore(path, () => lstatSync(path, { throwIfNoEntry: false }))
  if (stat !== undefined) throw new AlmanacError('ALM_TARGET_EXISTS', { path })
}

function moveToFree(from: string, to: string, isFile: boolean): void {
  try {
    // a rename would take the place of a file that came meanwhile
    if (isFile) linkSync(from, to)
    else renameSync(from, to)
    if (isFile) rmSync(from)
  } catch (error) {
    if (['EEXIST', 'ENOTEMPTY', 'ENOTDIR'].includes(codeOf(error) ?? ''))
      throw new AlmanacError('ALM_TARGET_EXISTS', { path: to }, { cause: error })
    if (!['EPERM', 'ENOTSUP', 'ENOSYS'].includes(codeOf(error) ?? '')) throw error
    // a file system without hard links
    checkFree(to)
    renameSync(from, to)
  }
}
