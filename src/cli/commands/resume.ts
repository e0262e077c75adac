import { knownRun } from '../calls.ts'
import { follow } from '../follow.ts'
import { type ExecuteFlags, withAlmanac } from '../session.ts'
import { loadWorkflowOf } from '../workflow-of-run.ts'

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
