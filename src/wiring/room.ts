import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Of which the journal and a collection write some. */
const neededBytes = 1 << 20

/**
 * For commands that free space, and need some for that: where there is none, what Python keeps compiled goes, which is made
 * again, and which whoever reads it meanwhile does without.
 */
export function makeRoom(home: string, full = isFull): void {
  if (full(home)) rmSync(join(home, 'code/compiled'), { recursive: true, force: true, maxRetries: 3 })
}

/** By a try: what the file system says of itself knows no quota. */
function isFull(home: string): boolean {
  let file: number | undefined
  try {
    const path = join(home, `room-${process.pid}.tmp`)
    file = openSync(path, 'wx')
    // of a process that is killed nothing is left
    rmSync(path)
    writeSync(file, Buffer.alloc(neededBytes, 1))
    return false
  } catch (error) {
    return ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')
  } finally {
    if (file !== undefined) closeSync(file)
  }
}
