import { expect, it } from 'vitest'
import type { RememberedCall, RunRecord } from '../model/records.ts'
import { forgottenCalls } from './forgotten-calls.ts'

const at = 0
const attempt = { attempt: 1, startedAt: at, at, spent: true } as const
const call = (number: number, phases: readonly ('started' | 'failed')[], state?: 'failed'): RememberedCall =>
  ({
    call: number,
    key: `k${number}`,
    caller: 'w',
    name: 'work',
    call_kind: 'task',
    at,
    attempts: phases.map((phase) => ({ ...attempt, phase })),
    ...(state && { outcome: { state, reason: 'error', order: number, at } }),
  }) as unknown as RememberedCall

const run = { state: 'running', uncaught: [4] } as unknown as RunRecord
const calls = [
  call(1, []),
  call(2, ['started']),
  call(3, ['failed']),
  call(4, ['failed', 'failed'], 'failed'),
  call(5, ['failed'], 'failed'),
]

it.each([
  ['another process that goes on with a run', 'none', []],
  ['a person who goes on with what triggered it', 'attempts', [3]],
  ['a person who goes on with it', 'uncaught', [3, 4]],
  ['a person who wants caught failures tried again too', 'caught', [3, 4, 5]],
] as const)('%s takes back the calls that follow from it', (_, forget, forgotten) => {
  expect(forgottenCalls(run, calls, [], { forget })).toEqual(forgotten)
})
