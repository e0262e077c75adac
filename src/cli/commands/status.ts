import { resolve } from 'node:path'
import pc from 'picocolors'
import { nextCommand } from '../output/command-text.ts'
import { type CommonFlags, type Near, withReadAlmanac } from '../session.ts'
import { figuresText, stateText, timeText } from '../text/format.ts'
import { limitWaits, limitWaitText } from '../text/limit-text.ts'
import { askObject, runObject } from '../text/objects.ts'
import { fileOfRuns } from '../text/paths.ts'
import { pendingCommand, pendingText } from '../text/pending-input.ts'
import { printRejected, rejectedMessages, rejectedObject } from '../text/rejected-messages.ts'
import { runStatuses } from '../text/run-status.ts'

/** `almanac status [FILE]`: how the newest run of a workflow file stands, or all that have not ended. */
export function statusCommand(file: string | undefined, flags: CommonFlags): Promise<void> {
  return withReadAlmanac(near(flags, file), async (almanac, printer) => {
    const runs =
      file === undefined
        ? await almanac.records.runs({
            limit: 50,
            states: ['running', 'waiting', 'paused', 'cancelling', 'scheduled'],
          })
        : await almanac.records.runs({ limit: 1, file: fileOfRuns(almanac.project, file) })
    if (runs.length === 0)
      printer.line(file === undefined ? 'Nothing is under way.' : `${file} has not been run yet.`)
    const standingOf = await runStatuses(almanac, runs)
    for (const run of runs) {
      const stands = standingOf(run)
      const asks = await almanac.records.asks(run.id, { open: true })
      const waits = stands.process === undefined ? [] : await limitWaits(almanac, run.id)
      const rejected = await rejectedMessages(almanac, run.id)
      printer.object({
        ...runObject(run, stands),
        asks: asks.map(askObject),
        ...rejectedObject(rejected),
        ...(waits.length > 0 && { limits: waits.map(({ name }) => name) }),
      })
      printer.line(
        `${pc.bold(run.id)} ${run.workflow} ${stateText(stands.state)} ${pc.dim(timeText(run.startedAt))}`,
      )
      printer.line(`  ${figuresText(run, stands)}`)
      if (run.triggeredBy !== undefined) printer.line(pc.dim(`  triggered by run ${run.triggeredBy.run}`))
      for (const wait of waits) printer.line(`  ${limitWaitText(wait)}  ${pc.dim(nextCommand('limits'))}`)
      if (run.error !== undefined) printer.line(`  ${pc.red(run.error.message)}`)
      for (const ask of asks)
        printer.line(`  ${pc.magenta('?')} ${pendingText(ask)}  ${pc.dim(pendingCommand(ask))}`)
      printRejected(printer, run.id, rejected, '  ')
      if (stands.next !== undefined && asks.length === 0) printer.line(`  ${stands.next}`)
    }
    return 0
  })
}

const near = (flags: CommonFlags, file: string | undefined): CommonFlags & Near =>
  file === undefined ? flags : { ...flags, near: resolve(file) }
