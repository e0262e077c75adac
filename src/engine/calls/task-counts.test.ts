import { expect, it } from 'vitest'
import { TaskCounts } from './task-counts.ts'

it('counts calls by task, with those that are known to come', () => {
  const tasks = new TaskCounts()
  for (const name of ['read', 'read', 'join']) tasks.made(name)
  tasks.ended('read', 'succeeded')
  tasks.ended('read', 'failed')
  tasks.ended('old', 'succeeded', 4)
  expect(tasks.list(new Map([['read', 3]]))).toEqual([
    { name: 'read', total: 5, counts: { succeeded: 1, failed: 1 } },
    { name: 'join', total: 1, counts: {} },
    { name: 'old', total: 4, counts: { succeeded: 4 } },
  ])
})

it('tasks after the first fifteen are told of together', () => {
  const tasks = new TaskCounts()
  for (let i = 0; i < 1000; i++) tasks.made(`task ${i}`)
  tasks.ended('task 0', 'succeeded')
  tasks.ended('task 999', 'succeeded')
  const rows = tasks.list(new Map([['another', 5]]))
  expect([rows.length, rows[0], rows.at(-1)]).toEqual([
    16,
    { name: 'task 0', total: 1, counts: { succeeded: 1 } },
    { name: null, total: 990, counts: { succeeded: 1 } },
  ])
})
