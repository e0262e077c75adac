import { existsSync, readdirSync } from 'node:fs'
import { kernelFile } from '../kernel-file.ts'

/** What the kernel says of process groups. Nothing is known where there is no `/proc`. */

/**
 * Living members of these groups: one look through all processes, for however many groups. Undefined where the system
 * does not say.
 */
export function groupMembers(groups: ReadonlySet<number>): ReadonlyMap<number, number[]> | undefined {
  const names = namesIn('/proc')
  if (names === undefined) return undefined
  const members = new Map<number, number[]>([...groups].map((group) => [group, []]))
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue
    const stat = kernelFile(`/proc/${name}/stat`)
    // after the program's name, which may hold anything: state, parent, group
    const [state, , group] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ', 3) ?? []
    if (state === 'Z' || state === 'X') continue
    members.get(Number(group))?.push(Number(name))
  }
  return members
}

/**
 * A process and all that it and those have begun, but for what was orphaned: without a look at any other process.
 * Undefined where the system does not say.
 */
export function familyOf(pid: number): number[] | undefined {
  const family = [pid]
  for (const one of family) {
    for (const thread of namesIn(`/proc/${one}/task`) ?? []) {
      const children = kernelFile(`/proc/${one}/task/${thread}/children`)
      if (children === undefined && existsSync(`/proc/${one}/task/${thread}`)) return undefined
      for (const child of children?.trim().split(' ') ?? []) if (child !== '') family.push(Number(child))
    }
  }
  return family
}

/**
 * Living processes that were begun with this in their environment, or below one that was. Of those that are `known` to
 * have been, also what is about to end: it has no environment any more, and is a process for a moment yet.
 */
export function processesWith(variable: string, known: ReadonlySet<number> = new Set()): number[] {
  const names = namesIn('/proc') ?? []
  const wanted = `\0${variable}\0`
  const isOne = (name: string): boolean => {
    // of other users' processes nothing can be read, and of those that are dead nothing is left
    const environment = kernelFile(`/proc/${name}/environ`) ?? ''
    if (`\0${environment}`.includes(wanted)) return true
    return environment === '' && known.has(Number(name)) && isLiving(name)
  }
  return names.filter((name) => /^\d+$/.test(name) && isOne(name)).map(Number)
}

/** It has not ended, and does not only wait for its parent to take note. */
function isLiving(pid: string): boolean {
  const stat = kernelFile(`/proc/${pid}/stat`)
  return stat !== undefined && !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
}

/** Bytes that these processes keep resident, each counted whole: what they share counts for each of them. */
export const residentAtMost = (pids: readonly number[]): number =>
  sumOf(pids, 'status', /^VmRSS:\s+(\d+) kB$/m)

/** The same with what is shared counted once; costs more the more memory there is. */
export const resident = (pids: readonly number[]): number => sumOf(pids, 'smaps_rollup', /^Pss:\s+(\d+) kB$/m)

const sumOf = (pids: readonly number[], file: string, field: RegExp): number =>
  pids.reduce(
    (sum, pid) => sum + Number(field.exec(kernelFile(`/proc/${pid}/${file}`) ?? '')?.[1] ?? 0) * 1024,
    0,
  )

function namesIn(directory: string): string[] | undefined {
  try {
    return readdirSync(directory)
  } catch {
    return undefined
  }
}
