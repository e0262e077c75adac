import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { CallMade } from '../../model/records.ts'
import { aCall, aRun } from '../../testing/journal-records.ts'
import type { TemporaryHome } from '../../testing/temporary-home.ts'
import { temporaryHome } from '../../testing/temporary-home.ts'
import { WriterClient } from './client.ts'

let home: TemporaryHome
let client: WriterClient
beforeEach(async () => {
  home = await temporaryHome()
  client = new WriterClient(join(home.path, 'journal.db'))
  await client.call('open', home.path, undefined)
  await client.call('create', aRun('run1'))
})
afterEach(async () => {
  await client.end()
  await home.remove()
})

const code = (wanted: string) => expect.objectContaining({ code: wanted })

it('fails all that waits for its thread when that dies, and all that comes later', async () => {
  const append = client.append('run1', [aCall(0)])
  const question = client.call('runs', { limit: 1 })
  const ends = Promise.allSettled([append, question])
  await client.end()
  expect(await ends).toEqual([0, 1].map(() => ({ status: 'rejected', reason: code('ALM_JOURNAL_FAILED') })))
  await expect(client.append('run1', [aCall(0)])).rejects.toEqual(code('ALM_BUG'))
  await expect(client.call('runs', { limit: 1 })).rejects.toEqual(code('ALM_BUG'))
})

it('keeps nothing of an append with a record that it cannot send, nor later ones of its run', async () => {
  await client.call('create', aRun('run2'))
  const { argsWire: _, ...broken } = aCall(2)
  const ends = await Promise.allSettled([
    client.append('run1', [aCall(0)]),
    client.append('run1', [aCall(1), broken as CallMade]),
    client.append('run1', [aCall(3)]),
    client.append('run2', [aCall(0)]),
  ])
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
  await client.call('claim', 'run1', { host: 'h', pid: 1, bootId: 'b' })
  await client.append('run1', [aCall(1)])
  const calls = await client.call('calls', 'run1', { limit: 9 })
  expect(calls.map(({ call }) => call)).toEqual([0, 1])
  expect((await client.call('run', 'run2'))?.counts).toEqual({ waiting: 1 })
})

it('commits while a loop appends that never rests, and keeps little of it waiting', async () => {
  // held back for as long as it takes: how soon the thread has its turn is the machine's affair
  await client.end()
  client = new WriterClient(join(home.path, 'journal.db'), { holdMs: 100_000 })
  await client.call('open', home.path, undefined)
  const reader = new DatabaseSync(join(home.path, 'journal.db'), { readOnly: true })
  const count = reader.prepare('SELECT count(*) AS calls FROM calls')
  let most = 0
  let last: Promise<void> | undefined
  for (let i = 0; i < 60_000; i += 1000) {
    const records = Array.from({ length: 1000 }, (_, at) => aCall(i + at, { key: 'k' }))
    last = client.append('run1', records)
    most = Math.max(most, i + 1000 - (count.get() as { calls: number }).calls)
  }
  reader.close()
  expect(most).toBeLessThan(30_000)
  await last
  expect((await client.call('run', 'run1'))?.counts).toEqual({ waiting: 60_000 })
})

it('lets a loop go on when another process keeps the disk for long, and commits all of it then', async () => {
  const other = new DatabaseSync(join(home.path, 'journal.db'))
  other.exec('BEGIN IMMEDIATE')
  const appends = Array.from({ length: 40 }, (_, i) =>
    client.append(
      'run1',
      Array.from({ length: 1000 }, (__, at) => aCall(i * 1000 + at, { key: 'k' })),
    ),
  )
  other.exec('ROLLBACK')
  other.close()
  await Promise.all(appends)
  expect((await client.call('run', 'run1'))?.counts).toEqual({ waiting: 40_000 })
})

it('commits what gathers while a batch is under way at once', async () => {
  const appends = Array.from({ length: 300 }, (_, i) => client.append('run1', [aCall(i)]))
  // those of one batch end by one promise
  expect(new Set(appends).size).toBe(1)
  await Promise.all(appends)
  expect((await client.call('run', 'run1'))?.counts).toEqual({ waiting: 300 })
})

it('sends what is large in several batches, each of some megabytes', async () => {
  const argsWire = JSON.stringify('x'.repeat(2 ** 20))
  const appends = Array.from({ length: 40 }, (_, i) => client.append('run1', [aCall(i, { argsWire })]))
  expect([...new Set(appends)].map((one) => appends.filter((other) => other === one).length)).toEqual([
    16, 16, 8,
  ])
  await Promise.all(appends)
  expect((await client.call('run', 'run1'))?.counts).toEqual({ waiting: 40 })
})
