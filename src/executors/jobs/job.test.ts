import { describe, expect, it } from 'vitest'
import { taskSpec } from '../../testing/task-spec.ts'
import { TaskFunction } from './job.ts'

describe('calls of a function that may wait in a worker', () => {
  const megabyte = 2 ** 20
  it.each([
    { threads: 8, took: 'nothing yet', ms: undefined, leaves: 0, ahead: 0, unheard: 0 },
    { threads: 1, took: '1 ms', ms: 1, leaves: 0, ahead: 4, unheard: 4 },
    { threads: 8, took: '0.001 ms', ms: 0.001, leaves: 0, ahead: 256, unheard: 256 },
    { threads: 8, took: '20 ms', ms: 20, leaves: 0, ahead: 4, unheard: 200 },
    { threads: 8, took: '1 s', ms: 1000, leaves: 0, ahead: 4, unheard: 64 },
    { threads: 8, took: '20 ms and leave 0.1 MiB', ms: 20, leaves: 0.1, ahead: 4, unheard: 200 },
    { threads: 8, took: '20 ms and leave 1 MiB', ms: 20, leaves: 1, ahead: 4, unheard: 32 },
    { threads: 8, took: '20 ms and leave 10 MiB', ms: 20, leaves: 10, ahead: 3, unheard: 3 },
  ])(
    'are $ahead, and $unheard while nothing is heard, with $threads threads where they took $took',
    (one) => {
      const body = { kind: 'python', file: '/steps.py', function: 'f', threads: one.threads } as const
      const fn = new TaskFunction(1, taskSpec('f', body))
      if (one.ms !== undefined) fn.took(one.ms, one.leaves * megabyte)
      expect({ ahead: fn.ahead, unheard: fn.aheadUnheard }).toEqual({
        ahead: one.ahead,
        unheard: one.unheard,
      })
    },
  )
})
