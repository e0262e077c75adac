import type { AskRecord, RunId } from '../../model/records.ts'
import type { Workbench } from '../../workbench.ts'
import { nextCommand } from '../output/command-text.ts'
import { shownName } from '../output/printable.ts'

/** What a run waits for from outside, in words: a person's answer, or a message. */

export function pendingText({ of, title }: AskRecord): string {
  const text = shownName(title)
  return of === undefined ? text : of === 'receive' ? `a message: ${text}` : `a callback: ${text}`
}

/** The command that gives it. */
export const pendingCommand = ({ of, name, call, run }: AskRecord & { readonly run: RunId }): string =>
  nextCommand(
    of === undefined ? `answer ${run} ${call} …` : of === 'receive' ? `send ${run} ${name} …` : 'listen',
  )

/** The command that a run that rests waits for; undefined where what it waits for is there, and it can be resumed. */
export async function nextInputCommand(
  almanac: Pick<Workbench, 'records' | 'journal'>,
  run: RunId,
): Promise<string | undefined> {
  const ofPeople = await almanac.records.asks(run, { open: true, of: 'person' })
  if (ofPeople.length > 0) return nextCommand(`answer ${run}`)
  const asks = await almanac.records.asks(run, { open: true })
  for (const ask of asks) {
    const { of, name = '' } = ask
    if (of === 'receive' && (await almanac.journal.incoming(run, { name, after: 0 })).length > 0)
      return undefined
  }
  return asks[0] && pendingCommand(asks[0])
}
