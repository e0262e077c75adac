import { AlmanacError } from '../../model/errors.ts'
import type { RunId } from '../../model/records.ts'
import { nextCommand } from '../output/command-text.ts'
import type { Printer } from '../output/printer.ts'
import type { Snapshot } from './progress.ts'

const lookMs = 250
/** after so many looks it is told again: seconds go on while a long task runs */
const looksInSilence = 4
/** looks after the program is gone at which a person would press Ctrl-C: to stop, without clean-up, to leave */
const stops = [1, (10 * 60_000) / lookMs, (11 * 60_000) / lookMs]

const askToStop = (): void => void process.kill(process.pid, 'SIGTERM')

/**
 * For a program that started this command and shows how it goes: objects that tell how far it is, where that has
 * changed, else once a second, and its end when the program is gone. Gives back what ends it.
 */
export function reportToParent(
  printer: Printer,
  parent: number | undefined,
  snapshot: () => Snapshot & { readonly id: RunId },
  stop: () => void = askToStop,
): () => void {
  if (parent === undefined) return () => undefined
  let told = ''
  let silent = 0
  let alone = 0
  const timer = setInterval(() => {
    // what runs is stopped and cleaned up, and what is durable stays; but nobody is left who would end what never ends
    if (alone > 0 || !isThere(parent)) alone += 1
    if (stops.includes(alone)) stop()
    const { counts, executed, reused, limits = {}, asks = [], tasks = [], downloads = null, id } = snapshot()
    const next = asks.length > 0 ? nextCommand(`answer ${id}`) : null
    const said = { counts, executed, reused, limits, asks, next, tasks, downloads }
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
export function parentProcess(given: string | undefined): number | undefined {
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
