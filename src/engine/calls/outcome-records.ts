import type { Call } from '../../core/run/call.ts'
import type { Effect } from '../../core/run/events.ts'
import { isIdentified } from '../../core/run/graph.ts'
import { encode } from '../../model/codec.ts'
import type { JournalRecord, Outcome, RememberedCall } from '../../model/records.ts'
import { type Digest, DirRef, FileRef, HeldRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { eachRef } from '../../model/value-refs.ts'
import type { RunSettings } from '../settings.ts'
import { type CallInfo, isHashedLater } from './call-info.ts'
import type { Outcomes } from './outcomes.ts'

/** What is recorded when a call has ended: its outcome, how it was identified, and its entry of the run cache. */
export function outcomeRecords(
  info: CallInfo,
  { status, order }: Extract<Effect, { kind: 'ended' }>,
  call: Call,
  outcomes: Outcomes,
  earlier: RememberedCall['outcome'],
  now: number,
  settings: Kept,
): JournalRecord[] {
  const { id } = info
  const spilled = outcomes.spilled(id)
  // what is kept as a blob need not be read
  const value = spilled ?? outcomes.value(id)
  // that it was cancelled says all, and there may be a hundred thousand
  const error = status.state === 'cancelled' ? undefined : outcomes.error(id)
  // views and children are derived anew on each replay: only their place in the order is kept
  const kept = isIdentified(call) && (status.state === 'succeeded' || value !== undefined)
  const valueWire = kept ? (info.resultWire ?? encode(value)) : undefined
  // whoever compares results compares those that the run cache has
  const digest = info.cacheable && status.state === 'succeeded' ? outcomes.digest(id) : undefined
  const { fingerprint } = info
  const isLeft = fingerprint === undefined && call.attempt > 0 && isHashedLater(info)
  // with what nearly all have in one piece: what is added to an object lies apart from it
  const outcome: { -readonly [K in keyof Outcome]: Outcome[K] } = {
    kind: 'outcome',
    call: id,
    order,
    state: status.state,
    reason: status.reason,
    attempt: call.attempt,
    startedAt: info.startedAt,
    endedAt: now,
    costMs: info.costMs,
    fingerprint,
    fingerprintOf: isLeft ? info.identity?.fingerprintOf(info.args) : undefined,
    valueWire,
    digest,
  }
  if (error !== undefined) outcome.error = error
  if (info.origin !== undefined) outcome.origin = info.origin
  if (info.map !== undefined) outcome.map = info.map
  if (info.message !== undefined) outcome.message = info.message
  if (status.reason === 'upstream' || status.state === 'cancelled')
    Object.assign(outcome, keptResult(earlier))
  const changed = info.own?.outcome !== undefined && info.own.outcome.fingerprint !== info.fingerprint
  return info.cacheable || changed ? [outcome, ...identityRecords(info, outcome, value, settings)] : [outcome]
}

/** Of the run, and of what the call showed. */
interface Kept extends Pick<RunSettings, 'cache'> {
  readonly shown?: string | undefined
}

/** How it was identified, and its entry of the run cache. */
function identityRecords(
  { id: call, fingerprint, identity, args, cacheable, verdict, request, costMs }: CallInfo,
  { reason, valueWire, digest, endedAt: at }: Outcome,
  value: Value,
  { cache, shown }: Kept,
): JournalRecord[] {
  if (fingerprint === undefined || identity === undefined) return []
  const partsWire = JSON.stringify(identity.parts(args))
  const records: JournalRecord[] = [{ kind: 'parts', call, fingerprint, partsWire, verdict }]
  const gives = value !== undefined && value !== null
  if (reason !== 'executed' || !cacheable || !gives || cache === 'off') return records
  if (request.task?.policy.cache !== true && livesInWorker(value)) return records
  if (valueWire === undefined || digest === undefined) return records
  records.push({
    kind: 'cache',
    fingerprint,
    name: request.name,
    call,
    valueWire,
    digest,
    blobs: blobsOf(value),
    costMs,
    at,
    partsWire,
    bytes: bytesOf(value) + valueWire.length,
    ...((cache === 'refresh' || verdict === 'gone') && { replaces: true }),
    ...(request.task?.policy.random === true && { varies: true }),
    ...(shown !== undefined && { shownWire: shown }),
  })
  return records
}

/** What of an earlier result stays with a call that is skipped or cancelled now. */
export const keptResult = (earlier: RememberedCall['outcome']): Partial<Outcome> =>
  earlier?.fingerprint === undefined || earlier.valueWire === undefined
    ? {}
    : {
        fingerprint: earlier.fingerprint,
        valueWire: earlier.valueWire,
        costMs: earlier.costMs,
        ...(earlier.digest !== undefined && { digest: earlier.digest }),
      }

/** Blobs that a value needs; the listings of its trees lead to the rest. */
function blobsOf(value: Value): Digest[] {
  const blobs = new Set<Digest>()
  eachRef(value, (ref) => {
    if (ref instanceof FileRef || ref instanceof DirRef) blobs.add(ref.digest)
    else if (ref instanceof HeldRef && ref.copy !== undefined) blobs.add(ref.copy.digest)
  })
  return [...blobs]
}

function bytesOf(value: Value): number {
  let bytes = 0
  eachRef(value, (ref) => {
    if (ref instanceof FileRef || ref instanceof DirRef) bytes += ref.size
  })
  return bytes
}

/** What only lives in a worker's memory: another run makes it again if it needs it, from what it was made of. */
function livesInWorker(value: Value): boolean {
  let found = false
  eachRef(value, (ref) => {
    found ||= ref instanceof HeldRef
  })
  return found
}
