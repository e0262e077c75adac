import { expect, it } from 'vitest'
import type { Executor } from '../../ports/executor.ts'
import { Places } from './places.ts'

const executor = { name: 'one' } as Executor
const other = { name: 'other' } as Executor
const everybody = Number.POSITIVE_INFINITY

it('nothing waits for a place where nothing is ahead', () => {
  const places = new Places()
  expect([1, 2, 3].map(() => places.enter(executor, everybody))).toEqual([false, false, false])
})

it('what is more than the places goes ahead, and gets one when an attempt ends there', () => {
  const places = new Places()
  expect([1, 2, 3].map(() => places.enter(executor, 2))).toEqual([false, false, true])
  places.leave(executor)
  expect(places.enter(executor, 2)).toBe(true)
})

it('an attempt is not submitted ahead of those that have ended, though outputs of theirs are being collected', () => {
  const places = new Places()
  for (let n = 0; n < 2; n++) places.enter(executor, everybody)
  for (let n = 0; n < 2; n++) places.leave(executor)
  expect([1, 2, 3].map(() => places.enter(executor, 2))).toEqual([false, false, true])
})

it('of each executor the attempts are counted by themselves', () => {
  const places = new Places()
  expect([1, 2].map(() => places.enter(executor, 1))).toEqual([false, true])
  expect([1, 2].map(() => places.enter(other, 1))).toEqual([false, true])
})
