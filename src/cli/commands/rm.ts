import { knownRun } from '../runs/calls.ts'
import { type CommonFlags, withFreeingAlmanac } from '../session.ts'

/** `almanac rm RUN…`: forgets runs with their logs; what they computed stays in the run cache until `gc`. */
export function rmCommand(runs: readonly string[], flags: CommonFlags): Promise<void> {
  return withFreeingAlmanac(flags, async (almanac, printer) => {
    for (const named of runs) {
      const { id } = await knownRun(almanac, named)
      await almanac.maintenance.forgetRun(id)
      printer.object({ kind: 'removed', run: id })
      printer.line(`Removed ${id}.`)
    }
    return 0
  })
}
