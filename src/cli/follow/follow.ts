import pc from 'picocolors'
import type { RunHandle, StartOptions, Workbench } from '../../workbench.ts'
import { nextCommand } from '../output/command-text.ts'
import { exitCodes, type Printer } from '../output/printer.ts'
import { cacheMode, type ExecuteFlags } from '../session.ts'
import { nextInputCommand } from '../text/pending-input.ts'
import { withPaths } from './output-paths.ts'
import { parentProcess, reportToParent } from './parent-process.ts'
import { Progress } from './progress.ts'
import { Report } from './report.ts'
import { exitCodeOf, printBroken, printResult } from './result.ts'
import { echoMs, hearNoEcho, onStopSignal } from './stop-signal.ts'

/** Starts a run, shows how it goes, and gives the exit code. */
export async function follow(
  printer: Printer,
  flags: ExecuteFlags,
  almanac: Pick<Workbench, 'entries' | 'triggered' | 'data' | 'records' | 'journal'>,
  start: (options: StartOptions) => Promise<RunHandle>,
): Promise<number> {
  let progress: Progress | undefined
  const say = (lines: readonly string[]): void => {
    if (printer.json) return
    if (progress === undefined) for (const line of lines) printer.aside(line)
    else progress.above(lines)
  }
  const report = new Report(printer, say)
  const parent = parentProcess(flags.beside)
  const handle = await start({
    cache: cacheMode(flags),
    failFast: flags.failFast === true,
    dryRun: flags.dryRun === true,
    listener: report.listener,
  })
  const since = Date.now()
  const live = !printer.json && flags.debugPython === undefined
  const snapshot = () => ({ ...handle.snapshot(), downloads: report.downloads })
  progress = new Progress(snapshot, { live })
  report.started(handle)
  const leave = reportToParent(printer, parent, () => ({ ...snapshot(), id: handle.id }))
  const signals = stopOnSignals(handle, say)
  try {
    const ended = await handle.result
    const { output } = ended
    const isTold = flags.beside !== undefined && output !== undefined
    const result = isTold ? { ...ended, output: await withPaths(output, almanac.data) } : ended
    progress.stop()
    report.ended(result.state === 'waiting')
    const varied = flags.dryRun === true ? [] : await variedTasks(almanac.entries, result.id)
    printResult(result, printer, {
      varied,
      told: (call) => report.hasTold(call),
      next: result.state === 'waiting' ? await nextInputCommand(almanac, result.id) : undefined,
    })
    await waitForTriggered(almanac.triggered, result.id, signals, say)
    return exitCodeOf(result, flags.dryRun === true)
  } catch (error) {
    progress.stop()
    almanac.triggered.leave()
    if (flags.dryRun !== true) printBroken(handle, error, since, printer)
    throw error
  } finally {
    progress.stop()
    leave()
    if (signals.areTold) hearNoEcho()
    signals.stop()
  }
}

type Say = (lines: readonly string[]) => void

/** Runs that are told of by their ids. */
const namedRuns = 5

/**
 * They are executed here, by nobody else: the process stays for them, unless it was told to stop, or is now. Then they
 * stay as they are, for whoever resumes them.
 */
async function waitForTriggered(
  triggered: Workbench['triggered'],
  run: string,
  signals: Signals,
  say: Say,
): Promise<void> {
  if (triggered.isIdle) return
  let isLeft = false
  const leave = (): void => {
    if (isLeft) return
    isLeft = true
    const left = triggered.open
    triggered.leave()
    say(
      leftText(
        left.map(({ id }) => id),
        run,
      ),
    )
  }
  const unhear = onStopSignal(leave, () => process.exit(exitCodes.cancelled))
  // at no moment is there nobody to hear one
  signals.stop()
  if (signals.areTold) leave()
  // earlier ones may be looked for, which takes as long as their files take to load
  await triggered.found()
  const { length } = triggered.open
  if (!isLeft && length > 0)
    say([pc.dim(`Waiting for ${countText(length)}; Ctrl-C leaves them to almanac resume.`)])
  await triggered.idle()
  if (isLeft) hearNoEcho()
  unhear()
}

/** `run`: who goes on with it goes on with what it has triggered. */
function leftText(left: readonly string[], run: string): string[] {
  if (left.length === 0)
    return [
      pc.yellow(
        `Left triggered runs that were still looked for; ${nextCommand(`resume ${run}`)} goes on with them.`,
      ),
    ]
  const named = left.slice(0, namedRuns).map((id) => `  ${nextCommand(`resume ${id}`)}`)
  const more =
    left.length > namedRuns ? [pc.dim(`  and ${left.length - namedRuns} more: ${nextCommand('runs')}`)] : []
  return [pc.yellow(`Left ${countText(left.length)}, which can be gone on with:`), ...named, ...more]
}

const countText = (count: number): string => (count === 1 ? '1 triggered run' : `${count} triggered runs`)

/**
 * The first Ctrl-C cancels with clean-up, the second without, the third leaves: what is durable stays. What came as
 * SIGINT may come as SIGTERM too, some time later, by a program around us that passes it on: each is counted by itself.
 */
function stopOnSignals(handle: RunHandle, say: Say): Signals {
  const counts = { SIGINT: 0, SIGTERM: 0 }
  let told = 0
  let last = Number.NEGATIVE_INFINITY
  const onSignal = (signal: NodeJS.Signals): void => {
    const since = performance.now() - last
    last = performance.now()
    if (signal === 'SIGTERM' && since < echoMs) return
    counts[signal === 'SIGTERM' ? 'SIGTERM' : 'SIGINT'] += 1
    if (Math.max(counts.SIGINT, counts.SIGTERM) === told) return
    const text = [
      'Stopping; press Ctrl-C again to skip clean-up.',
      'Stopping without clean-up; press Ctrl-C again to leave at once.',
    ][told++]
    if (text === undefined) {
      say([pc.yellow(`Left. ${nextCommand(`resume ${handle.id}`)}`)])
      process.exit(exitCodes.cancelled)
    }
    say([pc.yellow(text)])
    handle.request('cancel', 'signal')
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    get areTold() {
      return told > 0
    },
    stop: () => {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}

/** What came from a terminal or from a program around us. */
interface Signals {
  readonly areTold: boolean
  stop(): void
}

/** Calls that gave another result than before, of which tasks are named. */
const variationsLooked = 500

/** Tasks of the run of which a call gave another result than one that was the same. */
async function variedTasks(entries: Workbench['entries'], run: string): Promise<readonly string[]> {
  const variations = await entries.variations({ run, limit: variationsLooked })
  return [...new Set(variations.map(({ name }) => name))].sort()
}
