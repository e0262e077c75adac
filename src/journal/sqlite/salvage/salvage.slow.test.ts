import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { plainCall } from '../../../model/remembered.ts'
import { aCall, anOutcome, aRun } from '../../../testing/journal-records.ts'
import type { TemporaryHome } from '../../../testing/temporary-home.ts'
import { temporaryHome } from '../../../testing/temporary-home.ts'
import { openSqliteJournal } from '../open.ts'
import { salvageJournal } from './salvage.ts'

let home: TemporaryHome
let file: string
beforeEach(async () => {
  home = await temporaryHome()
  file = join(home.path, 'journal.db')
})
afterEach(() => home.remove())

const calls = 3000

/** Two runs of many calls that have ended. */
async function makeJournal(): Promise<void> {
  const { journal } = await openSqliteJournal(home.path)
  for (const run of ['run1', 'run2']) {
    await journal.create(aRun(run))
    await journal.append(
      run,
      Array.from({ length: calls }, (_, i) => aCall(i)),
    )
    await journal.append(
      run,
      Array.from({ length: calls }, (_, i) => anOutcome(i)),
    )
  }
  await journal.close()
}

/** What is left is whole: every outcome as it was written, and counts that agree. */
async function expectSound(): Promise<void> {
  const { journal, records, check } = await openSqliteJournal(home.path)
  expect(await check()).toEqual([])
  for (const run of await records.runs({ limit: 10 })) {
    const loaded = (await journal.load(run.id)).map(plainCall)
    for (const { call, key, outcome } of loaded) {
      expect(key).toBe(aCall(call).key)
      const { kind: _, call: __, ...whole } = anOutcome(call)
      if (outcome !== undefined) expect(outcome).toEqual(whole)
    }
    const ended = loaded.filter(({ outcome }) => outcome !== undefined).length
    const waiting = loaded.length - ended
    expect([run.counts, run.executed]).toEqual([
      { ...(waiting > 0 && { waiting }), ...(ended > 0 && { succeeded: ended }) },
      ended,
    ])
  }
  await journal.close()
}

it.each([0.3, 0.5, 0.7, 0.95])(
  'saves what lies before the end of a file cut at %d of its length',
  async (at) => {
    await makeJournal()
    truncateSync(file, Math.floor(statSync(file).size * at))
    const { runs } = salvageJournal(home.path, { apply: true })
    expect(runs.length).toBeLessThanOrEqual(2)
    if (at > 0.9) expect(runs.reduce((sum, run) => sum + run.calls, 0)).toBeGreaterThan(calls)
    await expectSound()
  },
)

it.each([0.2, 0.4, 0.6, 0.8])(
  'saves what lies on both sides of pages that were overwritten at %d of the file, and says what was lost',
  async (at) => {
    await makeJournal()
    const bytes = readFileSync(file)
    const from = Math.floor((bytes.length * at) / 4096) * 4096
    bytes.fill(0xa5, from, from + 10 * 4096)
    writeFileSync(file, bytes)
    const { runs, tables } = salvageJournal(home.path, { apply: true })
    expect(tables.some(({ damaged }) => damaged)).toBe(true)
    expect(runs.map(({ id }) => id)).toEqual(['run2', 'run1'])
    const kept = runs.reduce((sum, run) => sum + run.calls, 0)
    expect([kept > calls, runs.every((run) => run.calls + run.lost <= calls)]).toEqual([true, true])
    await expectSound()
  },
)

it('only looks unless it is told to save, and keeps the damaged files then', async () => {
  await makeJournal()
  truncateSync(file, Math.floor(statSync(file).size / 2))
  const before = readFileSync(file)
  expect(salvageJournal(home.path, { apply: false }).kept).toBeUndefined()
  expect(readFileSync(file)).toEqual(before)
  const { kept } = salvageJournal(home.path, { apply: true })
  expect(readFileSync(join(kept as string, 'journal.db'))).toEqual(before)
  expect(readdirSync(home.path).filter((name) => name.startsWith('repair-'))).toEqual([])
})

it('refuses a file of which nothing can be read, and one that a process is writing', async () => {
  await makeJournal()
  const open = await openSqliteJournal(home.path)
  const claim = await open.journal.claim('run1', { host: 'h', pid: 1, bootId: 'b' })
  expect(() => salvageJournal(home.path, { apply: true })).toThrow(/a process has run run1: end it first/)
  await claim?.release()
  await open.journal.close()
  writeFileSync(file, 'This is a text.\n'.repeat(500))
  expect(() => salvageJournal(home.path, { apply: true })).toThrow(/is damaged/)
})
