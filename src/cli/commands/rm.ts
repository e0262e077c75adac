import { knownRun } from '../runs/calls.ts'
import { type CommonFlags, withReadAlmanac } from '../session.ts'

/** `almanac rm RUN…`: forgets runs with their logs; what they computed stays in the run cache until `gc`. */
export function rmCommand(runs: readonly string[], flags: CommonFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    for (const named of runs) {
      const { id } = await knownRun(almanac, named)
      await almanac.maintenance.forgetRun(id)
      printer.object({ kind: 'removed', run: id })
      printer.line(`Removed ${id}.`)
    }
    return 0
  })
}
