import { readdirSync, readFileSync } from 'node:fs'
import { isMissing } from './failures.ts'

/** Files and directories that may be gone by the time that they are looked at. */

/** What is done with one; undefined where it is missing. */
export function ifThere<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** The text of a file; none where it is missing. */
export const textIn = (path: string): string => ifThere(() => readFileSync(path, 'utf8')) ?? ''

/** The names in a directory; none where it is missing. */
export const namesIn = (directory: string): string[] => ifThere(() => readdirSync(directory)) ?? []
