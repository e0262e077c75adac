import { AlmanacError } from '../model/errors.ts'
import type { Printer } from './printer.ts'
import type { Snapshot } from './progress.ts'

const lookMs = 250
/** after so many looks it is told again: seconds go on while a long task runs */
const looksInSilence = 4

/**
 * For a program that started this command and shows how it goes: objects that tell how far it is, where that has
 * changed, else once a second, and its end when the program is gone. Gives back what ends it.
 */
export function beside(printer: Printer, parent: number | undefined, snapshot: () => Snapshot): () => void {
  if (parent === undefined) return () => undefined
  let told = ''
  let silent = 0
  const timer = setInterval(() => {
    // as if the terminal had been closed: what runs is stopped, and what is durable stays
    if (!isThere(parent)) process.kill(process.pid, 'SIGTERM')
    const { counts, executed, reused, limits = {}, asks = [], downloads = null } = snapshot()
    const said = { counts, executed, reused, limits, asks, downloads }
    const text = JSON.stringify(said)
    silent += 1
    if (text === told && silent < looksInSilence) return
    told = text
    silent = 0
    printer.object({ kind: 'progress', ...said })
  }, lookMs)
  timer.unref()
  return () => clearInterval(timer)
}

/** @throws ALM_USAGE */
export function parentOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined
  const pid = Number(given)
  if (!Number.isInteger(pid) || pid < 1) {
    throw new AlmanacError('ALM_USAGE', { why: `--beside ${given}: it is the number of a process` })
  }
  return pid
}

/** It need not be the parent: a script may stand between them. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
