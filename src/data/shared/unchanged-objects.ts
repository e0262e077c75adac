import type { ObjectInfo, Objects } from '../../ports/objects.ts'
import { Semaphore } from '../../util/semaphore.ts'

/** Objects that are looked at at once. */
const width = 32

/**
 * Those that are still as they were listed. Whole seconds are compared: a single object is dated by an HTTP header,
 * which has no more, and lists of some stores have milliseconds.
 */
export async function unchangedObjects<Listed extends ObjectInfo>(
  objects: Objects,
  listed: readonly Listed[],
): Promise<Listed[]> {
  const semaphore = new Semaphore(width)
  const now = await Promise.all(listed.map(({ key }) => semaphore.run(() => objects.look(key))))
  return listed.filter(({ changedAt, size }, i) => {
    const found = now[i]
    return found !== undefined && found.size === size && secondOf(found.changedAt) === secondOf(changedAt)
  })
}

const secondOf = (ms: number): number => Math.floor(ms / 1000)
