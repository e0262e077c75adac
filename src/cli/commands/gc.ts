import { existsSync } from 'node:fs'
import { type CommonFlags, withReadAlmanac } from '../session.ts'
import { sizeText } from '../words.ts'

export interface GcFlags extends CommonFlags {
  readonly dryRun?: boolean
}

/** `almanac gc`: frees content that no run, cached result or shown output needs. */
export function gcCommand(flags: GcFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const dryRun = flags.dryRun === true
    if (!existsSync(almanac.home)) {
      printer.line('Nothing is kept yet.')
      return 0
    }
    const figures = await almanac.maintenance.collectGarbage({ dryRun })
    printer.object({ kind: 'gc', dryRun, ...figures })
    const { kept, keptBytes, unreachable, unreachableBytes, movedAside, deleted, freedBytes } = figures
    printer.line(`kept         ${kept} files, ${sizeText(keptBytes)}`)
    printer.line(`unreachable  ${unreachable} files, ${sizeText(unreachableBytes)}`)
    if (dryRun) printer.line('Nothing was changed.')
    else
      printer.line(
        `set aside    ${movedAside}; a later round deletes them\ndeleted      ${deleted}, ${sizeText(freedBytes)} freed`,
      )
    return 0
  })
}
