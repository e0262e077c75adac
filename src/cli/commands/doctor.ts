import { accessSync, constants, existsSync } from 'node:fs'
import pc from 'picocolors'
import { isAlmanacError } from '../../model/errors.ts'
import type { Workbench } from '../../workbench.ts'
import { asTyped, nextCommand } from '../output/command-text.ts'
import { exitCodes, type Printer, printError } from '../output/printer.ts'
import { repair } from '../repair.ts'
import { type CommonFlags, withReadAlmanac } from '../session.ts'
import { sizeText } from '../text/format.ts'

export interface DoctorFlags extends CommonFlags {
  readonly data?: boolean
  /** what can be saved of a damaged journal takes its place */
  readonly repair?: boolean
}

interface Finding {
  readonly what: string
  readonly ok: boolean
  readonly says: string
}

/** `almanac doctor`: is everything there and sound? With `--data` all kept content is read. */
export async function doctorCommand(flags: DoctorFlags): Promise<void> {
  let damaged = false
  await withReadAlmanac(
    flags,
    async (almanac, printer) => {
      let sick = false
      for await (const finding of findings(almanac, flags.data === true)) {
        sick ||= !finding.ok
        damaged ||= finding.what === 'journal' && !finding.ok
        print(finding, printer)
      }
      return sick ? exitCodes.failed : exitCodes.done
    },
    (error, printer) => {
      if (!isAlmanacError(error) || !error.code.startsWith('ALM_JOURNAL_')) return printError(error, printer)
      damaged = error.code === 'ALM_JOURNAL_DAMAGED'
      print({ what: 'node', ok: true, says: process.version }, printer)
      print({ what: 'journal', ok: false, says: error.message }, printer)
      if (!damaged) printer.line(`  ${asTyped(error.hint)}`)
      return exitCodes.failed
    },
  )
  if (damaged) await repair(flags)
}

function print(finding: Finding, printer: Printer): void {
  printer.object({ kind: 'finding', ...finding })
  printer.line(`${finding.ok ? pc.green('✓') : pc.red('✗')} ${finding.what.padEnd(12)} ${finding.says}`)
}

async function* findings(almanac: Workbench, data: boolean): AsyncIterable<Finding> {
  yield { what: 'node', ok: true, says: process.version }
  if (!existsSync(almanac.home)) {
    yield { what: 'home', ok: true, says: `${almanac.home}: none yet` }
    return
  }
  const writable = isWritable(almanac.home)
  const says = writable ? almanac.home : `${almanac.home}: this user may not write there, and can only look`
  yield { what: 'home', ok: writable, says }
  const { journal, store, datasets = [] } = await almanac.maintenance.check({ data })
  yield {
    what: 'journal',
    ok: journal.length === 0,
    says: journal.length === 0 ? 'sound' : journal.join('; '),
  }
  if (store !== undefined) {
    yield {
      what: 'data',
      ok: store.damaged.length === 0,
      says: `${store.blobs} files, ${sizeText(store.bytes)}, ${store.damaged.length} damaged`,
    }
    for (const { digest, why } of store.damaged)
      yield {
        what: 'damaged',
        ok: false,
        says: `${digest}: ${why}; what made it runs again when it is needed`,
      }
  }
  for (const { version, path, why, restored } of datasets)
    yield {
      what: restored ? 'restored' : 'lost',
      ok: restored,
      says: `${version}${path === undefined ? '' : ` ${path}`}: ${why}${restored ? ', and is right again' : ''}`,
    }
  const open = await almanac.records.runs({ limit: 100, states: ['running', 'cancelling'] })
  const ids = open.map(({ id }) => id)
  const claimed = new Set(await almanac.records.claimed(ids))
  for (const id of ids.filter((one) => !claimed.has(one)))
    yield { what: 'run', ok: true, says: `${id} has no process any more: ${nextCommand(`resume ${id}`)}` }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}
