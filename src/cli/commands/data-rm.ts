import { AlmanacError } from '../../model/errors.ts'
import { keyOf, parseVersion } from '../input/dataset-names.ts'
import { nextCommand } from '../output/command-text.ts'
import { type CommonFlags, withAlmanac } from '../session.ts'

/** `almanac data rm NAME[@VERSION]…`: forgets versions, or datasets with all of theirs. */
export function dataRemoveCommand(names: readonly string[], flags: CommonFlags): Promise<void> {
  return withAlmanac(flags, async (almanac, printer) => {
    for (const name of names) {
      const { dataset, version } = parseVersion(name)
      const source = await almanac.datasets.source(keyOf(almanac, dataset))
      const removed = await almanac.removeVersions(dataset, version === undefined ? undefined : [version])
      if (removed === 0 && (version !== undefined || source === undefined))
        throw new AlmanacError('ALM_DATA_UNKNOWN', { name })
      printer.object({ kind: 'removed', name, versions: removed })
      printer.line(`${name}: ${removed === 1 ? 'one version' : `${removed} versions`} forgotten`)
    }
    printer.line(`${nextCommand('gc')} frees what nothing else needs.`)
    return 0
  })
}
