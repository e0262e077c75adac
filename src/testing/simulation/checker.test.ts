import { expect, it } from 'vitest'
import { RunMachine } from '../../core/run/machine.ts'
import type { Attempt } from '../../ports/executor.ts'
import { aCall, anOutcome } from '../journal-records.ts'
import { taskSpec } from '../task-spec.ts'
import { Checker } from './checker.ts'
import type { Program } from './program.ts'
import { capacity, shapes } from './shapes.ts'

const program: Program = {
  main: { steps: [], result: [] },
  children: [],
  triggered: [],
  receives: false,
  codes: shapes.map((_, text) => ({ text, meaning: text })),
  input: 0,
  files: undefined,
}

const held = shapes.findIndex(({ gives }) => gives === 'held')

/** An attempt of call 0, whose result its worker holds. */
const attempt = (id: number): Attempt => ({
  id,
  run: 'run-1',
  call: 0,
  attempt: id,
  key: '',
  task: taskSpec(`t${held}`, { kind: 'function', name: 'held' }),
  inputs: { args: [''] },
  outputs: {},
  scratch: '',
  idempotencyKey: '',
  memoryBytes: 0,
  env: {},
  logicalTime: 0,
})

const stopping = { kind: 'attempt', call: 0, attempt: 1, phase: 'stopping', startedAt: 0, at: 0 } as const
const made = aCall(0, { argsWire: '{"args":[""]}' })
const outcome = anOutcome(0, { valueWire: '{"$":"held","type":"7"}' })

/** The run is cancelled while the first attempt of call 0 is under way. */
function cancelled(): Checker {
  const checker = new Checker(
    program,
    () => 0,
    () => ({}),
  )
  checker.begin(program, false, false)
  const machine = new RunMachine(capacity, 0)
  machine.apply({ kind: 'cancel' })
  checker.applied({ kind: 'cancel' }, machine)
  checker.submitted(attempt(1))
  checker.durable([made, stopping])
  return checker
}

/** Another process takes the run over. */
function takenOver(checker: Checker): Checker {
  checker.begin(program, false, true)
  checker.applied({ kind: 'was-cancelled' }, new RunMachine(capacity, 0))
  return checker
}

const ended = (checker: Checker): Checker => {
  checker.ended(1, { kind: 'succeeded', values: { '': 7 } })
  return checker
}

const recorded = (checker: Checker): Checker => {
  checker.durable([outcome])
  return checker
}

/** What the checker says to a second attempt of call 0. */
function again(checker: Checker): string | undefined {
  checker.submitted(attempt(2))
  try {
    checker.check()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

it('S18 lets be made again what ended before it could be stopped', () => {
  expect(again(ended(cancelled()))).toBe(undefined)
  expect(again(recorded(ended(cancelled())))).toBe(undefined)
  expect(again(takenOver(recorded(ended(cancelled()))))).toBe(undefined)
})

it('S18 refuses an attempt of what a cancellation gave up, as far as is durable', () => {
  const refused = 'S18: attempt 2 began, which was cancelled'
  expect(again(takenOver(cancelled()))).toBe(refused)
  expect(again(takenOver(ended(cancelled())))).toBe(refused)
})
