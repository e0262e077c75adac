import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { aCall, aRun } from '../../testing/journal-records.ts'
import { temporaryHome } from '../../testing/temporary-home.ts'
import { openSqliteJournal } from './open.ts'

it('gives free pages back once no process has a run, which would wait for it', async () => {
  const home = await temporaryHome()
  const [open, other] = [await openSqliteJournal(home.path), await openSqliteJournal(home.path)]
  const db = new DatabaseSync(join(home.path, 'journal.db'), { readOnly: true })
  const free = () => (db.prepare('PRAGMA freelist_count').get() as { freelist_count: number }).freelist_count
  await open.journal.create(aRun('run1', { state: 'succeeded', endedAt: 9 }))
  await open.journal.create(aRun('run2'))
  const argsWire = JSON.stringify('x'.repeat(2 ** 20))
  await open.journal.append(
    'run1',
    Array.from({ length: 8 }, (_, i) => aCall(i, { argsWire })),
  )
  await open.records.remove('run1')
  const before = free()
  expect(before).toBeGreaterThan(2000)
  const claim = await other.journal.claim('run2', { host: 'h', pid: 1, bootId: 'b' })
  await open.records.compact({ endedBefore: 10 })
  expect(free()).toBe(before)
  await claim?.release()
  await open.records.compact({ endedBefore: 10 })
  expect(free()).toBe(0)
  db.close()
  await Promise.all([open.close(), other.close()])
  await home.remove()
})
