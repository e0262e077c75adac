import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { needDescriptors } from './descriptors.ts'
import { groupMembers, processesWith } from './process-groups.ts'

/**
 * A program in a process group of its own, under a shell of a few lines. Three processes: the shell S leads the group
 * and waits; the watcher W reads a pipe that only the host holds open, and kills the group when it ends, however the
 * host ended; the program P.
 *
 * S1 P gets its arguments, streams, environment and default signals as if the host had started it; what S ends with
 *    is P's exit code, or 128 and the signal's number.
 * S2 S and W outlive every signal to the group but SIGKILL, so that P alone decides what to make of SIGTERM. None is
 *    sent before P is there to hear it, with signals as they are by default: S would swallow it.
 * S3 when `exited` is told, no process of the group is left, and both streams have been read to their end.
 *    What left the group (`setsid`) is found by a variable of its environment, where the system tells (Linux), if the
 *    program was to stop or the host died; elsewhere it goes on, and so does what clears its environment.
 *    What P has begun elsewhere is ended by a last command of W's.
 *    W ends S first, which else would end W as soon as P has ended, before the others are.
 * S4 where P leaves nothing behind, nobody has to be reaped by the machine's init (in a container there may be none).
 */
const script = (last: readonly string[]): string => `
exec 4>&2 2>/dev/null
trap '' HUP INT QUIT USR1 USR2 PIPE ALRM TERM
(read -r _ <&3
kill -s KILL $$
me=$(exec sh -c 'echo $PPID')
for e in $(grep -als "ALMANAC_PROGRAM=$ALMANAC_PROGRAM" /proc/[0-9]*/environ); do
p=\${e#/proc/}; p=\${p%/environ}
[ "$p" = "$me" ] || [ "$p" = "$$" ] || kill -s KILL "$p"
done
${last.length === 0 ? '' : `${last.map(quoted).join(' ')} </dev/null >&2`}
kill -s KILL -- -$$) >&- 4>&- &
trap : HUP INT QUIT USR1 USR2 PIPE ALRM TERM
(echo >&3; exec "$@" 2>&4 3>&- 4>&-)
status=$?
kill -s KILL $!; wait
times >&3
exit $status`

const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`

/** Streams that a process outside the group holds open are given up when nothing has come for so long. */
const drainMs = 100
/** Processes that do not die even of SIGKILL (in the kernel, on a dead file system) are waited for so long. */
const killedMs = 30_000

export interface ProgramStart {
  /** absolute path */
  readonly program: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** a command that ends what the program has begun elsewhere: run if the host dies, after the program */
  readonly last?: readonly string[]
}

export interface ProgramExit {
  readonly code: number
  /** where it was ended by one, or says so by its exit code */
  readonly signal?: string
  /** of the program and all its children that were waited for; unknown where it was killed */
  readonly cpuMs?: number
  /** processes that are still there after `killedMs`, which is not for us to change */
  readonly left: readonly number[]
}

export interface ProgramListener {
  output(stream: 'stdout' | 'stderr', chunk: Buffer): void
  /** the last call, unless it was never started */
  exited(exit: ProgramExit): void
  /** it was never started; its `code` is an error number's name (`EAGAIN`) */
  refused(error: NodeJS.ErrnoException): void
}

/** A program under way. Owns its process group. */
export class SupervisedProgram {
  /** of the group; undefined where it was not started */
  readonly group: number | undefined
  readonly #child: ChildProcess
  readonly #listener: ProgramListener
  #times = ''
  #bytes = 0
  #exit: ProgramExit | undefined
  #closed = false
  /** it was to stop: nothing of it is to stay */
  #stopping = false
  /** P is there, and whether it was to be asked to stop before that */
  #begun = false
  #asked = false
  readonly #variable: string
  #told = false

  /** @throws where the system refuses such arguments at once, or has no descriptors left */
  constructor(start: ProgramStart, listener: ProgramListener) {
    this.#listener = listener
    needDescriptors(descriptors)
    begun++
    const mark = `${process.pid}.${begun}.${Date.now()}`
    this.#variable = `ALMANAC_PROGRAM=${mark}`
    this.#child = spawn(
      '/bin/sh',
      ['-c', script(start.last ?? []), 'almanac', start.program, ...start.args],
      {
        cwd: start.cwd,
        env: { ...start.env, ALMANAC_PROGRAM: mark },
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      },
    )
    this.group = this.#child.pid
    this.#child.on('error', (error: NodeJS.ErrnoException) => {
      if (this.group === undefined) listener.refused(error)
    })
    if (this.group === undefined) return
    this.#read('stdout')
    this.#read('stderr')
    const [, , , lifeline] = this.#child.stdio
    // P's first word is an empty line; the rest is written by S at its end
    lifeline?.on('data', (chunk: Buffer) => {
      this.#begin()
      if (this.#times.length < 1000) this.#times += chunk.toString('latin1')
    })
    lifeline?.on('error', () => undefined)
    this.#child.once('exit', (code, signal) => this.#exited(code, signal))
    this.#child.once('close', () => {
      this.#closed = true
      this.#tell()
    })
  }

  /** To all processes of the group; SIGTERM when the program is there to hear it. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.group === undefined || this.#exit !== undefined) return
    this.#stopping = true
    if (signal === 'SIGTERM' && !this.#begun) {
      this.#asked = true
      return
    }
    // first what left the group: its parents may end before they could be asked
    if (process.platform === 'linux') {
      const members = groupMembers(new Set([this.group]))?.get(this.group)
      for (const pid of processesWith(this.#variable))
        if (members?.includes(pid) !== true) signalOne(pid, signal)
    }
    signalGroup(this.group, signal)
  }

  #begin(): void {
    if (this.#begun) return
    this.#begun = true
    if (this.#asked) this.signal('SIGTERM')
  }

  #read(name: 'stdout' | 'stderr'): void {
    const stream: Readable | null = this.#child[name]
    stream?.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length
      this.#listener.output(name, chunk)
    })
    stream?.on('error', () => undefined)
  }

  #exited(code: number | null, signal: string | null): void {
    const group = this.group
    if (group === undefined) return
    const done = (left: readonly number[]): void => {
      this.#exit = { ...exitOf(code, signal), left }
      this.#tell()
      this.#drain(-1)
    }
    const isEmpty = !signalGroup(group, 'SIGKILL')
    // the usual case: nobody is left
    if (isEmpty && !this.#stopping) return done([])
    const escaped = this.#stopping ? escapedGone(this.#variable) : Promise.resolve([])
    void Promise.all([isEmpty ? [] : groupGone(group), escaped]).then(([inside, outside]) =>
      done([...new Set([...inside, ...outside])]),
    )
  }

  #tell(): void {
    if (this.#exit === undefined || !this.#closed || this.#told) return
    this.#told = true
    const cpuMs = cpuOf(this.#times)
    this.#listener.exited({ ...this.#exit, ...(cpuMs !== undefined && { cpuMs }) })
  }

  /** A process that left the group may hold the streams for ever. */
  #drain(bytesBefore: number): void {
    if (this.#closed) return
    if (this.#bytes === bytesBefore) {
      for (const stream of this.#child.stdio) stream?.destroy()
      return
    }
    const bytes = this.#bytes
    // timers come before what is there to be read: where this process stood still, that has not been yet
    const timer = setTimeout(() => setImmediate(() => this.#drain(bytes)), drainMs)
    this.#child.once('close', () => clearTimeout(timer))
  }
}

/** A spawn takes eight at most: three pairs of sockets and a pipe. */
const descriptors = 10

/** False where there is no such group any more. */
function signalGroup(group: number, signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
  try {
    process.kill(-group, signal)
    return true
  } catch (error) {
    // EPERM: members there are, but of another user
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function signalOne(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // it has ended, or is another user's
  }
}

/** Kills what left the group, and resolves when it is gone, or with what is left after `killedMs`. */
async function escapedGone(variable: string): Promise<readonly number[]> {
  const until = Date.now() + killedMs
  const met = new Set<number>()
  for (let pause = 1; ; pause = Math.min(pause * 2, 250)) {
    const left = processesWith(variable, met)
    if (left.length === 0 || Date.now() > until) return left
    for (const pid of left) met.add(pid)
    for (const pid of left) signalOne(pid, 'SIGKILL')
    await new Promise<void>((resolve) => {
      setTimeout(resolve, pause)
    })
  }
}

/** programs begun by this process, each of which is marked */
let begun = 0

/** Resolves when no process of a killed group is left, or with those that are after `killedMs`. */
async function groupGone(group: number): Promise<readonly number[]> {
  const until = Date.now() + killedMs
  for (let pause = 1; ; pause = Math.min(pause * 2, 250)) {
    await new Promise<void>((resolve) => {
      setTimeout(resolve, pause)
    })
    if (!signalGroup(group, 'SIGKILL')) return []
    // what is dead and only waits to be reaped still counts as a member
    const members = groupMembers(new Set([group]))?.get(group)
    if (members?.length === 0) return []
    if (Date.now() > until) return members ?? []
  }
}

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]))

function exitOf(code: number | null, signal: string | null): { code: number; signal?: string } {
  if (signal !== null) return { code: 128 + (constants.signals[signal as NodeJS.Signals] ?? 0), signal }
  const exit = code ?? 0
  const named = exit > 128 ? signalNames.get(exit - 128) : undefined
  return named === undefined ? { code: exit } : { code: exit, signal: named }
}

/** The second line of the shell's `times`, after P's: user and system time of its children, `0m0.05s 0m0.01s`. */
function cpuOf(times: string): number | undefined {
  const found = /^\n.*\n(\d+)m([\d.,]+)s (\d+)m([\d.,]+)s/.exec(times)
  if (found === null) return undefined
  const [, userMinutes = '', userSeconds = '', systemMinutes = '', systemSeconds = ''] = found
  const ms = (minutes: string, seconds: string): number =>
    Number(minutes) * 60_000 + Number(seconds.replace(',', '.')) * 1000
  return Math.round(ms(userMinutes, userSeconds) + ms(systemMinutes, systemSeconds))
}
