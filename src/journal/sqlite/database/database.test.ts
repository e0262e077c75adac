import { afterEach, beforeEach, expect, it } from 'vitest'
import type { TemporaryHome } from '../../../testing/temporary-home.ts'
import { temporaryHome } from '../../../testing/temporary-home.ts'
import { openDatabase } from './database.ts'
import { migrations } from './migrations.ts'

let home: TemporaryHome
beforeEach(async () => {
  home = await temporaryHome()
})
afterEach(() => home.remove())

it('syncs every commit, in a write-ahead log', () => {
  const db = openDatabase(home.path)
  expect(db.get('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' })
  // 2: FULL
  expect(db.get('PRAGMA synchronous')).toEqual({ synchronous: 2 })
  expect(db.get('PRAGMA user_version')).toEqual({ user_version: migrations.length })
  db.close()
})

it('keeps nothing of a transaction that fails', () => {
  const db = openDatabase(home.path)
  const failed = () =>
    db.transaction(() => {
      db.run("INSERT INTO names (name, kind) VALUES ('a', 'task')")
      throw new Error('no')
    })
  expect(failed).toThrow('no')
  expect(db.all('SELECT * FROM names')).toEqual([])
  db.transaction(() => db.run("INSERT INTO names (name, kind) VALUES ('b', 'task')"))
  expect(db.all('SELECT name FROM names')).toEqual([{ name: 'b' }])
  db.close()
})

it('finds what is listed by an index, not by looking at all there is', () => {
  const db = openDatabase(home.path)
  const plan = (sql: string) =>
    db.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).map(({ detail }) => detail)
  const scans = [
    'SELECT * FROM runs WHERE workflow = 1 AND id < 2 ORDER BY id DESC LIMIT 9',
    'SELECT * FROM runs WHERE file = 1 AND id < 2 ORDER BY id DESC LIMIT 9',
    'SELECT * FROM calls WHERE name = 1 AND id BETWEEN 2 AND 3 ORDER BY id LIMIT 9',
    "SELECT * FROM outcomes WHERE state = 'failed' AND state <> 'succeeded' AND id BETWEEN 1 AND 2 ORDER BY id LIMIT 9",
    'SELECT * FROM attempts WHERE call = 1 ORDER BY seq',
    'SELECT * FROM notes WHERE run = 1 AND seq > 2 ORDER BY seq LIMIT 9',
    "SELECT * FROM notes WHERE run = 1 AND type = 'x' AND seq > 2 ORDER BY seq LIMIT 9",
    'SELECT * FROM requests WHERE run = 1 AND taken = 0 ORDER BY seq',
    'SELECT * FROM cache WHERE fingerprint = 1 AND at >= 2 ORDER BY seq LIMIT 1',
    'SELECT * FROM cache WHERE name = 1 ORDER BY seq DESC LIMIT 1',
  ]
    .flatMap(plan)
    .filter((detail) => /SCAN|TEMP B-TREE/.test(detail))
  expect(scans).toEqual([])
  db.close()
})
