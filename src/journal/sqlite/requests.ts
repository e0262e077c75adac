import type { RunRequest } from '../../ports/journal.ts'
import type { Database } from './database.ts'

export function addRequest(db: Database, n: number, request: RunRequest): void {
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
