import { expect, it } from 'vitest'
import { WorkerMemory } from './worker-memory.ts'

it('a worker that has nothing to do is asked once to give back what it does not need', () => {
  const sent: unknown[] = []
  const memory = new WorkerMemory({ pid: undefined, heldBytes: 0, send: (said) => sent.push(said) }, 1000)
  for (let tick = 0; tick < 10; tick++) {
    memory.rest()
    memory.weigh(100, [])
  }
  expect(sent).toEqual([['trim']])
  memory.stirs()
  memory.rest()
  expect(sent).toEqual([['trim'], ['trim']])
})
