import { existsSync, realpathSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'

const marks = ['.almanac', 'almanac.config.ts', 'almanac.config.js', 'package.json'] as const

/**
 * The project of a command: the nearest directory upwards of the file that it is about, or of where it is typed, that
 * says it is one. Without any it is where the command is typed, or the file's directory where that lies elsewhere.
 */
function findProject(here: string, near?: string): string {
  const from = near === undefined ? here : dirname(near)
  for (let folder = from; ; folder = dirname(folder)) {
    if (marks.some((name) => existsSync(join(folder, name)))) return folder
    if (dirname(folder) === folder) break
  }
  return from === here || from.startsWith(here.endsWith(sep) ? here : here + sep) ? here : from
}

/** A project, and where its journal and store are: `ALMANAC_HOME`, or `.almanac` in it. */
export function homeOf(given: {
  readonly project?: string
  readonly home?: string
  readonly near?: string
}): {
  readonly project: string
  readonly home: string
} {
  const named = resolve(given.project ?? findProject(process.cwd(), given.near))
  // files of runs are kept as they lie from here: links to the project are one project
  const project = existsSync(named) ? realpathSync(named) : named
  const home = resolve(given.home ?? process.env['ALMANAC_HOME'] ?? join(project, '.almanac'))
  return { project, home }
}
