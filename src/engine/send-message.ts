import { toArgs } from '../flow/arguments.ts'
import { encode } from '../model/codec.ts'
import { AlmanacError } from '../model/errors.ts'
import { isMessageName } from '../model/message-name.ts'
import type { RunId, SentMessage } from '../model/records.ts'
import type { Journal } from '../ports/journal.ts'

/** Bytes that a message may have, as JSON. */
const mostBytes = 2 ** 20

/** Sends a message to a run, from outside of it. @throws ALM_NAME_REFUSED, ALM_VALUE_REFUSED, ALM_RUN_UNKNOWN, ALM_RUN_OVER */
export function sendMessage(
  journal: Pick<Journal, 'send'>,
  run: RunId,
  name: string,
  value: unknown,
  { id, by }: { readonly id: string | undefined; readonly by: string | undefined },
): Promise<SentMessage> {
  if (!isMessageName(name))
    throw new AlmanacError('ALM_NAME_REFUSED', { name: JSON.stringify(name), what: 'a message' })
  const valueWire = messageWire(value)
  const own = id === undefined ? {} : { id: `id ${id}` }
  return journal.send(run, { name, valueWire, by: by ?? 'program', at: Date.now(), ...own })
}

/** @throws ALM_VALUE_REFUSED */
function messageWire(value: unknown): string {
  const wire = encode(toArgs(value))
  const bytes = Buffer.byteLength(wire)
  if (bytes <= mostBytes) return wire
  const why = `it has ${bytes} bytes, and a message has at most ${mostBytes}: send a file of a store, or where it lies`
  throw new AlmanacError('ALM_VALUE_REFUSED', { path: 'the message', why })
}
