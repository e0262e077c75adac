import { AlmanacError } from '../../model/errors.ts'
import type { RunId, RunRecord } from '../../model/records.ts'
import { isRunEnd } from '../../model/states.ts'
import type { Workbench } from '../../workbench.ts'

export interface StopRequest {
  readonly kind: 'cancel' | 'pause'
  readonly by: string
  readonly at: number
}

/**
 * Asks the process that has a run to stop it; where none has it, it is stopped at once. Gives whether one has it.
 * @throws ALM_RUN_ENDED where the run has ended
 */
export async function requestStop(
  { journal, records }: { readonly [part in 'journal' | 'records']: Workbench[part] },
  run: RunId,
  { kind, by, at }: StopRequest,
): Promise<boolean> {
  refuseEnded(await records.run(run))
  const claim = await journal.claim(run, { host: '', pid: process.pid, bootId: '' })
  if (claim === undefined) {
    await journal.request(run, { kind, by, at })
    return true
  }
  try {
    // its process may have ended it, and gone, since it was looked at
    refuseEnded(await records.run(run))
    await journal.append(run, [{ kind: 'run', state: kind === 'cancel' ? 'cancelled' : 'paused', at }])
  } finally {
    await claim.release()
  }
  return false
}

function refuseEnded(run: RunRecord | undefined): void {
  if (run !== undefined && isRunEnd(run.state))
    throw new AlmanacError('ALM_RUN_ENDED', { run: run.id, state: run.state })
}
