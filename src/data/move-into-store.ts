import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { AlmanacError } from '../model/errors.ts'
import { FileRef } from '../model/refs.ts'
import type { Moved } from '../ports/data.ts'
import type { LeftFile } from './blobs/blob-files.ts'
import { codeOf, inputError, isMissing } from './files/failures.ts'
import { type CollectTools, type TakenDir, takeDir } from './staging/collect.ts'

/** Of what stays behind so many are named. */
const named = 1000

/** What its owner gives away. It lies where it was until `remove`. @throws ALM_INPUT_MISSING, ALM_PATH_REFUSED, … */
export async function moveIntoStore(tools: CollectTools, path: string): Promise<Moved> {
  const stat = stateOf(path)
  if (!stat.isFile()) {
    const { dir, root, directories, taken } = await takeDir(tools, path, stat, 'link')
    return {
      ref: dir,
      remove: async () => removed(leftOf(taken), directories.toReversed(), root),
      undo: async (error) => tools.store.undone(taken, error),
    }
  }
  const [adopted] = await tools.store.adoptAll([{ path, size: Number(stat.size) }], 'link')
  if (adopted?.left === undefined) throw inputError(new Error('it was not taken'), path)
  const { digest, size, executable } = adopted
  const taken = [[path, adopted]] as const
  return {
    ref: new FileRef(basename(path), digest, size, executable),
    remove: async () => removed(leftOf(taken), [], path),
    undo: async (error) => tools.store.undone(taken, error),
  }
}

const leftOf = (taken: TakenDir['taken']): [path: string, state: LeftFile][] =>
  taken.flatMap(([path, { left }]) => (left === undefined ? [] : [[path, left]]))

function stateOf(path: string) {
  try {
    return lstatSync(path, { bigint: true })
  } catch (error) {
    if (isMissing(error)) throw new AlmanacError('ALM_INPUT_MISSING', { path }, { cause: error })
    throw inputError(error, path)
  }
}

/** Removes what was taken and is as it was then; says what is still there. Those below go before those above. */
function removed(
  files: readonly (readonly [path: string, state: LeftFile])[],
  directories: readonly string[],
  root: string,
): readonly string[] {
  for (const [path, { ino, size, mtimeNs }] of files) {
    unlessOthers(() => {
      const now = lstatSync(path, { bigint: true })
      if (now.ino === ino && now.size === size && now.mtimeNs === mtimeNs) unlinkSync(path)
    })
  }
  for (const path of directories) unlessOthers(() => rmdirSync(path))
  return remaining(root)
}

/** What came or changed meanwhile, or is not ours to remove, stays. */
function unlessOthers(remove: () => void): void {
  try {
    remove()
  } catch (error) {
    if (isMissing(error)) return
    if (!['ENOTEMPTY', 'EEXIST', 'EACCES', 'EPERM', 'EROFS', 'EBUSY'].includes(codeOf(error) ?? ''))
      throw error
  }
}

function remaining(root: string): readonly string[] {
  const stat = lstatSync(root, { throwIfNoEntry: false })
  if (stat === undefined) return []
  const left: string[] = []
  const open = [root]
  for (let path = open.pop(); path !== undefined && left.length < named; path = open.pop()) {
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
      left.push(path)
      continue
    }
    const names = readdirSync(path)
    if (names.length === 0) left.push(path)
    for (const name of names.toSorted().toReversed()) open.push(`${path}/${name}`)
  }
  return left
}
