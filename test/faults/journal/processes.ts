import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Command, Said } from './program.ts'

const program = fileURLToPath(new URL('./program.ts', import.meta.url))

/** A process that uses a journal, and what it said. */
export interface JournalProcess {
  readonly child: ChildProcess
  readonly said: readonly Said[]
  /** Resolves with what it says next that fits. @throws if it ends without */
  hears<K extends Said['kind']>(
    kind: K,
    fits?: (said: Extract<Said, { kind: K }>) => boolean,
  ): Promise<Extract<Said, { kind: K }>>
  /** Tells it to stop, and waits. */
  stop(): Promise<void>
  kill(): Promise<void>
  /** with its exit code */
  readonly ended: Promise<number | null>
}

/** `limit`: the largest file that it may write, in KiB. */
export function startProcess(command: Command, home: string, run = '', limit?: number): JournalProcess {
  const node = [process.execPath, program, command, home, run]
  const shell = `ulimit -f ${limit}; exec "$@"`
  const [file, ...args] = limit === undefined ? node : ['bash', '-c', shell, 'bash', ...node]
  const child = spawn(file as string, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const said: Said[] = []
  const listeners = new Set<() => void>()
  createInterface(child.stdout).on('line', (line) => {
    said.push(JSON.parse(line) as Said)
    for (const listener of listeners) listener()
  })
  let isOver = false
  const ended = once(child, 'close').then(([code]) => {
    isOver = true
    for (const listener of listeners) listener()
    return code as number | null
  })
  return {
    child,
    said,
    ended,
    hears: (kind, fits = () => true) =>
      new Promise((resolve, reject) => {
        let seen = said.length
        const look = () => {
          for (; seen < said.length; seen++) {
            const one = said[seen] as Extract<Said, { kind: typeof kind }>
            if (one.kind !== kind || !fits(one)) continue
            listeners.delete(look)
            return resolve(one)
          }
          // what it said last is heard after its exit, and before the end of its streams
          if (isOver) reject(new Error(`${command} ended without saying ${kind}`))
        }
        listeners.add(look)
      }),
    async stop() {
      child.stdin.end()
      await ended
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
