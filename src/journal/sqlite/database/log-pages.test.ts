import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { aCall, aRun } from '../../../testing/journal-records.ts'
import { temporaryHome } from '../../../testing/temporary-home.ts'
import { openSqliteJournal } from '../open.ts'
import { pagesInLog } from './log-pages.ts'

it('finds the pages that a log has and its file has not, but none of an earlier round', async () => {
  const home = await temporaryHome()
  const file = join(home.path, 'some.db')
  const db = new DatabaseSync(file)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE one (text)')
  const pages = () => (db.prepare('PRAGMA page_count').get() as { page_count: number }).page_count
  const there = () => statSync(file).size / 4096
  const add = (rows: number) => {
    for (let i = 0; i < rows; i++) db.prepare('INSERT INTO one VALUES (?)').run('x'.repeat(4000))
  }
  const found = () => pagesInLog(`${file}-wal`, 4096, there())
  expect([pages(), there(), found()]).toEqual([2, 1, 1])
  add(40)
  expect([pages(), there(), found()]).toEqual([42, 1, 41])
  db.exec('PRAGMA wal_checkpoint(RESTART)')
  add(3)
  expect([pages(), there(), found()]).toEqual([45, 42, 3])
  db.close()
  expect(pagesInLog(`${file}-wal`, 4096, 0)).toBe(0)
  await home.remove()
})

it('spares who opens a journal that another one adds pages to from reading all of it', async () => {
  const home = await temporaryHome()
  const file = join(home.path, 'journal.db')
  const calls = (from: number) => Array.from({ length: 1000 }, (_, i) => aCall(from + i))
  const first = await openSqliteJournal(home.path)
  await first.journal.create(aRun('run1'))
  await first.journal.append('run1', calls(0))
  await first.close()
  // damage in the middle, which whoever reads all finds
  const bytes = readFileSync(file)
  bytes.fill(0xff, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 4096)
  const writer = await openSqliteJournal(home.path)
  await writer.journal.create(aRun('run2'))
  await writer.journal.append('run2', calls(0))
  writeFileSync(file, bytes)
  const beside = await openSqliteJournal(home.path)
  expect((await beside.check()).length).toBeGreaterThan(0)
  expect((await beside.records.runs({ limit: 9 })).map(({ id }) => id)).toEqual(['run2', 'run1'])
  await beside.close()
  await writer.close()
  await home.remove()
})
