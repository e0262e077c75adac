import { readFileSync } from 'node:fs'

/** How often the kernel has ended a process for want of memory since the boot; 0 where it does not say. */
export function outOfMemoryKills(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'latin1'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
