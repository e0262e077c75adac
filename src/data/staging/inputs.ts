import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { AlmanacError } from '../../model/errors.ts'
import { DirRef, FileRef } from '../../model/refs.ts'
import type { LocalParts } from './local-parts.ts'

/** Where a task reads a file or directory: with the user where it lies unchanged, else by the store. */
export async function openInput(parts: LocalParts, ref: FileRef | DirRef): Promise<string> {
  const outside = outsidePath(parts, ref)
  if (outside !== undefined && existsSync(outside)) return outside
  // where room is not short, nothing goes that the journal speaks of
  if (parts.bound !== undefined) parts.pins.pin(ref.digest)
  if (ref instanceof DirRef) return await parts.trees.open(ref.digest, outside)
  if (!parts.store.hasNow(ref.digest, ref.size)) {
    const source = await parts.sources.find(ref, outside)
    if (source?.external === true && basename(source.path) === ref.name) return source.path
  }
  return await parts.files.open(ref, parts.sources.externalPath(ref.at))
}

/** Where tasks read it if it lies with the user: there, unless it has another name. */
function outsidePath({ sources }: LocalParts, ref: FileRef | DirRef): string | undefined {
  const path = sources.externalPath(ref.at)
  return path === undefined || ref instanceof DirRef || basename(path) === ref.name ? path : undefined
}

/** Looks at what `openInput` gave. */
export async function verifyInput(parts: LocalParts, ref: FileRef | DirRef): Promise<void> {
  const { externals, files, trees, store, sources } = parts
  const outside = outsidePath(parts, ref)
  if (outside !== undefined && existsSync(outside)) {
    if (ref instanceof DirRef) await externals.verifyDirectory(outside, ref.digest)
    else await externals.verifyFile(outside, ref.digest, ref.executable)
    return
  }
  if (ref instanceof DirRef ? existsSync(trees.pathOf(ref.digest)) : files.isThere(ref)) {
    if (ref instanceof DirRef) await trees.verify(ref.digest)
    else await files.verify(ref)
    return
  }
  if (outside !== undefined) throw new AlmanacError('ALM_INPUT_CHANGED', { path: outside })
  if (ref instanceof FileRef && !store.hasNow(ref.digest, ref.size)) await sources.of(ref)
}
