import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { journalFailure } from './database/failures.ts'
import { type OpenSqliteJournal, openSqliteJournal } from './open.ts'

/**
 * A copy of a journal as it is now, on which can be tried what a change would do. It takes as much room as the journal,
 * among temporary files; `close` removes it.
 *
 * @throws ALM_JOURNAL_FULL, ALM_JOURNAL_FAILED
 */
export async function rehearse(home: string): Promise<OpenSqliteJournal> {
  const path = join(home, 'journal.db')
  const folder = mkdtempSync(join(tmpdir(), 'almanac-journal-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  try {
    copy(path, join(folder, 'journal.db'))
    const open = await openSqliteJournal(folder)
    return { ...open, close: () => open.close().finally(remove) }
  } catch (error) {
    remove()
    throw journalFailure(error, path)
  }
}

/** One state of it, whoever writes meanwhile, and nobody waits. */
function copy(path: string, to: string): void {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 60_000 })
  try {
    db.prepare('VACUUM INTO ?').run(to)
  } finally {
    db.close()
  }
}
