import { closeSync, openSync } from 'node:fs'

/** A spawn that runs out of descriptors half-way leaks those that it has: so many are free. @throws EMFILE, ENFILE */
export function needDescriptors(count: number): void {
  const taken: number[] = []
  try {
    for (let i = 0; i < count; i++) taken.push(openSync('/dev/null', 'r'))
  } finally {
    for (const fd of taken) closeSync(fd)
  }
}
