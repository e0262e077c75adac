import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { AlmanacError } from '../../model/errors.ts'
import { journalFailure } from './database/failures.ts'
import { type OpenSqliteJournal, openSqliteJournal } from './open.ts'

/**
 * A copy of a journal as it is now, on which can be tried what a change would do. It takes as much room as the journal,
 * among temporary files; `close` removes it.
 *
 * @throws ALM_REHEARSAL_FAILED, ALM_JOURNAL_DAMAGED, ALM_JOURNAL_FAILED
 */
export async function rehearse(home: string): Promise<OpenSqliteJournal> {
  const path = join(home, 'journal.db')
  const folder = temporaryFolder()
  const remove = () => rmSync(folder, { recursive: true, force: true })
  try {
    copy(path, join(folder, 'journal.db'))
    const open = await openSqliteJournal(folder)
    return { ...open, close: () => open.close().finally(remove) }
  } catch (error) {
    const { code } = journalFailure(error, join(folder, 'journal.db'))
    remove()
    if (code === 'ALM_JOURNAL_FULL') throw noCopy(error, 'the disk is full')
    throw journalFailure(error, path)
  }
}

function temporaryFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), 'almanac-journal-'))
  } catch (error) {
    throw noCopy(error, error instanceof Error ? error.message : String(error))
  }
}

/** The journal itself is as it was. */
const noCopy = (cause: unknown, why: string): AlmanacError =>
  new AlmanacError('ALM_REHEARSAL_FAILED', { path: tmpdir(), why }, { cause })

/** One state of it, whoever writes meanwhile, and nobody waits. */
function copy(path: string, to: string): void {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 60_000 })
  try {
    db.prepare('VACUUM INTO ?').run(to)
  } finally {
    db.close()
  }
}
