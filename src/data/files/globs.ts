import { defaultExclude } from '../../core/tree/default-exclude.ts'
import { anyOf, isGlob } from '../../core/tree/path-globs.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { ScanOptions } from '../../ports/data.ts'

/** Globs in full: what was scanned is known by them. */
export interface Globs {
  readonly include: readonly string[]
  readonly exclude: readonly string[]
}

/**
 * A glob without `/` is matched against names at any depth, one with `/` against the path from the root; an
 * excluded directory is not entered. With `include`, only files that match and the directories above them are there.
 */
export interface PathFilter {
  takesFile(path: string, name: string): boolean
  entersDir(path: string, name: string): boolean
}

/** @throws ALM_USAGE where a glob is none */
export function globsOf(options: ScanOptions = {}): Globs {
  const globs = { include: options.include ?? [], exclude: options.exclude ?? defaultExclude }
  for (const glob of [...globs.include, ...globs.exclude]) {
    if (!isGlob(glob)) {
      throw new AlmanacError('ALM_USAGE', { why: `${JSON.stringify(glob)} is no glob` })
    }
  }
  return globs
}

export function filterOf(globs: Globs): PathFilter {
  const included = anyOf(globs.include)
  const excluded = anyOf(globs.exclude)
  return {
    takesFile: (path, name) => (globs.include.length === 0 || included(path, name)) && !excluded(path, name),
    entersDir: (path, name) => !excluded(path, name),
  }
}
