import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'

/**
 * A shell that outlives this process by a moment: when its input closes, however this process ended, it kills the
 * process groups that it was told of and removes the shared files. Workers notice the death of their host by
 * themselves, but one that is deep in a library may not for long, and its children never.
 */
export class Watchdog {
  readonly #shell: ChildProcess

  constructor(prefixes: readonly string[]) {
    this.#shell = spawn('/bin/sh', ['-c', script, 'almanac-watchdog', ...prefixes], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
    })
    // without it workers still end with this process: see python/almanac_worker/shared/process.py
    this.#shell.on('error', () => undefined)
    this.#shell.stdin?.on('error', () => undefined)
    this.#shell.unref()
    const input = this.#shell.stdin
    if (input !== null && 'unref' in input && typeof input.unref === 'function') input.unref()
  }

  watch(group: number): void {
    this.#shell.stdin?.write(`+ ${group}\n`)
  }

  forget(group: number): void {
    this.#shell.stdin?.write(`- ${group}\n`)
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#shell.exitCode !== null || this.#shell.signalCode !== null || this.#shell.pid === undefined)
        resolve()
      else this.#shell.once('exit', () => resolve())
      this.#shell.ref()
      this.#shell.stdin?.end('q\n')
    })
  }
}

const script = `
trap '' INT TERM HUP
groups=' '
while read -r what group; do
  case $what in
    +) groups="$groups$group " ;;
    -) case $groups in *" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;; esac ;;
    q) exit 0 ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
for prefix in "$@"; do rm -f -- "$prefix"*; done
sleep 0.2
for prefix in "$@"; do rm -f -- "$prefix"*; done
`
