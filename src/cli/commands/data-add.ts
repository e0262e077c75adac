import { resolve } from 'node:path'
import pc from 'picocolors'
import { AlmanacError } from '../../model/errors.ts'
import { versionObject } from '../input/dataset-names.ts'
import { parseDuration } from '../input/durations.ts'
import { shownName } from '../output/printable.ts'
import type { Printer } from '../output/printer.ts'
import { type ExecuteFlags, withAlmanac } from '../session.ts'
import { filesText, sizeText } from '../text/format.ts'

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
    // an empty variable of a shell is not the directory where one happens to be
    if (path === '') throw new AlmanacError('ALM_USAGE', { why: 'the path is empty' })
    const { version, unchanged, leftOut, leftBehind } = await almanac.addData({
      dataset: name,
      path: resolve(path),
      how,
      ...(flags.include !== undefined && { include: flags.include }),
      ...(flags.exclude !== undefined && { exclude: flags.exclude }),
      ...(flags.settle !== undefined && { settleMs: parseDuration('--settle', flags.settle) }),
    })
    for (const left of leftBehind) printer.object({ kind: 'left-behind', path: left })
    for (const left of leftOut) printer.object({ kind: 'left-out', path: left })
    printer.object({ kind: 'version', unchanged, leftOut: leftOut.length, ...versionObject(version) })
    const { entries, size } = version
    const what = `${name}@${version.version}  ${filesText(entries)}, ${sizeText(size)}`
    printer.line(unchanged ? `${what}  ${pc.dim('unchanged')}` : what)
    sayLeft(printer, `left out, as they changed less than ${flags.settle} ago`, leftOut)
    sayLeft(printer, 'not removed, as they came or changed meanwhile, or may not be removed', leftBehind)
    return 0
  })
}

function sayLeft(printer: Printer, why: string, left: readonly string[]): void {
  if (left.length === 0) return
  printer.aside(`${left.length} ${why}:`)
  for (const path of left.slice(0, shownLeftOut)) printer.aside(`  ${shownName(path)}`)
  if (left.length > shownLeftOut) printer.aside(`  and ${left.length - shownLeftOut} more`)
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
