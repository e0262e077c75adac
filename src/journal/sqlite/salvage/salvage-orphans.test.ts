import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { aCall, aDigest, anOutcome, aRun } from '../../../testing/journal-records.ts'
import type { TemporaryHome } from '../../../testing/temporary-home.ts'
import { temporaryHome } from '../../../testing/temporary-home.ts'
import { type OpenSqliteJournal, openSqliteJournal } from '../open.ts'
import { salvageJournal } from './salvage.ts'

let home: TemporaryHome
beforeEach(async () => {
  home = await temporaryHome()
})
afterEach(() => home.remove())

/** Uses the journal, and closes it. */
async function use<T>(work: (open: OpenSqliteJournal) => Promise<T>): Promise<T> {
  const open = await openSqliteJournal(home.path)
  try {
    return await work(open)
  } finally {
    await open.close()
  }
}

/** Leaves the file as damage, or a process that was killed, would. */
function leave(sql: string): void {
  const db = new DatabaseSync(join(home.path, 'journal.db'))
  db.exec(sql)
  db.close()
}

const ended = { state: 'succeeded', endedAt: 9 } as const

it('does not sweep a new run that gets the number of one that was removed', async () => {
  await use(async ({ journal }) => {
    await journal.create(aRun('run1', ended))
    await journal.create(aRun('run2', ended))
    await journal.append('run2', [aCall(0), anOutcome(0)])
  })
  leave(`INSERT INTO removed SELECT n FROM runs WHERE id = 'run2';
    DELETE FROM tallies WHERE run = (SELECT n FROM runs WHERE id = 'run2'); DELETE FROM runs WHERE id = 'run2'`)
  salvageJournal(home.path, { apply: true })
  await use(async ({ journal, records }) => {
    await journal.create(aRun('run3'))
    await journal.append('run3', [aCall(0), anOutcome(0)])
    await records.remove('run1')
    expect((await records.calls('run3', { limit: 9 })).map(({ call, key }) => [call, key])).toEqual([
      [0, aCall(0).key],
    ])
  })
})

it('keeps versions of a dataset whose name is lost, under a name of their own', async () => {
  const version = (dataset: string, content: string) => ({
    ...{ environment: 'main', dataset, partition: '', digest: aDigest(content) },
    ...{ entries: 1, size: 1, kept: false, maker: 'test', madeAt: 1 },
  })
  await use(async ({ datasets }) => {
    await datasets.add(version('weather', 'a'))
    await datasets.add(version('weather', 'b'))
  })
  leave('DELETE FROM datasets')
  salvageJournal(home.path, { apply: true })
  await use(async ({ datasets }) => {
    await datasets.add(version('genomes', 'c'))
    const found = async (dataset: string) =>
      (await datasets.versions({ environment: 'main', dataset, partition: '' }, { limit: 9 })).map(
        ({ version: number, digest }) => [number, digest],
      )
    expect([await found('genomes'), await found('recovered-1')]).toEqual([
      [[1, aDigest('c')]],
      [
        [2, aDigest('b')],
        [1, aDigest('a')],
      ],
    ])
  })
})

it('gives a dataset whose row is lost the name and environment that documents of its versions have', async () => {
  const version = (environment: string, dataset: string, more: object = {}) => ({
    ...{ environment, dataset, partition: '', digest: aDigest('a') },
    ...{ entries: 1, size: 1, kept: false, maker: 'test', madeAt: 1, ...more },
  })
  await use(async ({ journal, datasets }) => {
    await journal.create(aRun('run1', { environment: 'trial' }))
    for (const environment of ['main', 'trial']) {
      const { version: number, digest, ...added } = await datasets.add(version(environment, 'Wind/raw'))
      const folder = join(home.path, 'versions', environment, 'Wind/raw')
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, `00000${number}-${digest}.json`), JSON.stringify({ digest, ...added }))
    }
    await datasets.add(version('trial', 'other', { run: 'run1', call: 0 }))
  })
  leave('DELETE FROM datasets')
  writeFileSync(join(home.path, 'versions', 'damaged.json'), '{"seq"')
  salvageJournal(home.path, { apply: true })
  const names = await use(async ({ datasets }) =>
    Promise.all(
      ['main', 'trial'].map(async (environment) =>
        (await datasets.list(environment, { limit: 9 })).map(({ dataset }) => [environment, dataset]),
      ),
    ),
  )
  expect(names.flat()).toEqual([
    ['main', 'Wind/raw'],
    ['trial', 'Wind/raw'],
    ['trial', 'recovered-3'],
  ])
})

it('lists tasks of a run where the name of one is lost', async () => {
  await use(async ({ journal }) => {
    await journal.create(aRun('run1'))
    const argsWire = JSON.stringify([{ $: 'future', call: 0, path: [] }])
    await journal.append('run1', [aCall(0, { name: 'load' }), aCall(1, { name: 'fit', argsWire })])
  })
  leave("DELETE FROM names WHERE name = 'load'")
  expect(salvageJournal(home.path, { apply: true }).runs).toEqual([
    { id: 'run1', workflow: 'ingest', state: 'scheduled', calls: 1, lost: 1, open: 1 },
  ])
  const tasks = await use(({ records }) => records.tasks('run1'))
  expect(tasks.map(({ name, calls, inputs }) => [name, calls, inputs])).toEqual([['fit', 1, []]])
})

it('saves a call that is in a row and in a block as it is in its row', async () => {
  const calls = Array.from({ length: 30 }, (_, i) => i)
  await use(async ({ journal, records }) => {
    await journal.create(aRun('run1', ended))
    await journal.append('run1', [
      ...calls.map((call) => aCall(call)),
      ...calls.map((call) => anOutcome(call)),
    ])
    leave('CREATE TABLE stale AS SELECT * FROM calls WHERE id % 2 = 0')
    await records.compact({ endedBefore: 10 })
  })
  leave('INSERT INTO calls SELECT * FROM stale; DROP TABLE stale')
  expect(salvageJournal(home.path, { apply: true }).runs).toEqual([
    { id: 'run1', workflow: 'ingest', state: 'succeeded', calls: 30, lost: 0, open: 15 },
  ])
  const loaded = await use(({ journal }) => journal.load('run1'))
  expect(loaded.map(({ call, outcome }) => [call, outcome?.valueWire])).toEqual(
    calls.map((call) => [call, call % 2 === 0 ? undefined : anOutcome(call).valueWire]),
  )
})
