import { namesOf } from '../../core/tree/name.ts'
import { AlmanacError } from '../../model/errors.ts'
import { DirRef, type FileRef } from '../../model/refs.ts'

/** Where the files of a data plane in memory lie. */
export const memoryHome = '/almanac'

export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
export const isOurs = (path: string): boolean => path.startsWith(`${memoryHome}/`)

/** Where a file of ours is given out. @throws ALM_PATH_REFUSED */
export function stagedPath(ref: FileRef): string {
  if (namesOf(ref.name).length !== 1)
    throw new AlmanacError('ALM_PATH_REFUSED', { path: ref.name, why: 'it is no name' })
  return `${memoryHome}/files/${ref.digest}${ref.executable ? '-x' : ''}/${ref.name}`
}

/** Where it lies with the user, if it does under its name. */
export function outsidePath(ref: FileRef | DirRef): string | undefined {
  if (ref.at === undefined || isOurs(ref.at)) return undefined
  return ref instanceof DirRef || nameOf(ref.at) === ref.name ? ref.at : undefined
}
