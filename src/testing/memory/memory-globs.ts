/** Globs in full. */
export interface MemoryGlobs {
  readonly include: readonly string[]
  readonly exclude: readonly string[]
}

/** Of the real one's globs those with `*`, `**` and `?`. */
export function takes({ include, exclude }: MemoryGlobs, path: string, isFile: boolean): boolean {
  const parts = path.split('/')
  const ways = parts.map((_, i) => parts.slice(0, i + 1).join('/'))
  if (ways.some((way) => exclude.some((glob) => matches(glob, way)))) return false
  return include.length === 0 || (isFile && include.some((glob) => matches(glob, path)))
}

function matches(glob: string, path: string): boolean {
  const expression = glob
    .replace(/\/$/, '')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(
      /\*\*\/|\*\*|\*|\?/g,
      (wild) => ({ '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' })[wild] as string,
    )
  return new RegExp(`^${expression}$`, 's').test(glob.replace(/\/$/, '').includes('/') ? path : nameOf(path))
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
