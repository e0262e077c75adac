import pc from 'picocolors'
import { decode } from '../../model/codec.ts'
import type { Message, RunId } from '../../model/records.ts'
import type { Workbench } from '../../workbench.ts'
import { nextCommand } from '../output/command-text.ts'
import { shownName } from '../output/printable.ts'
import type { Printer } from '../output/printer.ts'
import { valueText } from './values.ts'

/** Messages to a run that were set aside, as they did not fit what it waits for. */

/** That are told of: the newest. */
const most = 3

export const rejectedMessages = (
  { records }: Pick<Workbench, 'records'>,
  run: RunId,
): Promise<readonly Message[]> => records.messages(run, { aside: true, limit: most + 1 })

/** What programs are told, where there are any. */
export const rejectedObject = (messages: readonly Message[]): object =>
  messages.length === 0
    ? {}
    : {
        aside: messages
          .slice(-most)
          .map(({ seq, name, valueWire, error }) => ({ seq, name, value: decode(valueWire), error })),
      }

/** Each in a line of its own, so far from the left. */
export function printRejected(printer: Printer, run: RunId, messages: readonly Message[], indent = ''): void {
  for (const { seq, name, valueWire, error } of messages.slice(-most)) {
    const what = `message ${seq} was set aside: ${shownName(name)} ${valueText(decode(valueWire), 100)}`
    printer.line(`${indent}${pc.yellow('!')} ${what}  ${pc.dim(error?.message)}`)
  }
  if (messages.length > most) printer.line(pc.dim(`${indent}and more: ${nextCommand(`messages ${run}`)}`))
}
