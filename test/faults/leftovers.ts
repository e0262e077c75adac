import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, vi } from 'vitest'

/** What is left of the processes that worked on a project: nothing, once they have ended. */
export interface Leftovers {
  readonly processes: readonly string[]
  readonly work: readonly string[]
  readonly locks: readonly string[]
  readonly temporary: readonly string[]
  readonly shared: readonly string[]
}

const nothing: Leftovers = { processes: [], work: [], locks: [], temporary: [], shared: [] }

/**
 * Looks through the whole machine. Processes are known by the folder, in their command line, working directory or
 * environment: run them with a `TMPDIR` in it. Shared files bear the numbers of the processes that made them.
 */
function leftoversOf(folder: string, pids: Iterable<number>): Leftovers {
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

/**
 * Resolves when nothing is left, `but` aside. What watches over the processes of one that was killed, and what heard it
 * by a pipe, may live a moment longer than the next one takes.
 */
export const nothingLeft = (
  folder: string,
  pids: Iterable<number>,
  { when = folder, but = [] }: { readonly when?: string; readonly but?: readonly (keyof Leftovers)[] } = {},
): Promise<void> =>
  vi.waitFor(
    () => {
      const left = { ...leftoversOf(folder, pids), ...Object.fromEntries(but.map((kind) => [kind, []])) }
      expect(left, when).toEqual(nothing)
    },
    { timeout: 120_000, interval: 100 },
  )

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
