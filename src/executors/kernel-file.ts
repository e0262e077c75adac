import { readFileSync } from 'node:fs'

/** What the kernel says in a file of `/proc` or of a control group; undefined where it does not, or not to this user. */
export function kernelFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    // as a rule a process that has ended meanwhile, or another system
    return undefined
  }
}
