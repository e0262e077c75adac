import type { RunRequest } from '../../ports/journal.ts'
import { checkRequested } from '../refusals.ts'
import type { RunMemory } from './store.ts'

/** @throws ALM_RUN_ENDED where the run has ended */
export function addRequest(run: RunMemory, request: RunRequest): void {
  checkRequested(run.record.id, run.record.state)
  run.requests.push({ request: { ...request }, taken: false })
}

export function takeRequests(run: RunMemory): RunRequest[] {
  const open = run.requests.filter(({ taken }) => !taken)
  for (const one of open) one.taken = true
  return open.map(({ request }) => ({ ...request }))
}

/** What an owner took and did not record died with it: the next one gets it again. */
export function giveBackRequests(run: RunMemory): void {
  for (const one of run.requests) one.taken = false
}
