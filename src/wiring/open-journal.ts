import { existsSync } from 'node:fs'
import { openSqliteJournal } from '../journal/sqlite/open.ts'
import { isAlmanacError } from '../model/errors.ts'
import type { JournalPorts } from '../ports/journal-ports.ts'
import { YoungGeneration } from '../system/young-generation.ts'
import type { WorkbenchOptions } from '../workbench.ts'
import { boundedJournal } from './bounded-journal.ts'

/** A journal with all that is kept beside it; `check` and `rehearse` are there where it outlives this process. */
export interface OpenJournal extends JournalPorts {
  readonly check?: () => Promise<readonly string[]>
  readonly rehearse?: () => Promise<Rehearsal>
}

/** A copy of a journal, to be changed at will. */
export type Rehearsal = Pick<OpenJournal, 'records' | 'entries' | 'datasets' | 'cache'> & {
  readonly close: () => Promise<void>
}

/** The journal of a home. @throws what opening SQLite does, where it is not in memory */
export async function openJournal(home: string, { journal, reads }: WorkbenchOptions): Promise<OpenJournal> {
  const inMemory = journal === 'memory' || (reads === true && !existsSync(home))
  // without any wait before it: its thread starts while the rest is loaded
  if (!inMemory) {
    const open = await openSqlite(home, reads === true)
    const young = new YoungGeneration()
    return { ...open, journal: boundedJournal(open.journal, () => young.look()) }
  }
  return (await import('../journal/memory/open.ts')).openMemoryJournal()
}

/** What keeps a journal from being written, and not from being read. */
const unwritable: ReadonlySet<string> = new Set(['ALM_JOURNAL_READ_ONLY', 'ALM_JOURNAL_FULL'])

/** `reads`: where nothing can be written, what is there can be read all the same. */
async function openSqlite(home: string, reads: boolean) {
  try {
    const rehearse = async () => (await import('../journal/sqlite/rehearsal.ts')).rehearse(home)
    return { ...(await openSqliteJournal(home)), rehearse }
  } catch (error) {
    if (!reads || !isAlmanacError(error) || !unwritable.has(error.code)) throw error
    return openSqliteJournal(home, { readOnly: true })
  }
}
