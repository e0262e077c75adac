import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { cpuSeconds, treeOf } from './process-tree.ts'
import { TreeMemory } from './tree-memory.ts'

/** One run of an engine. */
export interface Measured {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakBytes: number
  /** what the engine's `check` gave */
  readonly found: unknown
}

/** What is said of a run that was not finished. */
export interface Stopped {
  readonly stopped: string
}

const endedWith = 'it ended with '

/** Whether the engine failed, rather than took more than it may. */
export const isFailure = (stopped: string): boolean => stopped.startsWith(endedWith)

/**
 * Runs an engine's program in a process of its own. It prints `begin` when it is warm and `end RESULT` when it is
 * done: time and CPU are taken between the two, memory is looked at several times a second.
 */
export function measure(
  command: readonly [string, ...string[]],
  options: {
    readonly env?: Readonly<Record<string, string>>
    readonly cwd: string
    readonly maxBytes: number
    readonly maxMs: number
  },
): Promise<Measured | Stopped> {
  const [program, ...args] = command
  const memory = new TreeMemory()
  const child = spawn(program, args, {
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  })
  const pid = child.pid ?? 0
  let began = { at: 0, cpu: 0 }
  let ended: { readonly seconds: number; readonly cpuSeconds: number; readonly found: unknown } | undefined
  let peakBytes = 0
  let stopped: string | undefined
  let said = ''
  const startedAt = performance.now()
  const look = (): void => {
    const bytes = memory.bytes(treeOf(pid))
    peakBytes = Math.max(peakBytes, bytes)
    if (stopped !== undefined) return
    if (bytes > options.maxBytes) stopped = `it took more than ${Math.round(options.maxBytes / 1e9)} GB`
    else if (performance.now() - startedAt > options.maxMs)
      stopped = `it took more than ${Math.round(options.maxMs / 60_000)} minutes`
    else return
    for (const one of treeOf(pid)) end(one)
  }
  const timer = setInterval(look, 250)
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000)
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'begin') began = { at: performance.now(), cpu: cpuSeconds(treeOf(pid)) }
    if (!line.startsWith('end ')) return
    const seconds = (performance.now() - began.at) / 1000
    ended = { seconds, cpuSeconds: cpuSeconds(treeOf(pid)) - began.cpu, found: JSON.parse(line.slice(4)) }
    look()
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      clearInterval(timer)
      if (stopped !== undefined) resolve({ stopped })
      else if (ended === undefined) {
        process.stderr.write(`${command.join(' ')}\n${said}`)
        resolve({ stopped: `${endedWith}${code}: ${said.trim().split('\n').at(-1)?.slice(0, 200)}` })
      } else resolve({ ...ended, peakBytes })
    })
  })
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
