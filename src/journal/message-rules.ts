import { AlmanacError } from '../model/errors.ts'
import type { RunId, RunRecord, SentRecord } from '../model/records.ts'

/** What every journal holds of messages, in the same words. */

/** Messages that a run is given at once: each may have a MiB. */
export const incomingAtOnce = 16

/** Messages of a run, the newest, among which those are looked for that were set aside. */
export const asideAmong = 10_000

/** A message that a call has sent, as far as it tells whether another one is the same. */
export interface SentBefore {
  readonly valueWire: string
  readonly run?: RunId
}

/**
 * What tells a message that a run sends from all others: a call that is made again sends nothing new, unless what it sends
 * is something else by now. Undefined: it has been sent. `sent`: the message of the call's that is told so.
 */
export function sentId(
  { call, valueWire, to }: Pick<SentRecord, 'call' | 'valueWire' | 'to'>,
  sent: (id: string) => SentBefore | undefined,
): string | undefined {
  let [id, last] = [`call ${call}`, sent(`call ${call}`)]
  for (let again = 1, next = last; next !== undefined; again++) {
    last = next
    id = `call ${call} again ${again}`
    next = sent(id)
  }
  return last?.valueWire === valueWire && last.run === to ? undefined : id
}

/** The same, as the run has it that it was sent to. */
export const receivedId = (id: string, from: RunId): string => `run ${from} ${id}`

/** A run that has succeeded never receives anything again. @throws ALM_RUN_OVER */
export function refuseOver({ id, state }: Pick<RunRecord, 'id' | 'state'>): void {
  if (state === 'succeeded') throw new AlmanacError('ALM_RUN_OVER', { run: id, state })
}
