import { expect, it } from 'vitest'
import { task } from '../../flow/task.ts'
import { workflow } from '../../flow/workflow.ts'
import { World } from '../../testing/world.ts'

it('what a function goes on to change is not what it gave', async () => {
  const all: number[] = []
  const grow = task('grow', (n: number) => {
    all.push(n)
    return all
  })
  const grows = workflow('grows', async () => {
    const first = grow(1)
    await first
    const second = await grow(2)
    return [await first, second]
  })
  expect((await new World().run(grows)).output).toEqual([[1], [1, 2]])
})

it('what a workflow goes on to change is not what it called with, dates and bytes included', async () => {
  const told = task('told', (day: Date, bytes: Uint8Array) => [day.getUTCDate(), ...bytes])
  const days = workflow('days', async () => {
    const day = new Date(Date.UTC(2026, 0, 1))
    const bytes = new Uint8Array([1, 2])
    const calls = [1, 2].map(() => {
      const call = told(day, bytes)
      day.setUTCDate(day.getUTCDate() + 1)
      bytes.fill(0)
      return call
    })
    return await Promise.all(calls)
  })
  expect((await new World().run(days)).output).toEqual([
    [1, 1, 2],
    [2, 0, 0],
  ])
})

it('what a workflow changes of a value that it awaited is its own', async () => {
  const make = task('make', () => ({ list: [1], day: new Date(0), bytes: new Uint8Array([7]) }))
  const read = task('read', (of: { list: number[]; day: Date; bytes: Uint8Array }) => [
    of.list.length,
    of.day.getTime(),
    of.bytes[0],
  ])
  const changes = workflow('changes', async () => {
    const made = make()
    const own = await made
    own.list.push(2)
    own.day.setTime(5)
    own.bytes.fill(0)
    return await read(made)
  })
  expect((await new World().run(changes)).output).toEqual([1, 0, 7])
})
