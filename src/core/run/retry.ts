import type { FailureReason } from '../../model/states.ts'
import type { RetryPolicy } from '../../model/task.ts'

/** A worker that dies is no fault of the author's; one that dies so often in a row under one call is. */
export const maxLosses = 4

export interface Failure {
  readonly reason: FailureReason
  readonly names: readonly string[]
  readonly retryable: boolean
}

/** Is a failed attempt tried again, when so many retries are spent? */
export function isRetried(policy: RetryPolicy, failure: Failure, spent: number): boolean {
  if (!failure.retryable || spent >= policy.count) return false
  return (
    policy.on === undefined ||
    failure.names.some((name) => policy.on?.includes(name)) ||
    policy.on.includes(failure.reason)
  )
}

/** ms until the attempt after `spent` retries; `chance` is 0 to 1. */
export function retryDelay(policy: RetryPolicy, spent: number, chance: number): number {
  const delay = Math.min(policy.delayMs * policy.backoff ** spent, policy.maxDelayMs)
  return Math.round(delay * (1 + policy.jitter * (2 * chance - 1)))
}
