import { isKeptResult, isOfShared } from '../core/identity/remembered.ts'
import type { Outcome, RememberedCall, RunRecord } from '../model/records.ts'
import { plainCall } from '../model/remembered.ts'
import { isRunEnd } from '../model/states.ts'
import { movedDocuments } from './documents/document-calls.ts'

/** What is not to hold any more when a run goes on. */
export interface Forgetting {
  /**
   * A person does it: failures that reached the end uncaught are forgotten; `caught`: all of them. `attempts`: a person
   * goes on with what triggered it, and of calls that have not ended the attempts are.
   */
  readonly forget: 'uncaught' | 'caught' | 'attempts' | 'none'
  /** instead: these calls, and with `after` all that was made of them */
  readonly calls?: readonly number[]
}

/** No fault of a call: another attempt on a disk that is well may succeed. */
const ofDisk: ReadonlySet<string> = new Set(['ALM_STORE_FULL', 'ALM_STORE_READ_ONLY'])

/** Those of datasets and documents: there may be a million others. */
export const sharedCalls = (remembered: readonly RememberedCall[]): readonly RememberedCall[] =>
  remembered.filter(({ call_kind: kind }) => isOfShared(kind))

/** Which outcomes a person's wish takes back; `shared`: those of them that are of datasets and documents. */
export function forgottenCalls(
  run: RunRecord,
  remembered: readonly RememberedCall[],
  shared: readonly RememberedCall[],
  how: Forgetting,
): number[] {
  if (how.calls === undefined) {
    if (how.forget === 'none') return []
    if (how.forget === 'attempts') return remembered.filter(isTried).map(({ call }) => call)
  }
  const forgotten = new Set(
    how.forget === 'none' ? [] : movedDocuments(shared, new Set(how.calls ?? run.uncaught)),
  )
  const refused = refusedIn(shared)
  const moved = new Set(refused.map(({ name }) => name))
  // what was published meanwhile is read anew: else it would be refused each time
  const reads = shared.filter(({ call_kind: kind, name }) => kind === 'read' && moved.has(name))
  if (how.calls !== undefined)
    return [...new Set([...forgotten, ...how.calls, ...[...refused, ...reads].map(({ call }) => call)])]
  for (const { call } of reads) forgotten.add(call)
  const uncaught = new Set(run.uncaught)
  for (const call of remembered) {
    const state = call.outcome?.state
    if (state === 'succeeded') continue
    // a person starts attempts anew
    if (isTried(call)) forgotten.add(call.call)
    // not done because the run was to stop; what was skipped for want of others follows from how those end
    const isGivenUp = call.outcome !== undefined && state === 'cancelled' && call.call_kind !== 'timer'
    if (isGivenUp && !isKeptResult(call.outcome)) forgotten.add(call.call)
    if (call.outcome?.reason === 'policy' && how.forget === 'caught') forgotten.add(call.call)
    if (state !== 'failed') continue
    // the disk that failed it may have failed the record of the run's end too
    const isOfDisk = !isRunEnd(run.state) && ofDisk.has(call.outcome?.error?.code ?? '')
    if (how.forget === 'caught' || uncaught.has(call.call) || call.call_kind === 'entry' || isOfDisk)
      forgotten.add(call.call)
  }
  return [...forgotten]
}

/**
 * Timers that ended the run as they rang, as they are to be remembered when a person goes on with it: withdrawn, so that
 * what they bounded is awaited anew.
 */
export function timersAnew(
  { uncaught }: RunRecord,
  remembered: readonly RememberedCall[],
  how: Forgetting,
): Outcome[] {
  if (uncaught.length === 0 || how.calls !== undefined || !isOfPerson(how)) return []
  const ended = new Set(uncaught)
  return remembered.flatMap(({ call, call_kind: kind, outcome }) => {
    if (kind !== 'timer' || !ended.has(call) || outcome?.state !== 'succeeded') return []
    const { order, startedAt, endedAt } = outcome
    const withdrawn = { state: 'cancelled', reason: 'request', attempt: 0, costMs: 0 } as const
    return [{ kind: 'outcome', call, order, startedAt, endedAt, ...withdrawn }]
  })
}

/** What is remembered when calls are forgotten, and have ended otherwise: what the journal would give then. */
export function without(
  remembered: readonly RememberedCall[],
  calls: readonly number[],
  others: readonly Outcome[] = [],
): readonly RememberedCall[] {
  if (calls.length + others.length === 0) return remembered
  const forgotten = new Set(calls)
  const otherwise = new Map(others.map((outcome) => [outcome.call, outcome]))
  return remembered.map((call) => {
    const outcome = otherwise.get(call.call)
    if (outcome !== undefined) return { ...plainCall(call), outcome }
    return forgotten.has(call.call) ? forgetful(call) : call
  })
}

/** Attempts of it were spent, and it has not ended. */
const isTried = ({ outcome, attempts }: RememberedCall): boolean =>
  outcome === undefined && attempts.some(({ phase }) => phase !== 'started')

/** Publications that were made upon versions which were not the newest any more. */
const refusedIn = (shared: readonly RememberedCall[]): readonly RememberedCall[] =>
  shared.filter(
    ({ call_kind: kind, outcome }) => kind === 'publish' && outcome?.error?.code === 'ALM_DATASET_MOVED',
  )

/** Datasets of which a person wants the newest versions, whatever the run has seen and published of them itself. */
export const readAnew = (shared: readonly RememberedCall[], how: Forgetting): ReadonlySet<string> =>
  new Set(isOfPerson(how) ? refusedIn(shared).map(({ name }) => name) : [])

/** Is it this run that a person wants to go on? */
export const isOfPerson = ({ forget, calls }: Forgetting): boolean =>
  calls !== undefined || forget === 'uncaught' || forget === 'caught'

const forgetful = (remembered: RememberedCall): RememberedCall => {
  const { outcome: _, ...call } = plainCall(remembered)
  return { ...call, attempts: [] }
}
