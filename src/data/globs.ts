import picomatch from 'picomatch'
import { AlmanacError } from '../model/errors.ts'
import type { ScanOptions } from '../ports/data.ts'

/** Files that are half there, or that tools leave beside data. */
export const defaultExclude: readonly string[] = [
  '*.part',
  '*.partial',
  '*.crdownload',
  '*.tmp',
  '*~',
  '*.swp',
  '*.idx',
  '.DS_Store',
  'Thumbs.db',
  '.nfs*',
]

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
    if (typeof glob !== 'string' || glob === '' || glob.length > 4096) {
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

function anyOf(globs: readonly string[]): (path: string, name: string) => boolean {
  const names = globs.filter((glob) => !glob.replace(/\/$/, '').includes('/')).map(compile)
  const paths = globs.filter((glob) => glob.replace(/\/$/, '').includes('/')).map(compile)
  return (path, name) => names.some((matches) => matches(name)) || paths.some((matches) => matches(path))
}

/** Dots are letters like others; `s`: newlines are too. */
const compile = (glob: string): ((text: string) => boolean) =>
  picomatch(glob.replace(/^\//, '').replace(/\/$/, ''), { dot: true, flags: 's', windows: false })
