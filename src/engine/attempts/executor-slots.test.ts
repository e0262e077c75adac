import { expect, it } from 'vitest'
import type { Executor } from '../../ports/executor.ts'
import { ExecutorSlots } from './executor-slots.ts'

const executor = { name: 'one' } as Executor
const other = { name: 'other' } as Executor
const everybody = Number.POSITIVE_INFINITY

it('nothing waits for a slot where nothing is ahead', () => {
  const slots = new ExecutorSlots()
  expect([1, 2, 3].map(() => slots.enter(executor, everybody))).toEqual([false, false, false])
})

it('what is more than the slots goes ahead, and gets one when an attempt ends there', () => {
  const slots = new ExecutorSlots()
  expect([1, 2, 3].map(() => slots.enter(executor, 2))).toEqual([false, false, true])
  slots.leave(executor)
  expect(slots.enter(executor, 2)).toBe(true)
})

it('an attempt is not submitted ahead of those that have ended, though outputs of theirs are being collected', () => {
  const slots = new ExecutorSlots()
  for (let n = 0; n < 2; n++) slots.enter(executor, everybody)
  for (let n = 0; n < 2; n++) slots.leave(executor)
  expect([1, 2, 3].map(() => slots.enter(executor, 2))).toEqual([false, false, true])
})

it('of each executor the attempts are counted by themselves', () => {
  const slots = new ExecutorSlots()
  expect([1, 2].map(() => slots.enter(executor, 1))).toEqual([false, true])
  expect([1, 2].map(() => slots.enter(other, 1))).toEqual([false, true])
})
