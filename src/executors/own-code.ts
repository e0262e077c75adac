import { dirname, sep } from 'node:path'

/**
 * The folder that Almanac's own code lies in, to tell its stack frames from an author's: `src` from the sources, `dist`
 * where it was built into few files.
 */
export const ownFolder: string = `${folderOf(import.meta.dirname)}${sep}`

function folderOf(here: string): string {
  const inSources = here.endsWith(`${sep}executors`)
  return inSources ? dirname(here) : here
}
