import { AlmanacError, isAlmanacError } from '../../model/errors.ts'
import type { DirRef, FileRef } from '../../model/refs.ts'
import type { DataPlane } from '../../ports/data.ts'

/** Takes a declared output into the store. @throws ALM_OUTPUT_MISSING, ALM_OUTPUT_REFUSED */
export async function collectOutput(
  data: DataPlane,
  name: string,
  kind: 'file' | 'dir',
  path: string,
): Promise<FileRef | DirRef> {
  try {
    return kind === 'file' ? await data.collectFile(path) : await data.collectDir(path)
  } catch (error) {
    throw ofOutput(name, path, error)
  }
}

/** In the author's terms: where outputs lie while a task runs is nobody's concern. */
function ofOutput(name: string, path: string, error: unknown): unknown {
  if (!isAlmanacError(error)) return error
  if (error.code === 'ALM_OUTPUT_MISSING') return new AlmanacError('ALM_OUTPUT_MISSING', { name })
  if (error.code !== 'ALM_PATH_REFUSED') return error
  const { path: at, why } = error.details
  const within = String(at).startsWith(`${path}/`) ? `${String(at).slice(path.length + 1)} in it: ` : ''
  return new AlmanacError('ALM_OUTPUT_REFUSED', { name, why: `${within}${why}` })
}
