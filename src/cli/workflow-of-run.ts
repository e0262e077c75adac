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
  if (named !== undefined) return loadNamed(almanac, named, run.workflow)
  if (run.file === undefined)
    throw new AlmanacError('ALM_USAGE', {
      why: `run ${run.id} was started by a program: name the file of its workflow by --file FILE, or go on with it there`,
    })
  return almanac.load(resolve(almanac.project, run.file), { rather: run.workflow })
}

/** `FILE`, or `FILE:NAME` where the file exports several workflows. @throws ALM_LOAD_FAILED, ALM_NO_WORKFLOW, ALM_USAGE */
export function loadNamed(almanac: Workbench, text: string, rather?: string): Promise<LoadedWorkflow> {
  const { file, named } = parted(text)
  return almanac.load(resolve(file), {
    ...(named !== undefined && { named }),
    ...(rather !== undefined && { rather }),
  })
}

/** A file may have a colon in its name: only what follows an extension is a workflow's. */
export function parted(text: string): { readonly file: string; readonly named?: string } {
  const match = /^(.+\.\w+):([\p{L}\p{N}_.-]+)$/u.exec(text)
  return match === null ? { file: text } : { file: match[1] as string, named: match[2] as string }
}
