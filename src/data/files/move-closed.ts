import { chmodSync, renameSync } from 'node:fs'

/**
 * Moves a read-only directory of ours, which is read only again afterwards. Another parent is written into it, so that
 * only the superuser may move it closed.
 */
export function moveClosed(from: string, to: string): void {
  chmodSync(from, 0o755)
  try {
    renameSync(from, to)
  } catch (error) {
    chmodSync(from, 0o555)
    throw error
  }
  chmodSync(to, 0o555)
}
