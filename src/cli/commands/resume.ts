import { resolve } from 'node:path'
import { AlmanacError } from '../../model/errors.ts'
import { knownRun } from '../calls.ts'
import { type ExecuteFlags, withAlmanac } from '../session.ts'
import { follow } from './run.ts'

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
    const file = flags.file ?? (record.file === undefined ? undefined : resolve(almanac.project, record.file))
    if (file === undefined)
      throw new AlmanacError('ALM_USAGE', {
        why: `run ${record.id} was started by a program; resume it there, or name its file: --file FILE`,
      })
    const { workflow } = await almanac.load(resolve(file))
    return follow(almanac, printer, flags, (options) =>
      almanac.resume(record.id, workflow, { ...options, caught: flags.caught === true }),
    )
  })
}
