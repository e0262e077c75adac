import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * Runs a command to its end and gives its peak of memory, MB: the kernel's own high-water mark, read while it runs;
 * with those of its children, whose peaks need not have been at once.
 */
export async function peakOf(command: readonly [string, ...string[]], cwd: string): Promise<number> {
  const [program, ...args] = command
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
  const peaks = new Map<number, number>()
  const look = (): void => {
    if (child.pid === undefined) return
    for (const pid of [child.pid, ...childrenOf(child.pid)])
      peaks.set(pid, highWater(pid) ?? peaks.get(pid) ?? 0)
  }
  const timer = setInterval(look, 10)
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', resolve)
  })
  clearInterval(timer)
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}`)
  return [...peaks.values()].reduce((sum, kilobytes) => sum + kilobytes, 0) / 1024
}

function childrenOf(pid: number): number[] {
  const found = read(`/proc/${pid}/task/${pid}/children`)?.trim() ?? ''
  const direct = found === '' ? [] : found.split(' ').map(Number)
  return direct.flatMap((child) => [child, ...childrenOf(child)])
}

function highWater(pid: number): number | undefined {
  const match = /^VmHWM:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`) ?? '')
  return match === null ? undefined : Number(match[1])
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    // it has ended
    return undefined
  }
}
