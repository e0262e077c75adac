import type { RunId, RunRecord } from '../../model/records.ts'
import { isRunEnd, type RunState } from '../../model/states.ts'
import type { Workbench } from '../../workbench.ts'
import { nextCommand } from '../output/command-text.ts'
import { nextInputCommand } from './pending-input.ts'

/** A state as people see it: `interrupted` is no state of the journal, it is found by looking who has the run. */
export type ShownState = RunState | 'interrupted'

/** How a run stands now. */
export interface RunStatus {
  readonly state: ShownState
  /** the living process that executes it */
  readonly process?: { readonly host: string; readonly pid: number }
  /** the command that goes on with it, where one does */
  readonly next?: string
}

/** States of a run that some process should be executing. */
const executing: readonly RunState[] = ['running', 'cancelling']

/** How runs stand: a run that says it runs, and that no living process has, was interrupted. */
export async function runStatuses(
  almanac: Workbench,
  runs: readonly RunRecord[],
): Promise<(run: RunRecord) => RunStatus> {
  const open = runs.filter(({ state }) => !isRunEnd(state)).map(({ id }) => id)
  const claimed = new Set(await almanac.records.claimed(open))
  const pending = new Map<RunId, string>()
  for (const { id, state } of runs) {
    if (state !== 'waiting' || claimed.has(id)) continue
    const command = await nextInputCommand(almanac, id)
    if (command !== undefined) pending.set(id, command)
  }
  return (run) => statusOf(run, claimed, pending.get(run.id))
}

/** The same of one run. */
export async function runStatus(almanac: Workbench, run: RunRecord): Promise<RunStatus> {
  return (await runStatuses(almanac, [run]))(run)
}

function statusOf(run: RunRecord, claimed: ReadonlySet<RunId>, pending: string | undefined): RunStatus {
  const { id, state, host, pid } = run
  if (claimed.has(id))
    return { state, ...(host !== undefined && pid !== undefined && { process: { host, pid } }) }
  if (executing.includes(state)) return { state: 'interrupted', next: resumeText(run) }
  if (state === 'waiting' && pending !== undefined) return { state, next: pending }
  return state === 'succeeded' || state === 'undone' ? { state } : { state, next: resumeText(run) }
}

/** A run that a program started has no file that is known. */
const resumeText = ({ id, file }: Pick<RunRecord, 'id' | 'file'>): string =>
  nextCommand(`resume ${id}${file === undefined ? ' --file FILE' : ''}`)
