import { expect, it } from 'vitest'
import type { Note } from '../../model/records.ts'
import { aRun } from '../../testing/journal-records.ts'
import { World } from '../../testing/world.ts'
import { runNotes } from './run-notes.ts'

it('tells of each metric the newest value, however many came before it', async () => {
  const world = new World()
  const { journal, records } = world.process
  await journal.create(aRun('run1'))
  const metric = (name: string, value: number): Note => ({
    kind: 'note',
    type: 'metric',
    name,
    bodyWire: `{"value":${value}}`,
    at: value,
  })
  const losses = Array.from({ length: 20_001 }, (_, i) => metric('loss', i))
  await journal.append('run1', [metric('score', 7), ...losses])
  expect(await runNotes({ records, data: world.data }, 'run1')).toEqual({
    metrics: { score: { value: 7, count: 1 }, loss: { value: 20_000, count: 20_001 } },
    artifacts: [],
  })
})
