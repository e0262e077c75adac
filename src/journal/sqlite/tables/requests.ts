import type { RunId } from '../../../model/records.ts'
import type { RunState } from '../../../model/states.ts'
import type { RunRequest } from '../../../ports/journal.ts'
import { checkRequested } from '../../refusals.ts'
import type { Database } from '../database/database.ts'

/** @throws ALM_RUN_ENDED where the run has ended */
export function addRequest(db: Database, n: number, request: RunRequest): void {
  const run = db.get<{ id: RunId; state: RunState }>('SELECT id, state FROM runs WHERE n = ?', n)
  if (run !== undefined) checkRequested(run.id, run.state)
  db.run('INSERT INTO requests (run, request) VALUES (?, ?)', n, JSON.stringify(request))
}

export const openRequests = (db: Database, n: number): RunRequest[] =>
  db
    .all<{ request: string }>('SELECT request FROM requests WHERE run = ? AND taken = 0 ORDER BY seq', n)
    .map(({ request }) => JSON.parse(request) as RunRequest)

export function takeRequests(db: Database, n: number): void {
  db.run('UPDATE requests SET taken = 1 WHERE run = ? AND taken = 0', n)
}

/** What an owner took and did not record died with it: the next one gets it again. */
export function giveBackRequests(db: Database, n: number): void {
  db.run('UPDATE requests SET taken = 0 WHERE run = ? AND taken = 1', n)
}
