import { setTimeout as pause } from 'node:timers/promises'
import pc from 'picocolors'
import { shownName } from '../output/printable.ts'
import { leaveUnread } from '../output/reader-gone.ts'
import { knownRun } from '../runs/calls.ts'
import { type CommonFlags, withReadAlmanac } from '../session.ts'
import { timeText } from '../text/format.ts'
import { valueText } from '../text/values.ts'

export interface MessagesFlags extends CommonFlags {
  readonly follow?: boolean
}

const followMs = 250
const longestValue = 500
const pageSize = 1000

/** `almanac messages RUN [NAME] [-f]`: messages to a run and from it, in the order in which they came. */
export function messagesCommand(run: string, name: string | undefined, flags: MessagesFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    leaveUnread()
    const { id } = await knownRun(almanac, run)
    let after = 0
    for (;;) {
      // asked first: what is sent before the end is there when messages are read
      const goesOn = flags.follow === true && (await almanac.records.claimed([id])).length > 0
      for (let isMore = true; isMore; ) {
        const page = await almanac.messages(id, {
          after,
          limit: pageSize,
          ...(name !== undefined && { name }),
        })
        isMore = page.length === pageSize
        for (const message of page) {
          const { seq, direction, name: what, at, value, run: other, call, error } = message
          after = seq
          printer.object({ kind: 'message', ...message })
          const arrow = direction === 'in' ? pc.cyan('→') : pc.green('←')
          const where = other === undefined ? '' : ` ${direction === 'in' ? 'from' : 'to'} ${other}`
          const open = direction === 'in' && call === undefined && error === undefined ? ' not received' : ''
          printer.line(
            `${pc.dim(`${seq}  ${timeText(at)}`)} ${arrow} ${shownName(what)}${where} ${valueText(value, longestValue)}${pc.dim(open)}`,
          )
          if (error !== undefined) printer.line(`   ${pc.red('set aside:')} ${error.message}`)
        }
      }
      if (!goesOn) {
        if (after === 0) printer.line('No messages.')
        return 0
      }
      await pause(followMs)
    }
  })
}
