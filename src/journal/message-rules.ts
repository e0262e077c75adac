import { AlmanacError } from '../model/errors.ts'
import type { RunRecord } from '../model/records.ts'

/** What every journal holds of messages, in the same words. */

/** Messages that a run is given at once: each may have a MiB. */
export const incomingAtOnce = 16

/** What tells a message that a run sent from all others; `from`: as the run has it that it was sent to. */
export const sentId = (call: number, from?: string): string =>
  from === undefined ? `call ${call}` : `run ${from} call ${call}`

/** A run that has succeeded never receives anything again. @throws ALM_RUN_OVER */
export function refuseOver({ id, state }: Pick<RunRecord, 'id' | 'state'>): void {
  if (state === 'succeeded') throw new AlmanacError('ALM_RUN_OVER', { run: id, state })
}
