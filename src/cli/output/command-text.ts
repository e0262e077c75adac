import { existsSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join, sep } from 'node:path'

/**
 * How this command is called in a directory, by what is there: `almanac` where it is on PATH, `npx almanac` where the
 * directory or one above it has the package, `python -m almanac` where that or a program in Python has started it, else
 * by its path.
 */
export function commandText(
  folder: string,
  self: string = process.argv[1] ?? 'almanac',
  path: string = process.env['PATH'] ?? '',
  isOfPip = process.env['ALMANAC_LOOKING'] !== undefined,
  ofPython = process.env['ALMANAC_PYTHON_COMMAND'],
): string {
  const own = real(self)
  if (own === undefined) return 'almanac'
  // npm puts directories of packages on PATH for what it runs: they are not there for who types the next command
  const typed = path.split(delimiter).filter((entry) => !entry.includes(`${sep}node_modules${sep}.bin`))
  if (typed.some((entry) => real(join(entry, 'almanac')) === own)) return 'almanac'
  // what pip has installed is a command too, and starts this one
  if (isOfPip && typed.some((entry) => existsSync(join(entry, 'almanac')))) return 'almanac'
  if (ofNpx(folder) === own) return 'npx almanac'
  const root = npmRoot(folder)
  // a clone of the repository is its own package
  if (root !== undefined && real(join(root, 'bin/almanac.cjs')) === own) return 'npx almanac'
  if (ofPython !== undefined) return ofPython
  return /^[\w@%+=:,./-]+$/.test(own) ? `node ${own}` : `node '${own.replaceAll("'", String.raw`'\''`)}'`
}

/** The command with its arguments, as the next one to type here; by its short name where its place is long. */
export function nextCommand(words: string): string {
  const text = commandText(process.cwd())
  return `${text.startsWith('node ') ? 'almanac' : text} ${words}`
}

/** A text that names commands, as they are called here; one that says so already stays as it is. */
export const asTyped = (text: string, command?: string): string =>
  text.replace(/(?<=^|[\s(`])(?<!(?:npx|-m) )almanac (?=[a-z-])/gm, () =>
    command === undefined ? nextCommand('') : `${command} `,
  )

/** What `npx almanac` starts: the nearest one upwards, above packages that have none too. */
function ofNpx(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const found = real(join(at, 'node_modules/.bin/almanac'))
    if (found !== undefined || dirname(at) === at) return found
  }
}

/** The package that a directory is in. */
function npmRoot(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if (['package.json', 'node_modules'].some((name) => existsSync(join(at, name)))) return at
    if (dirname(at) === at) return undefined
  }
}

function real(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}
