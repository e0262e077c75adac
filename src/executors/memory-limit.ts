import { dirname, join } from 'node:path'
import { kernelFile } from './kernel-file.ts'

/**
 * The least limit of memory, bytes, of the control groups that this process is in, and of those that these are in: a
 * batch system bounds the job, and has the process in a group of it without a limit. Infinity where there is none.
 */
export function memoryLimit(groups = '/proc/self/cgroup', mounted = '/sys/fs/cgroup'): number {
  const limits: (number | undefined)[] = []
  for (const line of (kernelFile(groups) ?? '').split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (path === undefined) continue
    if (controllers === '') {
      for (let at = path; ; at = dirname(at)) {
        limits.push(numberIn(kernelFile(join(mounted, at, 'memory.max')), /^(\d+)$/m))
        if (at === '/') break
      }
    } else if (controllers?.split(',').includes('memory')) {
      // of version 1, which says there what holds of all around it
      const stat = kernelFile(join(mounted, 'memory', path, 'memory.stat'))
      limits.push(numberIn(stat, /^hierarchical_memory_limit (\d+)$/m))
    }
  }
  return Math.min(...limits.filter((limit) => limit !== undefined))
}

const numberIn = (text: string | undefined, where: RegExp): number | undefined => {
  const found = where.exec(text ?? '')?.[1]
  return found === undefined ? undefined : Number(found)
}
