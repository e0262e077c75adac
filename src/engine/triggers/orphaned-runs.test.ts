import { expect, it } from 'vitest'
import type { RunRecord } from '../../model/records.ts'
import { aCall, aRun } from '../../testing/journal-records.ts'
import { World } from '../../testing/world.ts'
import { orphanedRuns } from './orphaned-runs.ts'

const owner = { host: 'here', pid: 1, bootId: 'boot' }

async function below(records: Parameters<typeof orphanedRuns>[0], run: string): Promise<string[]> {
  const found: string[] = []
  for await (const { id } of orphanedRuns(records, run)) found.push(id)
  return found
}

/** Runs by their ids, each with its state and what has triggered it. */
const runs: readonly (readonly [id: string, state: RunRecord['state'], by?: string])[] = [
  ['first', 'succeeded'],
  ['ended', 'succeeded', 'first'],
  ['begun', 'running', 'first'],
  ['failed', 'failed', 'ended'],
  ['rests', 'waiting', 'ended'],
  ['below-begun', 'scheduled', 'begun'],
  ['below-failed', 'scheduled', 'failed'],
  ['below-rests', 'cancelling', 'rests'],
  ['had', 'running', 'rests'],
  ['below-had', 'scheduled', 'had'],
]

it('finds what nobody has below runs that have ended or rest, however deep, and leaves the rest to whoever goes on with those', async () => {
  const { journal, records } = new World().process
  for (const [id, state, by] of runs) {
    const triggeredBy = by === undefined ? {} : { triggeredBy: { run: by, call: 0, depth: 1 } }
    await journal.create(aRun(id, { state, ...triggeredBy }))
  }
  await journal.claim('had', owner)
  const found = await below(records, 'first')
  expect(found.toSorted()).toEqual(['begun', 'below-failed', 'below-rests'])
  expect(await below(records, 'below-had')).toEqual([])
})

it('looks through any number of them', async () => {
  const { journal, records } = new World().process
  await journal.create(aRun('first'))
  await journal.append('first', [aCall(0)])
  for (let n = 0; n < 1100; n++) {
    const triggeredBy = { run: 'first', call: 0, depth: 1 }
    await journal.create(aRun(`run-${n}`, { state: n % 2 === 0 ? 'scheduled' : 'succeeded', triggeredBy }))
  }
  expect(await below(records, 'first')).toHaveLength(550)
})
