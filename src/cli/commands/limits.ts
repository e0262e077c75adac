import pc from 'picocolors'
import type { Workbench } from '../../workbench.ts'
import { type CommonFlags, withReadAlmanac } from '../session.ts'
import { timeText } from '../text/format.ts'
import { limitName, limitText } from '../text/limit-text.ts'
import { table } from '../text/table.ts'

/** `almanac limits`: what runs share, who has how much of it, and who waits. */
export function limitsCommand(flags: CommonFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const limits = await almanac.limits()
    for (const limit of limits) printer.object({ kind: 'limit', ...limit })
    if (limits.length === 0) {
      printer.line('There are no limits. Declare some in almanac.config.ts: limits: { gpfs: 4 }')
      return 0
    }
    const rows: string[][] = []
    for (const limit of limits) {
      const { name, held, users } = limit
      const waiting = users.reduce((sum, user) => sum + user.waiting * user.units, 0)
      rows.push([pc.bold(limitName(name)), limitText(limit), String(held), String(waiting), ''])
      for (const user of users)
        rows.push([
          '',
          '',
          pc.dim(String(user.held * user.units)),
          pc.dim(String(user.waiting * user.units)),
          await userText(almanac, user),
        ])
    }
    for (const line of table([['limit', 'there is', 'in use', 'waiting', 'by'].map(pc.dim), ...rows]))
      printer.line(line)
    return 0
  })
}

type User = Awaited<ReturnType<Workbench['limits']>>[number]['users'][number]

async function userText(almanac: Workbench, { run, blockedBy, since }: User): Promise<string> {
  const record = await almanac.records.run(run)
  const owner = record?.pid === undefined ? '' : `, process ${record.pid}`
  const waits =
    blockedBy === undefined || since === undefined
      ? ''
      : ` waits for ${limitName(blockedBy)} since ${timeText(since)}`
  return `${run} ${record?.workflow ?? ''}${owner}${waits}`
}
