import { expect, it } from 'vitest'
import { VirtualClock } from '../../testing/virtual-clock.ts'
import { Turns } from './turns.ts'

it('a turn that throws is told of, and ends nobody else’s', async () => {
  const clock = new VirtualClock()
  const said: unknown[] = []
  let isOver = false
  const broken = new Turns(
    clock,
    () => isOver,
    (error) => {
      isOver = true
      said.push(error)
    },
  )
  const sound = new Turns(
    clock,
    () => false,
    (error) => said.push(error),
  )
  const odd = new Error('odd')
  const turn = (order: number, run: () => boolean) => ({ order, call: order, at: 0, run })
  broken.add(
    turn(1, () => {
      throw odd
    }),
  )
  broken.add(turn(2, () => said.push('given after the end') > 0))
  sound.add(turn(1, () => said.push('given to another') > 0))
  await clock.settle()
  expect(said).toEqual([odd, 'given to another'])
})
