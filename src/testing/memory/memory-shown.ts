import { namesOf } from '../../core/tree/name.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { MemoryFiles } from './memory-files.ts'

/** Where something is shown. @throws ALM_PATH_REFUSED, ALM_TARGET_EXISTS where something else is */
export function shownPath(files: MemoryFiles, environment: string, name: string): string {
  const names = [...namesOf(environment), ...namesOf(name)]
  if (names.some((one) => one.startsWith('.')))
    throw new AlmanacError('ALM_PATH_REFUSED', { path: name, why: 'a name begins with "."' })
  const path = `/data/${names.join('/')}`
  for (let i = 1; i < names.length; i++) {
    const parent = `/data/${names.slice(0, i).join('/')}`
    if (files.linkAt(parent) !== undefined || files.file(parent) !== undefined)
      throw new AlmanacError('ALM_TARGET_EXISTS', { path: parent })
  }
  if (files.linkAt(path) === undefined && files.isThere(path))
    throw new AlmanacError('ALM_TARGET_EXISTS', { path })
  return path
}
