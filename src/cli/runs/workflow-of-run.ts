import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { AlmanacError } from '../../model/errors.ts'
import type { RunRecord } from '../../model/records.ts'
import type { LoadedWorkflow, Workbench } from '../../workbench.ts'

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
  const file = resolve(almanac.project, run.file)
  if (!existsSync(file))
    throw new AlmanacError('ALM_USAGE', {
      why: `the workflow of run ${run.id} was ${run.file}, which is not there: name where it is now by --file FILE`,
    })
  return almanac.load(file, { rather: run.workflow })
}

/** `FILE`, or `FILE:NAME` where the file exports several workflows. @throws ALM_LOAD_FAILED, ALM_NO_WORKFLOW, ALM_USAGE */
export function loadNamed(almanac: Workbench, text: string, rather?: string): Promise<LoadedWorkflow> {
  const { file, named } = workflowFile(text)
  return almanac.load(resolve(file), {
    ...(named !== undefined && { named }),
    ...(rather !== undefined && { rather }),
  })
}

/** The same, of a file that is there: said before anything is made for it. @throws ALM_USAGE */
export function workflowFile(text: string): ReturnType<typeof parted> {
  const { file } = parted(text)
  const stats = statSync(file, { throwIfNoEntry: false })
  if (stats?.isDirectory() === true)
    throw new AlmanacError('ALM_USAGE', { why: `${file} is a directory: name the file of a workflow` })
  if (stats !== undefined) return parted(text)
  const meant = ['.ts', '.js', '.mjs', '.py'].find((ending) => existsSync(`${file}${ending}`))
  const suggestion = meant === undefined ? '' : `; there is ${file}${meant}`
  throw new AlmanacError('ALM_USAGE', { why: `there is no file ${resolve(file)}${suggestion}` })
}

/** A file may have a colon in its name: only what follows an extension is a workflow's. */
export function parted(text: string): { readonly file: string; readonly named?: string } {
  const match = /^(.+\.\w+):([\p{L}\p{N}_.-]+)$/u.exec(text)
  return match === null ? { file: text } : { file: match[1] as string, named: match[2] as string }
}
