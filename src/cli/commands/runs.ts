import { resolve } from 'node:path'
import pc from 'picocolors'
import type { RunRecord } from '../../model/records.ts'
import { shownName } from '../output/printable.ts'
import { nextCommand } from '../output/command-text.ts'
import { type CommonFlags, count, withReadAlmanac } from '../session.ts'
import { durationText, stateText, timeText } from '../text/format.ts'
import { runObject } from '../text/objects.ts'
import { fileOfRuns } from '../text/paths.ts'
import { type RunStatus, runStatuses } from '../text/run-status.ts'
import { table } from '../text/table.ts'

export interface RunsFlags extends CommonFlags {
  readonly workflow?: string
  readonly file?: string
  readonly limit?: string
}

/** `almanac runs` */
export function runsCommand(flags: RunsFlags): Promise<void> {
  const { file } = flags
  const near = file === undefined ? {} : { near: resolve(file) }
  return withReadAlmanac({ ...flags, ...near }, async (almanac, printer) => {
    const limit = flags.limit === undefined ? 20 : count('--limit', flags.limit)
    const runs = await almanac.records.runs({
      limit,
      ...(flags.workflow !== undefined && { workflow: flags.workflow }),
      ...(file !== undefined && { file: fileOfRuns(almanac.project, file) }),
    })
    const standingOf = await runStatuses(almanac, runs)
    for (const run of runs) printer.object(runObject(run, standingOf(run)))
    if (runs.length === 0) {
      printer.line(
        flags.workflow === undefined && file === undefined
          ? `No runs yet: ${nextCommand('run FILE')}`
          : `No runs of ${[flags.workflow, file].filter((one) => one !== undefined).join(' in ')}.`,
      )
      return 0
    }
    const rows = runs.map((run) => cells(run, standingOf(run)))
    // most people's runs are started by people
    const areTriggered = runs.some(({ triggeredBy }) => triggeredBy !== undefined)
    const more = areTriggered ? ['triggered by'] : []
    const by = runs.map(({ triggeredBy }) => (areTriggered ? [triggeredBy?.run ?? ''] : []))
    const whole = rows.map((row, i) => [...row, ...(by[i] ?? [])])
    for (const line of table([[...heads, ...more].map(pc.dim), ...whole])) printer.line(line)
    const interrupted = runs.find((run) => standingOf(run).state === 'interrupted')
    if (interrupted !== undefined)
      printer.line(pc.dim(`interrupted: no process has it any more; ${standingOf(interrupted).next} goes on`))
    return 0
  })
}

const heads = ['run', 'workflow', 'state', 'started', 'took', 'executed', 'reused', 'name']

const cells = (run: RunRecord, { state }: RunStatus): string[] => [
  run.id,
  run.workflow,
  stateText(state),
  timeText(run.startedAt),
  run.startedAt === undefined || run.endedAt === undefined ? '' : durationText(run.endedAt - run.startedAt),
  String(run.executed),
  String(run.reused),
  shownName(run.name ?? ''),
]
