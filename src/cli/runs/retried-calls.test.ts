import { expect, it } from 'vitest'
import { aCall, anOutcome, aRun } from '../../testing/journal-records.ts'
import { World } from '../../testing/world.ts'
import { retriedCalls } from './retried-calls.ts'

const numbers = (first: number, end: number): number[] =>
  Array.from({ length: end - first }, (_, index) => first + index)

it('are those of the task, what was skipped or cancelled, and all after the first where that is wanted', async () => {
  const open = new World().process
  await open.journal.create(aRun('run1'))
  const names = ['load', 'qc', 'plot', 'qc', 'plot', 'plot']
  await open.journal.append('run1', [
    ...names.map((name, call) => aCall(call, { name })),
    anOutcome(0, { state: 'skipped' }),
    anOutcome(4, { state: 'cancelled' }),
  ])
  const retried = (named: string, after: boolean) => retriedCalls(open, 'run1', named, after)
  expect(await retried('qc', false)).toEqual([0, 1, 3, 4])
  expect(await retried('qc', true)).toEqual([0, 1, 2, 3, 4, 5])
  expect(await retried('3', false)).toEqual([0, 3, 4])
  expect(await retried('3', true)).toEqual([0, 3, 4, 5])
  await expect(retried('absent', true)).rejects.toMatchObject({ code: 'ALM_CALL_UNKNOWN' })
})

it('are all of a task, however many', async () => {
  const open = new World().process
  await open.journal.create(aRun('run1'))
  await open.journal.append(
    'run1',
    numbers(0, 150_000).map((call) => aCall(call)),
  )
  const plain = await retriedCalls(open, 'run1', 'qc', false)
  const after = await retriedCalls(open, 'run1', '5', true)
  expect([plain.length, plain.at(-1), after.length, after[0]]).toEqual([150_000, 149_999, 149_995, 5])
})
