import picomatch from 'picomatch'

export const isGlob = (glob: unknown): glob is string =>
  typeof glob === 'string' && glob !== '' && glob.length <= 4096

/** Does a glob match? One without `/` is matched against names at any depth, one with `/` against the path from the root. */
export function anyOf(globs: readonly string[]): (path: string, name: string) => boolean {
  const plain = globs.map((glob) => glob.replace(/\/$/, ''))
  const names = unionOf(plain.filter((glob) => !glob.includes('/')))
  const paths = unionOf(plain.filter((glob) => glob.includes('/')).map((glob) => glob.replace(/^\//, '')))
  return (path, name) => names?.test(name) === true || paths?.test(path) === true
}

/** One expression for all: a name is looked at once. Dots are characters like others, and so are newlines (`s`). */
function unionOf(globs: readonly string[]): RegExp | undefined {
  if (globs.length === 0) return undefined
  const options = { dot: true, flags: 's', windows: false }
  return new RegExp(globs.map((glob) => `(?:${picomatch.makeRe(glob, options).source})`).join('|'), 's')
}

/** Does it match the whole name of a dataset, `/` between its parts? */
export function nameGlob(glob: string): (name: string) => boolean {
  const expression = unionOf([glob])
  return (name) => expression?.test(name) === true
}
