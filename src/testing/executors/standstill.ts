import { readFileSync } from 'node:fs'

/** What happens to a process while its host has no turn. */

/** It has ended, and waits for its parent to take note. */
export const isOver = (pid: number): boolean => /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))

export function standStill(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}
