import { resolve } from 'node:path'
import pc from 'picocolors'
import { AlmanacError } from '../../model/errors.ts'
import { versionObject } from '../dataset-names.ts'
import { parseDuration } from '../durations.ts'
import { type ExecuteFlags, withAlmanac } from '../session.ts'
import { sizeText } from '../words.ts'

export interface DataAddFlags extends ExecuteFlags {
  readonly external?: boolean
  readonly managed?: boolean
  readonly keep?: boolean
  readonly move?: boolean
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  readonly settle?: string
}

/** Files that were left out are named; of many these. */
const shownLeftOut = 20

/** `almanac data add NAME PATH`: what lies there becomes a version. */
export function dataAddCommand(name: string, path: string, flags: DataAddFlags): Promise<void> {
  return withAlmanac(flags, async (almanac, printer) => {
    const how = placeOf(flags)
    const { version, unchanged, leftOut } = await almanac.addData({
      dataset: name,
      path: resolve(path),
      how,
      ...(flags.include !== undefined && { include: flags.include }),
      ...(flags.exclude !== undefined && { exclude: flags.exclude }),
      ...(flags.settle !== undefined && { settleMs: parseDuration('--settle', flags.settle) }),
    })
    for (const left of leftOut) printer.object({ kind: 'left-out', path: left })
    printer.object({ kind: 'version', unchanged, leftOut: leftOut.length, ...versionObject(version) })
    const { entries, size } = version
    const what = `${name}@${version.version}  ${entries} files, ${sizeText(size)}`
    printer.line(unchanged ? `${what}  ${pc.dim('unchanged')}` : what)
    if (leftOut.length > 0) {
      printer.aside(`${leftOut.length} left out, as they changed less than ${flags.settle} ago:`)
      for (const left of leftOut.slice(0, shownLeftOut)) printer.aside(`  ${left}`)
      if (leftOut.length > shownLeftOut) printer.aside(`  and ${leftOut.length - shownLeftOut} more`)
    }
    return 0
  })
}

function placeOf(flags: DataAddFlags): 'external' | 'keep' | 'managed' | 'move' {
  const named = [
    flags.managed === true && '--managed',
    flags.move === true && '--move',
    (flags.external === true || flags.keep === true) && (flags.keep === true ? '--keep' : '--external'),
  ].filter((one) => one !== false)
  if (named.length > 1)
    throw new AlmanacError('ALM_USAGE', { why: `${named.join(' and ')} exclude each other` })
  if (flags.move === true) return 'move'
  if (flags.managed === true) return 'managed'
  return flags.keep === true ? 'keep' : 'external'
}
