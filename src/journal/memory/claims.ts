import type { RunId } from '../../model/records.ts'
import type { Owner, RunClaim } from '../../ports/journal.ts'
import { giveBackAnswers } from './asks.ts'
import { giveBackRequests } from './requests.ts'
import { ownRun } from './runs.ts'
import type { MemoryStore } from './store.ts'
import { knownRun } from './store.ts'

/** `holder` is the journal that claims, as a process does. @throws ALM_RUN_UNKNOWN */
export function claimRun(store: MemoryStore, holder: object, run: RunId, owner: Owner): RunClaim | undefined {
  const memory = knownRun(store, run)
  if (store.claims.has(run)) return undefined
  store.claims.set(run, holder)
  ownRun(memory, owner)
  giveBackAnswers(memory)
  giveBackRequests(memory)
  memory.broken = undefined
  let held = true
  return {
    async release() {
      if (held && store.claims.get(run) === holder) store.claims.delete(run)
      held = false
    },
  }
}

export function releaseAll(store: MemoryStore, holder: object): void {
  for (const [run, by] of store.claims) if (by === holder) store.claims.delete(run)
}
