import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'

/** Enough of a process to know later that it is gone. */
export interface ProcessIdentity {
  readonly pid: number
  /** when it started, in the system's own words; ids are used again, pairs of both are not */
  readonly start: string
  readonly bootId: string
  /** processes of another container cannot be seen from here */
  readonly pidNamespace: string
}

export function thisProcess(): ProcessIdentity {
  const { pid } = process
  return { pid, start: startOf(pid) ?? '', bootId: bootId(), pidNamespace: pidNamespace() }
}

/** Surely gone: false where that cannot be known. */
export function isGone(other: ProcessIdentity): boolean {
  if (other.bootId !== bootId()) return true
  if (other.pidNamespace !== pidNamespace()) return false
  try {
    process.kill(other.pid, 0)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ESRCH') return true
    // another user's process may have got the id since
    if (code !== 'EPERM') return false
  }
  const start = startOf(other.pid)
  return start !== undefined && start !== other.start
}

/** Differs after each start of the machine; a text of its own each time where the system does not say. */
export function bootId(): string {
  return (
    tryTo(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()) ??
    tryTo(() => execFileSync('sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim()) ??
    `unknown-${process.pid}-${performance.timeOrigin}`
  )
}

const pidNamespace = (): string => tryTo(() => readlinkSync('/proc/self/ns/pid')) ?? ''

function startOf(pid: number): string | undefined {
  // the second field is the program's name, in brackets, with any characters in it
  const stat = tryTo(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
}

function tryTo(read: () => string): string | undefined {
  try {
    return read()
  } catch {
    // absence is the answer: another system has no such file
    return undefined
  }
}
