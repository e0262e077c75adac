import { isCounted } from '../../model/call-kinds.ts'
import type { CallMade, Forgotten, Outcome, RememberedCall } from '../../model/records.ts'
import type { CallState } from '../../model/states.ts'
import type { CallQuery, CallRow } from '../../ports/journal.ts'
import { countersOf } from '../counters.ts'
import { forgetAttempts, spentAttempts } from './attempts.ts'
import { giveBackMessage, receiveMessage } from './messages.ts'
import type { RunMemory } from './store.ts'
import { copyOf } from './store.ts'

export function addCall(run: RunMemory, record: CallMade): void {
  run.calls.set(record.call, { ...record })
  const { ids } = run
  let at = ids.length
  while (at > 0 && (ids[at - 1] as number) > record.call) at--
  ids.splice(at, 0, record.call)
  count(run, record.call, 'waiting', 1)
}

export function addOutcome(run: RunMemory, record: Outcome): void {
  takeBack(run, record.call)
  const outcome = copyOf(record)
  run.outcomes.set(outcome.call, outcome)
  count(run, outcome.call, 'waiting', -1)
  count(run, outcome.call, outcome.state, 1)
  tell(run, outcome, 1)
  if (outcome.message !== undefined) receiveMessage(run, outcome.message, outcome.call)
  const ask = run.asks.get(outcome.call)
  if (ask !== undefined) ask.ended = true
}

export function forgetCalls(run: RunMemory, { calls }: Forgotten): void {
  for (const call of calls) {
    takeBack(run, call)
    forgetAttempts(run, call)
  }
}

function takeBack(run: RunMemory, call: number): void {
  const outcome = run.outcomes.get(call)
  if (outcome === undefined) return
  run.outcomes.delete(call)
  if (outcome.message !== undefined) giveBackMessage(run, outcome.message)
  count(run, call, outcome.state, -1)
  count(run, call, 'waiting', 1)
  tell(run, outcome, -1)
}

function count(run: RunMemory, call: number, state: CallState, by: number): void {
  if (!isCounted((run.calls.get(call) as CallMade).call_kind)) return
  run.counts.set(state, (run.counts.get(state) ?? 0) + by)
}

function tell(run: RunMemory, outcome: Outcome, by: number): void {
  const { executed, reused, savedMs } = countersOf(
    (run.calls.get(outcome.call) as CallMade).call_kind,
    outcome,
  )
  run.executed += executed * by
  run.reused += reused * by
  run.savedMs += savedMs * by
}

export function loadCalls(run: RunMemory): RememberedCall[] {
  return run.ids.map((id) => {
    const { call, key, caller, name, call_kind, at, argsWire, keyed } = run.calls.get(id) as CallMade
    const outcome = bareOutcome(run, id)
    return {
      call,
      key,
      caller,
      name,
      call_kind,
      at,
      ...(keyed !== true && call_kind !== 'entry' && { argsWire }),
      ...(outcome && { outcome }),
      attempts: spentAttempts(run, id),
    }
  })
}

export function listCalls(run: RunMemory, query: CallQuery): CallRow[] {
  const rows: CallRow[] = []
  for (const id of run.ids) {
    if (rows.length >= query.limit) break
    if (query.after !== undefined && id <= query.after) continue
    if (query.call !== undefined && id !== query.call) continue
    const { kind: _, keyed: __, ...made } = run.calls.get(id) as CallMade
    if (query.name !== undefined && made.name !== query.name) continue
    const outcome = bareOutcome(run, id)
    if (query.states !== undefined && !query.states.includes(outcome?.state ?? 'waiting')) continue
    rows.push({ ...made, ...(outcome && { outcome }) })
  }
  return rows
}

function bareOutcome(run: RunMemory, id: number): CallRow['outcome'] {
  const record = run.outcomes.get(id)
  if (record === undefined) return undefined
  const { kind: _, call: __, ...outcome } = copyOf(record)
  return outcome
}
