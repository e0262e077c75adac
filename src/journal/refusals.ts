import { AlmanacError } from '../model/errors.ts'
import type { RunId } from '../model/records.ts'
import { isRunEnd, type RunState } from '../model/states.ts'

/** What every journal refuses, in the same words. */

export const unknownRun = (run: RunId): AlmanacError => new AlmanacError('ALM_RUN_UNKNOWN', { run })

export const runExists = (run: RunId): AlmanacError => new AlmanacError('ALM_RUN_EXISTS', { run })

export const activeRun = (run: RunId): AlmanacError => new AlmanacError('ALM_RUN_ACTIVE', { run })

export const closedAsk = (run: RunId, call: number): AlmanacError =>
  new AlmanacError('ALM_ASK_CLOSED', { run, call })

/** Nobody would take a request to a run that has ended, but whoever resumes it. @throws ALM_RUN_ENDED */
export function checkRequested(run: RunId, state: RunState): void {
  if (isRunEnd(state)) throw new AlmanacError('ALM_RUN_ENDED', { run, state })
}

/** Records that no engine may write: they would make the run's story contradict itself. */
export const forgedRecord = (run: RunId, why: string): AlmanacError =>
  new AlmanacError('ALM_BUG', { why: `a record of run ${run} was refused: ${why}` })

/** A run's id names a file, so it is held to what is a plain name everywhere. @throws ALM_NAME_REFUSED */
export function checkRunId(run: RunId): void {
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/.test(run)) {
    throw new AlmanacError('ALM_NAME_REFUSED', { name: JSON.stringify(run), what: 'a run' })
  }
}
