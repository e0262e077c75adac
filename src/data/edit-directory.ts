import type { PathChange } from '../core/tree/edit.ts'
import { editTree } from '../core/tree/edit.ts'
import { totals } from '../core/tree/listing.ts'
import { DirRef, FileRef } from '../model/refs.ts'
import type { Parts } from './parts.ts'

/** A directory with some of its entries changed, made of references alone: nothing is copied. */
export async function editDirectory(
  parts: Parts,
  base: DirRef | undefined,
  given: Iterable<readonly [path: string, ref: FileRef | DirRef | undefined]>,
): Promise<DirRef> {
  const { listings, remote, store } = parts
  const refs = remote === undefined ? given : [...given]
  let kept = base === undefined || store.whole.has(base.digest)
  // their totals are read while nothing can be waited for
  if (remote !== undefined)
    for (const [, ref] of refs) if (ref instanceof DirRef) await listings.bring(ref.digest)
  const changes = function* (): Generator<readonly [string, PathChange]> {
    for (const [path, ref] of refs) yield [path, ref === undefined ? undefined : changeTo(ref)]
  }
  const changeTo = (ref: FileRef | DirRef): PathChange => {
    const { digest } = ref
    kept &&= ref instanceof FileRef ? store.hasNow(digest, ref.size) : store.whole.has(digest)
    if (ref instanceof FileRef)
      return { kind: 'file', digest, size: ref.size, executable: ref.executable, files: 1 }
    // not what the reference says: the tree's digest must follow from its content
    const { size, files } = totals(listings.read(digest))
    return { kind: 'dir', digest, size, executable: false, files }
  }
  const made = await listings.run(editTree(listings.maker, base?.digest, changes()))
  if (kept) store.whole.add(made.digest)
  return new DirRef(made.digest, made.files, made.size)
}
