import pc from 'picocolors'
import { isAlmanacError } from '../model/errors.ts'
import type { Salvage } from '../repair.ts'
import { nextCommand } from './output/command-text.ts'
import { exitCodes, openPrinter, type Printer, printError } from './output/printer.ts'
import type { CommonFlags } from './session.ts'
import { stateText } from './text/format.ts'

/** Runs that are named. */
const named = 10

/** Says what can be saved of a damaged journal; with `--repair` saves it. */
export async function repair(flags: CommonFlags & { readonly repair?: boolean }): Promise<void> {
  const printer = openPrinter({ json: flags.json === true, debug: flags.debug === true })
  const apply = flags.repair === true
  try {
    const { repairJournal } = await import('../repair.ts')
    const found = await repairJournal(flags.project, { apply })
    printer.object({ kind: 'salvage', ...found, kept: found.kept ?? null })
    printer.line(apply ? pc.bold('Saved') : pc.bold('What can be saved'))
    for (const line of salvageLines(found)) printer.line(`  ${line}`)
    if (found.kept === undefined) {
      printer.line(
        `${nextCommand('doctor --repair')}   writes this into a new journal and keeps the damaged one aside.`,
      )
      return
    }
    printer.line(`The damaged journal is kept in ${found.kept}.`)
    printer.line(
      'What is missing runs again when it is needed, steps with effects too: see their runs first.',
    )
    process.exitCode = exitCodes.done
  } catch (error) {
    process.exitCode = printError(error, printer)
    if (isAlmanacError(error) && error.code === 'ALM_JOURNAL_DAMAGED') sayStartAnew(printer)
  }
}

function salvageLines({ runs, cached, tables }: Salvage): string[] {
  const damaged = tables.filter((table) => table.damaged).map(({ name }) => name)
  const lines = [
    `${runs.length} runs, ${cached} results of the run cache`,
    `damaged in: ${damaged.length === 0 ? 'no table, only between them' : damaged.join(', ')}`,
  ]
  for (const { id, workflow, state, calls, lost, open } of runs.slice(0, named)) {
    const left = [
      `${calls} calls`,
      ...(lost > 0 ? [pc.yellow(`${lost} lost`)] : []),
      ...(open > 0 ? [`${open} without an end`] : []),
    ]
    lines.push(`${id} ${workflow} ${stateText(state as Parameters<typeof stateText>[0])}: ${left.join(', ')}`)
  }
  if (runs.length > named) lines.push(`and ${runs.length - named} more`)
  return lines
}

/** Where nothing can be read. */
function sayStartAnew(printer: Printer): void {
  printer.line(
    'Nothing can be read of it. Put a copy from a backup in its place, or begin anew: move journal.db,',
  )
  printer.line(
    'journal.db-wal and journal.db-shm out of that directory. The files under data/ and all content of',
  )
  printer.line('the store stay as they are; lost are the runs, and which results may be reused.')
}
