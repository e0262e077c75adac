import pc from 'picocolors'
import { AlmanacError } from '../../model/errors.ts'
import { keyOf, makerText, versionObject } from '../input/dataset-names.ts'
import { type CommonFlags, count, withReadAlmanac } from '../session.ts'
import { sizeText, timeText } from '../text/format.ts'
import { table } from '../text/table.ts'

export interface DataLogFlags extends CommonFlags {
  readonly limit?: string
}

/** `almanac data log NAME`: its versions, newest first. */
export function dataLogCommand(name: string, flags: DataLogFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const limit = flags.limit === undefined ? 20 : count('--limit', flags.limit)
    const versions = await almanac.datasets.versions(keyOf(almanac, name), { limit })
    const source = await almanac.datasets.source(keyOf(almanac, name))
    if (versions.length === 0 && source === undefined) throw new AlmanacError('ALM_DATA_UNKNOWN', { name })
    const rows = [['version', 'made', 'files', 'size', 'digest', 'by'].map(pc.dim)]
    for (const version of versions) {
      printer.object({ kind: 'version', ...versionObject(version) })
      const { digest, entries, size, madeAt } = version
      rows.push([
        String(version.version),
        timeText(madeAt),
        String(entries),
        sizeText(size),
        digest.slice(0, 12),
        makerText(version),
      ])
    }
    for (const line of table(rows)) printer.line(line)
    if (source !== undefined)
      printer.line(pc.dim(`scanned in ${source.path}${source.keep ? ', every version is kept' : ''}`))
    return 0
  })
}
