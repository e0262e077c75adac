import { chmodSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { OpenSqliteJournal } from '../../../src/journal/sqlite/open.ts'
import { openSqliteJournal } from '../../../src/journal/sqlite/open.ts'
import { salvageJournal } from '../../../src/journal/sqlite/salvage/salvage.ts'
import { plainCall } from '../../../src/model/remembered.ts'
import { aCall, anOutcome, aRun, remembered } from '../../../src/testing/journal-records.ts'
import type { TemporaryHome } from '../../../src/testing/temporary-home.ts'
import { temporaryHome } from '../../../src/testing/temporary-home.ts'
import type { JournalProcess } from './processes.ts'
import { startProcess } from './processes.ts'
import { callsAtOnce } from './shape.ts'

const self = { host: 'test', pid: process.pid, bootId: 'boot' }

let home: TemporaryHome
let open: OpenSqliteJournal

beforeEach(async () => {
  home = await temporaryHome()
  open = await openSqliteJournal(home.path)
})
afterEach(async () => {
  await open.close()
  await home.remove()
})

const locks = () => readdirSync(join(home.path, 'locks'))

/** What is there is whole appends, in order, and no less than was said to be durable. */
async function expectPrefix(run: string, { said }: JournalProcess): Promise<number> {
  const calls = await open.journal.load(run)
  expect(calls.map(plainCall)).toEqual(calls.map((_, i) => remembered(aCall(i), anOutcome(i))))
  expect(calls.length % callsAtOnce).toBe(0)
  const durable = said.findLast((one) => one.kind === 'durable')
  expect(calls.length).toBeGreaterThanOrEqual(durable?.calls ?? 0)
  const counts = calls.length === 0 ? {} : { succeeded: calls.length }
  expect(await open.records.run(run)).toMatchObject({ counts, executed: calls.length, reused: 0 })
  return calls.length
}

it('has all that it acknowledged after kill -9 at any moment, in whole appends', async () => {
  await open.journal.create(aRun('run1'))
  let reached = 0
  for (let round = 0; round < 12; round++) {
    const process = startProcess('append', home.path, 'run1')
    const target = reached + 1 + Math.floor(Math.random() * 600)
    await process.hears('durable', ({ calls }) => calls >= target)
    await process.kill()
    reached = await expectPrefix('run1', process)
  }
  expect(await open.check()).toEqual([])
})

it('frees the run of a process that was killed, and leaves no file behind', async () => {
  await open.journal.create(aRun('run1'))
  const process = startProcess('hold', home.path, 'run1')
  await process.hears('held')
  expect(await open.journal.claim('run1', self)).toBeUndefined()
  expect(await open.records.run('run1')).toMatchObject({ pid: process.child.pid })
  await process.kill()
  const claim = await open.journal.claim('run1', self)
  expect(await open.records.run('run1')).toMatchObject(self)
  expect(locks()).toContain('run1.lock')
  await claim?.release()
  expect(locks()).toEqual([])
})

it('never gives a run to two processes, however often it is claimed and released', async () => {
  await open.journal.create(aRun('run1'))
  const processes = [1, 2, 3].map(() => startProcess('compete', home.path, 'run1'))
  const claims = await Promise.all(processes.map((process) => process.hears('claims')))
  expect(claims.map(({ shared }) => shared)).toEqual([0, 0, 0])
  expect(claims.reduce((sum, { got }) => sum + got, 0)).toBeGreaterThan(0)
  await Promise.all(processes.map(({ ended }) => ended))
  expect(locks()).toEqual([])
})

it('hands its owner every request once, however fast another process makes them', async () => {
  await open.journal.create(aRun('run1'))
  const claim = await open.journal.claim('run1', self)
  const process = startProcess('request', home.path, 'run1')
  let isOver = false
  const requested = process.hears('requested').finally(() => {
    isOver = true
  })
  const taken: number[] = []
  const take = async () => taken.push(...(await open.journal.take('run1')).requests.map(({ at }) => at))
  while (!isOver) await take()
  await take()
  expect(taken).toEqual(Array.from({ length: (await requested).requests }, (_, at) => at))
  await claim?.release()
  await process.ended
})

it('is not repaired while a process writes to it, though that has no run, and loses nothing', async () => {
  await open.journal.create(aRun('run1'))
  await open.close()
  const process = startProcess('request', home.path, 'run1')
  await process.hears('opened')
  expect(() => salvageJournal(home.path, { apply: true })).toThrow(
    `${home.path}/journal.db: a process has written to it meanwhile: end all that use it, and repair it then.`,
  )
  const { requests } = await process.hears('requested')
  await process.ended
  expect(readdirSync(home.path).sort()).toEqual(['journal.db', 'locks'])
  open = await openSqliteJournal(home.path)
  const { requests: kept } = await open.journal.take('run1')
  expect(kept.map(({ at }) => at)).toEqual(Array.from({ length: requests }, (_, at) => at))
})

it('lets others write while two processes write as fast as they can', async () => {
  const runs = ['run1', 'run2']
  for (const run of runs) await open.journal.create(aRun(run))
  const processes = runs.map((run) => startProcess('append', home.path, run))
  await Promise.all(processes.map((process) => process.hears('durable', ({ calls }) => calls > 1000)))
  for (let i = 0; i < 10; i++) await open.journal.create(aRun(`other${i}`))
  for (const [i, process] of processes.entries()) {
    await process.hears('durable')
    await process.stop()
    await expectPrefix(runs[i] as string, process)
  }
  expect((await open.records.runs({ limit: 99 })).length).toBe(12)
})

it('says that the disk is full, keeps what it acknowledged, and goes on when there is room', async () => {
  await open.journal.create(aRun('run1'))
  const process = startProcess('append', home.path, 'run1', 512)
  expect(await process.hears('failed')).toEqual({ kind: 'failed', code: 'ALM_JOURNAL_FULL' })
  await process.ended
  const reached = await expectPrefix('run1', process)
  const later = startProcess('append', home.path, 'run1')
  await later.hears('durable', ({ calls }) => calls > reached)
  await later.stop()
  expect(await expectPrefix('run1', later)).toBeGreaterThan(reached)
})

it('says that a folder or a file cannot be written', async () => {
  await open.close()
  chmodSync(home.path, 0o555)
  const file = startProcess('open-unprivileged', home.path)
  expect(await file.hears('failed')).toEqual({ kind: 'failed', code: 'ALM_JOURNAL_READ_ONLY' })
  const folder = startProcess('open-unprivileged', join(home.path, 'new'))
  expect(await folder.hears('failed')).toEqual({ kind: 'failed', code: 'ALM_JOURNAL_READ_ONLY' })
  chmodSync(home.path, 0o755)
  await Promise.all([file.ended, folder.ended])
})

it('keeps no process alive that has nothing more to do', async () => {
  const process = startProcess('idle', home.path)
  await process.hears('opened')
  expect(await process.ended).toBe(0)
})
