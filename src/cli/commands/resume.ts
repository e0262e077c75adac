import { follow } from '../follow/follow.ts'
import { knownRun } from '../runs/calls.ts'
import { loadWorkflowOf } from '../runs/workflow-of-run.ts'
import { type ExecuteFlags, withAlmanac } from '../session.ts'

export interface ResumeFlags extends ExecuteFlags {
  /** failures that were caught are forgotten too */
  readonly caught?: boolean
  /** the workflow's file, where it has moved */
  readonly file?: string
}

/** `almanac resume RUN` */
export function resumeCommand(run: string, flags: ResumeFlags): Promise<void> {
  return withAlmanac(flags, async (almanac, printer) => {
    const record = await knownRun(almanac, run)
    const { workflow } = await loadWorkflowOf(almanac, record, flags.file)
    return follow(printer, flags, almanac, (options) =>
      almanac.resume(record.id, workflow, { ...options, caught: flags.caught === true }),
    )
  })
}
