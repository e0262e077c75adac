import type { RunId, RunRecord } from '../../model/records.ts'
import type { Records } from '../../ports/journal.ts'

/** States of a run that some process should have. */
export const toBeExecuted: ReadonlySet<RunRecord['state']> = new Set(['scheduled', 'running', 'cancelling'])

const page = 500

/**
 * What a run that has ended or rests has triggered, and those in their turn, as far as nobody has it: whoever goes on with
 * one of these goes on with what is below it.
 */
export async function* orphanedRuns(
  records: Pick<Records, 'runs' | 'claimed'>,
  above: RunId,
): AsyncGenerator<RunRecord> {
  const ended = [above]
  for (const triggeredBy of ended)
    for (let before: RunId | undefined, isMore = true; isMore; ) {
      const runs = await records.runs({ triggeredBy, limit: page, ...(before !== undefined && { before }) })
      isMore = runs.length === page
      before = runs.at(-1)?.id
      const open = runs.filter(({ state }) => toBeExecuted.has(state))
      const had = new Set(await records.claimed(open.map(({ id }) => id)))
      for (const run of runs)
        if (!toBeExecuted.has(run.state)) ended.push(run.id)
        else if (!had.has(run.id)) yield run
    }
}
