import { totalmem } from 'node:os'

/** What may be used of the machine's memory, or of the container's: 60 % of it. */
export function usableMemory(): number {
  const limit = process.constrainedMemory()
  return Math.round(0.6 * (limit > 0 ? Math.min(limit, totalmem()) : totalmem()))
}
