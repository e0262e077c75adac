import { errorRecord } from '../../model/errors.ts'
import type { ErrorRecord } from '../../model/records.ts'
import type { Job } from '../jobs/job.ts'
import { kernelFile } from '../kernel-file.ts'
import { bytesText } from '../limits.ts'
import type { LiveAttempt } from '../live-attempt.ts'
import { familyOf, groupMembers, resident } from '../programs/process-groups.ts'

/** Bytes that a process and all that it has begun keep resident, what they share counted once. */
export function residentOf(pid: number | undefined): number {
  return pid === undefined ? 0 : resident(familyOf(pid) ?? groupMembers(new Set([pid]))?.get(pid) ?? [])
}

/** The first attempt that uses more memory than it may, and how that is told. */
export function overLimit(
  jobs: Iterable<Job>,
  pid: number | undefined,
  heldBytes: number,
): { readonly live: LiveAttempt<Job>; readonly error: ErrorRecord } | undefined {
  for (const { live, begun, residentBefore } of jobs) {
    const limit = live.attempt.memoryBytes
    if (limit === 0 || !begun || live.verdict !== undefined) continue
    const now = residentOf(pid)
    // what earlier attempts left in the process is not this one's
    const used = Math.min(now - heldBytes, now - residentBefore)
    if (used <= limit) continue
    const why = `it used ${bytesText(used)} of ${bytesText(limit)}`
    return { live, error: errorRecord('ALM_TASK_MEMORY', { why }) }
  }
  return undefined
}

/** How often the kernel has ended a process for want of memory since the boot; 0 where it does not say. */
export function outOfMemoryKills(): number {
  return Number(/^oom_kill (\d+)$/m.exec(kernelFile('/proc/vmstat') ?? '')?.[1] ?? 0)
}
