import { totalmem } from 'node:os'
import { memoryLimit } from './memory-limit.ts'

/** What may be used of the machine's memory, or of the container's or batch job's: 60 % of it. */
export function usableMemory(): number {
  return Math.round(
    0.6 * Math.min(memoryLimit(), process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem()),
  )
}
