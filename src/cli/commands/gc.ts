import { existsSync } from 'node:fs'
import pc from 'picocolors'
import { AlmanacError } from '../../model/errors.ts'
import type { Workbench } from '../../workbench.ts'
import type { Printer } from '../output/printer.ts'
import { type CommonFlags, count, withFreeingAlmanac } from '../session.ts'
import { sizeText } from '../text/format.ts'

export interface GcFlags extends CommonFlags {
  readonly dryRun?: boolean
  readonly store?: boolean
  readonly olderThan?: string
  readonly goneFor?: string
}

/** `almanac gc`: frees content that no run, cached result or shown output needs. */
export function gcCommand(flags: GcFlags): Promise<void> {
  return withFreeingAlmanac(flags, async (almanac, printer) => {
    const dryRun = flags.dryRun === true
    if (flags.store === true) return await collectShared(almanac, printer, flags)
    refuseOfStore('--older-than', flags.olderThan)
    refuseOfStore('--gone-for', flags.goneFor)
    if (!existsSync(almanac.home)) {
      printer.line('Nothing is kept yet.')
      return 0
    }
    const figures = await almanac.maintenance.collectGarbage({ dryRun })
    printer.object({ kind: 'gc', dryRun, ...figures })
    const { kept, keptBytes, unreachable, unreachableBytes, movedAside, deleted, freedBytes, retired } =
      figures
    sayRetired(printer, retired, dryRun)
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

/** Whoever bounds a collection means no other. @throws ALM_USAGE */
function refuseOfStore(flag: string, text: string | undefined): void {
  if (text === undefined) return
  const why = `${flag} is for the store that machines share: gc --store ${flag} ${text}`
  throw new AlmanacError('ALM_USAGE', { why })
}

type Retired = Awaited<ReturnType<Workbench['maintenance']['collectGarbage']>>['retired']

/** What the project's `retention` let go of. */
function sayRetired(
  printer: Printer,
  { runs, logs, versions, results, resultBytes, unused }: Retired,
  dryRun: boolean,
): void {
  for (const name of unused)
    printer.line(`${pc.yellow('!')} retention.datasets: no dataset is called ${name}`)
  const told = [
    ...(runs > 0 ? [`${runs} ${runs === 1 ? 'run' : 'runs'}`] : []),
    ...(logs > 0 ? [`logs of ${logs} ${logs === 1 ? 'run' : 'runs'}`] : []),
    ...(versions > 0 ? [`${versions} ${versions === 1 ? 'version' : 'versions'} of datasets`] : []),
    ...(results > 0
      ? [`${results} kept ${results === 1 ? 'result' : 'results'} of ${sizeText(resultBytes)}`]
      : []),
  ]
  if (told.length > 0) printer.line(`${dryRun ? 'would forget' : 'forgot      '} ${told.join(', ')}`)
}

/** `almanac gc --store`: the same for the store that machines share. */
async function collectShared(almanac: Workbench, printer: Printer, flags: GcFlags): Promise<number> {
  const dryRun = flags.dryRun === true
  const olderDays = flags.olderThan === undefined ? undefined : count('--older-than', flags.olderThan)
  const goneDays = flags.goneFor === undefined ? undefined : count('--gone-for', flags.goneFor)
  const figures = await almanac.maintenance.collectStore({
    dryRun,
    ...(olderDays !== undefined && { olderDays }),
    ...(goneDays !== undefined && { goneDays }),
  })
  if (figures === undefined) {
    const why = 'there is no shared store: set ALMANAC_STORE, or store in almanac.config.ts'
    throw new AlmanacError('ALM_USAGE', { why })
  }
  const { kept, keptBytes, unreachable, unreachableBytes, deleted, freedBytes, forgotten, orphans } = figures
  printer.object({ kind: 'gc', dryRun, ...figures })
  printer.line(`kept         ${kept} files, ${sizeText(keptBytes)}`)
  printer.line(`unreachable  ${unreachable} files, ${sizeText(unreachableBytes)}`)
  printer.line(`${dryRun ? 'would go    ' : 'deleted     '} ${deleted}, ${sizeText(freedBytes)}`)
  const told = [
    ...(forgotten > 0 ? [`${forgotten} old ${forgotten === 1 ? 'result' : 'results'}`] : []),
    ...(orphans > 0 ? [`${orphans} ${orphans === 1 ? 'object' : 'objects'} of runs that were removed`] : []),
  ]
  if (told.length > 0) printer.line(`${dryRun ? 'would forget' : 'forgot      '} ${told.join(', ')}`)
  printer.line('What is unreachable for the first time goes in a round a day later at the earliest.')
  return 0
}
