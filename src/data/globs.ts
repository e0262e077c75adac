import picomatch from 'picomatch'
import { defaultExclude } from '../core/tree/default-exclude.ts'
import { AlmanacError } from '../model/errors.ts'
import type { ScanOptions } from '../ports/data.ts'

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
  const plain = globs.map((glob) => glob.replace(/\/$/, ''))
  const names = unionOf(plain.filter((glob) => !glob.includes('/')))
  const paths = unionOf(plain.filter((glob) => glob.includes('/')).map((glob) => glob.replace(/^\//, '')))
  return (path, name) => names?.test(name) === true || paths?.test(path) === true
}

/** One expression for all: a name is looked at once. Dots are letters like others, and so are newlines (`s`). */
function unionOf(globs: readonly string[]): RegExp | undefined {
  if (globs.length === 0) return undefined
  const options = { dot: true, flags: 's', windows: false }
  return new RegExp(globs.map((glob) => `(?:${picomatch.makeRe(glob, options).source})`).join('|'), 's')
}
