import { decode } from '../../model/codec.ts'
import { AlmanacError } from '../../model/errors.ts'
import { isMessageName } from '../../model/message-name.ts'
import type { ErrorRecord, RunId, SentMessage } from '../../model/records.ts'
import type { Value } from '../../model/value.ts'
import type { Journal, MessageQuery, Records } from '../../ports/journal.ts'
import { messageWire } from './message-wire.ts'

/** Sends a message to a run, from outside of it. @throws ALM_NAME_REFUSED, ALM_VALUE_REFUSED, ALM_RUN_UNKNOWN, ALM_RUN_OVER */
export function sendMessage(
  journal: Pick<Journal, 'send'>,
  run: RunId,
  name: string,
  value: unknown,
  { id, by, at }: { readonly id: string | undefined; readonly by: string | undefined; readonly at: number },
): Promise<SentMessage> {
  if (!isMessageName(name))
    throw new AlmanacError('ALM_NAME_REFUSED', { name: JSON.stringify(name), what: 'a message' })
  const valueWire = messageWire(value)
  const own = id === undefined ? {} : { id: `id ${id}` }
  return journal.send(run, { name, valueWire, by: by ?? 'program', at, ...own })
}

/** A message to a run or from one. */
export interface RunMessage {
  /** its place among all messages of the journal */
  readonly seq: number
  readonly direction: 'in' | 'out'
  readonly name: string
  readonly value: Value
  /** ms since 1970 */
  readonly at: number
  readonly by?: string
  readonly id?: string
  /** the call that received it, or sent it */
  readonly call?: number
  /** the run that sent it, or that it was sent to */
  readonly run?: string
  /** why it was set aside */
  readonly error?: ErrorRecord
}

/** Messages of a run, oldest first. */
export async function runMessages(
  records: Pick<Records, 'messages'>,
  run: RunId,
  query: Partial<MessageQuery>,
): Promise<RunMessage[]> {
  const messages = await records.messages(run, { limit: 1000, ...query })
  return messages.map(({ valueWire, ...message }) => ({ ...message, value: decode(valueWire) }))
}
