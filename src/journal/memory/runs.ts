import type { RunChange, RunId, RunRecord } from '../../model/records.ts'
import type { CallState } from '../../model/states.ts'
import { isRunEnd } from '../../model/states.ts'
import type { Owner, RunQuery } from '../../ports/journal.ts'
import { activeRun, checkRunId, runExists } from '../refusals.ts'
import { changedRun } from '../run-change.ts'
import { removeDocuments } from './documents.ts'
import type { MemoryStore, RunMemory } from './store.ts'
import { copyOf, knownRun } from './store.ts'

/** @throws ALM_RUN_EXISTS, ALM_NAME_REFUSED */
export function checkNewRun(store: MemoryStore, { id }: RunRecord): void {
  checkRunId(id)
  if (store.runs.has(id)) throw runExists(id)
}

/** @throws ALM_RUN_EXISTS, ALM_NAME_REFUSED */
export function createRun(store: MemoryStore, record: RunRecord): void {
  checkNewRun(store, record)
  store.runs.set(record.id, {
    record: copyOf(record),
    counts: new Map(Object.entries(record.counts) as [CallState, number][]),
    executed: record.executed,
    reused: record.reused,
    savedMs: record.savedMs ?? 0,
    calls: new Map(),
    ids: [],
    outcomes: new Map(),
    attempts: new Map(),
    notes: [],
    asks: new Map(),
    messages: new Map(),
    messageIds: new Map(),
    parts: new Map(),
    requests: [],
    broken: undefined,
  })
}

/** A request that was taken is done when a change of the run tells of it; an end does away with all. */
export function changeRun(run: RunMemory, change: RunChange): void {
  run.record = changedRun(run.record, copyOf(change))
  run.requests = isRunEnd(run.record.state) ? [] : run.requests.filter(({ taken }) => !taken)
}

export function ownRun(run: RunMemory, owner: Owner): void {
  const { host, pid, bootId } = owner
  run.record = { ...run.record, host, pid, bootId }
}

export function readRun(run: RunMemory): RunRecord {
  const counts = Object.fromEntries([...run.counts].filter(([, count]) => count !== 0))
  const saved = run.savedMs > 0 ? { savedMs: run.savedMs } : {}
  return { ...copyOf(run.record), counts, executed: run.executed, reused: run.reused, ...saved }
}

export function listRuns(store: MemoryStore, query: RunQuery): RunRecord[] {
  const { workflow, environment, file, states, newestOfEach, triggeredBy, before, limit } = query
  const found = [...store.runs.values()]
    .filter(
      ({ record }) =>
        (workflow === undefined || record.workflow === workflow) &&
        (environment === undefined || record.environment === environment) &&
        (file === undefined || record.file === file) &&
        (states === undefined || states.includes(record.state)) &&
        (triggeredBy === undefined || record.triggeredBy?.run === triggeredBy),
    )
    .sort((a, b) => (a.record.id < b.record.id ? 1 : -1))
  const seen = new Set<string>()
  const isFirst = ({ record }: RunMemory): boolean => seen.size < seen.add(record.workflow).size
  return (newestOfEach === true ? found.filter(isFirst) : found)
    .filter(({ record }) => before === undefined || record.id < before)
    .slice(0, limit)
    .map(readRun)
}

/** @throws ALM_RUN_UNKNOWN, ALM_RUN_ACTIVE */
export function removeRun(store: MemoryStore, run: RunId): void {
  const { record } = knownRun(store, run)
  if (!isRunEnd(record.state) || store.claims.has(run)) throw activeRun(run)
  store.runs.delete(run)
  removeDocuments(store, run)
}
