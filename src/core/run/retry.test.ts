import { describe, expect, it } from 'vitest'
import type { RetryPolicy } from '../../model/task.ts'
import { isRetried, retryDelay } from './retry.ts'

const policy: RetryPolicy = {
  count: 3,
  delayMs: 1000,
  backoff: 2,
  maxDelayMs: 5000,
  jitter: 0,
  memoryFactor: 1,
}
const failure = { reason: 'error', names: ['ValueError', 'ALM_TASK_FAILED'], retryable: true } as const

describe('a failed attempt', () => {
  it.each([
    ['is tried again while retries are left', policy, failure, 2, true],
    ['is not when they are spent', policy, failure, 3, false],
    ['is not where trying again cannot help', policy, { ...failure, retryable: false }, 0, false],
    ['is where the author names its error type', { ...policy, on: ['ValueError'] }, failure, 0, true],
    ['is where the author names its code', { ...policy, on: ['ALM_TASK_FAILED'] }, failure, 0, true],
    [
      'is where the author names its reason',
      { ...policy, on: ['timeout'] },
      { ...failure, reason: 'timeout' as const },
      0,
      true,
    ],
    ['is not where the author names others', { ...policy, on: ['KeyError'] }, failure, 0, false],
  ])('%s', (_, retries, failed, spent, expected) => {
    expect(isRetried(retries, failed, spent)).toBe(expected)
  })
})

describe('the delay', () => {
  it('grows from retry to retry up to its limit', () => {
    expect([0, 1, 2, 3, 50].map((spent) => retryDelay(policy, spent, 0.5))).toEqual([
      1000, 2000, 4000, 5000, 5000,
    ])
  })

  it('varies by chance within its share', () => {
    expect([0, 0.5, 1].map((chance) => retryDelay({ ...policy, jitter: 0.1 }, 0, chance))).toEqual([
      900, 1000, 1100,
    ])
  })
})
