import { resolve } from 'node:path'
import { AlmanacError } from '../model/errors.ts'
import type { RunRecord } from '../model/records.ts'
import type { LoadedWorkflow, Workbench } from '../workbench.ts'

/** The workflow of a run from its file, or from the one that is named instead. @throws ALM_USAGE, ALM_LOAD_FAILED, ALM_NO_WORKFLOW */
export function loadWorkflowOf(
  almanac: Workbench,
  run: RunRecord,
  named: string | undefined,
): Promise<LoadedWorkflow> {
  if (named !== undefined) return almanac.load(resolve(named))
  if (run.file === undefined)
    throw new AlmanacError('ALM_USAGE', {
      why: `run ${run.id} was started by a program: name the file of its workflow by --file FILE, or go on with it there`,
    })
  return almanac.load(resolve(almanac.project, run.file))
}
