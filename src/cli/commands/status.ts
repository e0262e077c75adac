import { relative, resolve } from 'node:path'
import pc from 'picocolors'
import { type CommonFlags, withReadAlmanac } from '../session.ts'
import { countsText, stateText, timeText } from '../words.ts'

/** `almanac status [FILE]`: how the newest run of a workflow file stands, or all that have not ended. */
export function statusCommand(file: string | undefined, flags: CommonFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const runs =
      file === undefined
        ? await almanac.records.runs({
            limit: 50,
            states: ['running', 'waiting', 'paused', 'cancelling', 'scheduled'],
          })
        : await almanac.records.runs({ limit: 1, file: relative(almanac.project, resolve(file)) })
    if (runs.length === 0)
      printer.line(file === undefined ? 'Nothing is under way.' : `${file} has not been run yet.`)
    for (const run of runs) {
      const asks = await almanac.records.asks(run.id, { open: true })
      printer.object({ ...run, kind: 'run', asks })
      printer.line(
        `${pc.bold(run.id)} ${run.workflow} ${stateText(run.state)} ${pc.dim(timeText(run.startedAt))}`,
      )
      printer.line(`  ${countsText(run.counts)}`)
      if (run.error !== undefined) printer.line(`  ${pc.red(run.error.message)}`)
      for (const ask of asks)
        printer.line(`  ${pc.magenta('?')} ${ask.title}  ${pc.dim(`almanac answer ${run.id} ${ask.call} …`)}`)
    }
    return 0
  })
}
