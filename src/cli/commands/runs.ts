import pc from 'picocolors'
import type { RunRecord } from '../../model/records.ts'
import { type CommonFlags, count, withReadAlmanac } from '../session.ts'
import { table } from '../table.ts'
import { durationText, stateText, timeText } from '../words.ts'

export interface RunsFlags extends CommonFlags {
  readonly workflow?: string
  readonly limit?: string
}

/** `almanac runs` */
export function runsCommand(flags: RunsFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const limit = flags.limit === undefined ? 20 : count('--limit', flags.limit)
    const runs = await almanac.records.runs({
      limit,
      ...(flags.workflow !== undefined && { workflow: flags.workflow }),
    })
    for (const run of runs) printer.object({ ...run, kind: 'run' })
    if (runs.length === 0)
      printer.line(
        flags.workflow === undefined ? 'No runs yet: almanac run FILE' : `No runs of ${flags.workflow}.`,
      )
    else for (const line of table([heads.map(pc.dim), ...runs.map(cells)])) printer.line(line)
    return 0
  })
}

const heads = ['run', 'workflow', 'state', 'started', 'took', 'executed', 'reused', 'name']

const cells = (run: RunRecord): string[] => [
  run.id,
  run.workflow,
  stateText(run.state),
  timeText(run.startedAt),
  run.startedAt === undefined || run.endedAt === undefined ? '' : durationText(run.endedAt - run.startedAt),
  String(run.executed),
  String(run.reused),
  run.name ?? '',
]
