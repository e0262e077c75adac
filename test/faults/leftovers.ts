import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What is left of the processes that worked on a project: nothing, once they have ended. */
export interface Leftovers {
  readonly processes: readonly string[]
  readonly work: readonly string[]
  readonly locks: readonly string[]
  readonly temporary: readonly string[]
  readonly shared: readonly string[]
}

export const nothing: Leftovers = { processes: [], work: [], locks: [], temporary: [], shared: [] }

/**
 * Looks through the whole machine. Processes are known by the folder, in their command line, working directory or
 * environment: run them with a `TMPDIR` in it. Shared files bear the numbers of the processes that made them.
 */
export function leftoversOf(folder: string, pids: Iterable<number>): Leftovers {
  const mine = new Set(pids)
  const home = join(folder, '.almanac')
  return {
    processes: processesOf(folder),
    work: namesIn(join(home, 'work')),
    locks: namesIn(join(home, 'locks')),
    temporary: [
      // where Node keeps compiled modules for the next process
      ...namesIn(join(folder, 'tmp')).filter((name) => name !== 'node-compile-cache'),
      ...namesIn(home).filter((name) => name.startsWith('.') || name.endsWith('.tmp')),
    ],
    shared: ['/dev/shm', tmpdir()].flatMap((place) =>
      namesIn(place).filter((name) => mine.has(Number(/^almanac-\d+-(\d+)-/.exec(name)?.[1]))),
    ),
  }
}

function processesOf(folder: string): string[] {
  const found: string[] = []
  for (const pid of readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && name !== String(process.pid),
  )) {
    try {
      if (/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))) continue
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      const about = [command, readFileSync(`/proc/${pid}/environ`, 'utf8'), readlinkSync(`/proc/${pid}/cwd`)]
      if (about.some((text) => text.includes(folder))) found.push(`${pid} ${command}`)
    } catch {
      // it has ended meanwhile, or is not ours to look at
    }
  }
  return found
}

const namesIn = (path: string): string[] => (existsSync(path) ? readdirSync(path) : [])
