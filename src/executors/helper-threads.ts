import { readdirSync, readFileSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'

const threads = '/proc/self/task'
/** levels of niceness: with ten more a thread gets a tenth of a processor that another wants as well */
const weaker = 10
const weakest = 19

/**
 * V8's own threads, which compile and help to collect garbage, leave the processors to who else wants them, from now on:
 * only who administers the machine may take that back. Where threads have no priority of their own nothing happens.
 */
export function weakenHelpers(): void {
  if (process.platform !== 'linux') return
  for (const name of readdirSync(threads)) {
    const thread = Number(name)
    try {
      if (!readFileSync(`${threads}/${name}/comm`, 'latin1').startsWith('V8Worker')) continue
      setPriority(thread, Math.min(getPriority(thread) + weaker, weakest))
    } catch {
      // it has ended, or the machine forbids it: it stays as it is
    }
  }
}
