import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { RunId } from '../../model/records.ts'
import { isRunEnd } from '../../model/states.ts'
import type { Workbench } from '../../workbench.ts'
import { onStopSignal } from '../follow/stop-signal.ts'
import { type InputSchema, misfit } from '../input/schemas.ts'
import { nextCommand } from '../output/command-text.ts'
import { handOnLines } from '../output/own-output.ts'
import { exitCodes, type Printer, printError } from '../output/printer.ts'
import { CalledRuns } from '../runs/called-runs.ts'
import { type CommonFlags, withAlmanac } from '../session.ts'

export interface ListenFlags extends CommonFlags {
  readonly listen?: string
  /** runs that were called back go on */
  readonly resume?: boolean
}

const everyMs = 1000

/** `almanac listen [--resume]`: takes callbacks of all runs of the project, until it is interrupted. */
export function listenCommand(flags: ListenFlags): Promise<void> {
  return withAlmanac(flags, async (almanac, printer) => {
    const runs = flags.resume === true ? calledRuns(almanac, flags, printer) : undefined
    const listener = await almanac.listen({
      ...(flags.listen !== undefined && { listen: flags.listen }),
      misfit: (schema, value) => misfit(schema as InputSchema, value),
      accepted: (run, call) => {
        printer.object({ kind: 'called', run, call })
        const next = runs === undefined ? ` If no process runs it: ${nextCommand(`resume ${run}`)}` : ''
        printer.line(`Run ${run} was called back.${next}`)
        runs?.called(run)
      },
    })
    printer.object({ kind: 'listening', address: listener.address, url: listener.url })
    printer.line(`Listening on ${listener.address} for ${listener.url}/callbacks/…`)
    await new Promise<void>((stop) => onStopSignal(stop, () => process.exit(exitCodes.cancelled)))
    // at once: a process that is only being begun is asked to stop before this one may be ended
    await Promise.all([listener.close(), runs?.close()])
    return exitCodes.done
  })
}

function calledRuns(almanac: Workbench, flags: ListenFlags, printer: Printer): CalledRuns {
  const { records } = almanac
  return new CalledRuns({
    taken: (runs) => records.claimed(runs),
    mayGoOn: async (run) => {
      const state = (await records.run(run))?.state ?? 'cancelled'
      if (state !== 'paused') return !isRunEnd(state)
      printer.object({ kind: 'paused', run })
      printer.line(
        `Run ${run} is paused, and takes what came when it goes on: ${nextCommand(`resume ${run}`)}`,
      )
      return false
    },
    resume: (run, signal) => resume(run, flags, signal),
    pause: (signal) => pause(everyMs, undefined, { signal }).catch(() => undefined),
    failed: (error) => printError(error, printer),
  })
}

/** A process of its own: a run that fails, or takes all memory, leaves the others and what listens alone. */
async function resume(run: RunId, flags: ListenFlags, signal: AbortSignal): Promise<void> {
  const json = flags.json === true
  const words = ['resume', run, ...(json ? ['--json'] : [])]
  if (flags.project !== undefined) words.push('--project', flags.project)
  // an interruption at the terminal is for what listens, which stops the others
  const child = spawn(process.execPath, [process.argv[1] ?? '', ...words], {
    stdio: ['ignore', json ? 'pipe' : 'inherit', 'inherit'],
    detached: true,
  })
  if (child.stdout !== null) handOnLines(child.stdout)
  const stop = (): void => void child.kill('SIGTERM')
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  await once(child, 'close')
  signal.removeEventListener('abort', stop)
}
