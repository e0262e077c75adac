import type { Outcome, RememberedCall, RememberedOutcome } from './records.ts'

/** What a journal gives back may be read field by field from what it was loaded as: these are copies with all of it. */

export function plainOutcome(outcome: RememberedOutcome): Omit<Outcome, 'kind' | 'call'> {
  const { order, state, reason, attempt, startedAt, endedAt, costMs } = outcome
  const { fingerprint, valueWire, digest, error, origin, map, message } = outcome
  return {
    order,
    state,
    reason,
    attempt,
    startedAt,
    endedAt,
    costMs,
    ...(fingerprint !== undefined && { fingerprint }),
    ...(valueWire !== undefined && { valueWire }),
    ...(digest !== undefined && { digest }),
    ...(error !== undefined && { error }),
    ...(origin !== undefined && { origin }),
    ...(map !== undefined && { map }),
    ...(message !== undefined && { message }),
  }
}

export function plainCall(
  remembered: RememberedCall,
): RememberedCall & { outcome?: Omit<Outcome, 'kind' | 'call'> } {
  const { call, key, caller, name, call_kind, at, argsWire, outcome, attempts } = remembered
  return {
    call,
    key,
    caller,
    name,
    call_kind,
    at,
    ...(argsWire !== undefined && { argsWire }),
    ...(outcome !== undefined && { outcome: plainOutcome(outcome) }),
    attempts,
  }
}
