import { mkdirSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { plainCall } from '../../model/remembered.ts'
import { aCall, anOutcome, aRun, remembered } from '../../testing/journal-records.ts'
import type { TemporaryHome } from '../../testing/temporary-home.ts'
import { temporaryHome } from '../../testing/temporary-home.ts'
import { migrations } from './database/migrations.ts'
import { openSqliteJournal } from './open.ts'

let home: TemporaryHome
let file: string
beforeEach(async () => {
  home = await temporaryHome()
  file = join(home.path, 'journal.db')
})
afterEach(() => home.remove())

const code = (wanted: string, details: object = {}) =>
  expect.objectContaining({ code: wanted, details: expect.objectContaining({ path: file, ...details }) })

const calls = Array.from({ length: 2000 }, (_, i) => aCall(i))

/** A journal with some calls, closed. */
async function makeJournal(): Promise<void> {
  const { journal } = await openSqliteJournal(home.path)
  await journal.create(aRun('run1'))
  await journal.append('run1', calls)
  await journal.close()
}

describe('a journal on SQLite refuses', () => {
  it('a database of a newer Almanac, and says which is known', async () => {
    await makeJournal()
    const db = new DatabaseSync(file)
    db.exec('PRAGMA user_version = 99')
    db.close()
    await expect(openSqliteJournal(home.path)).rejects.toEqual(
      code('ALM_JOURNAL_NEWER', { found: 99, known: migrations.length }),
    )
  })

  it('to write once a newer Almanac has changed the database under it', async () => {
    await makeJournal()
    const { journal } = await openSqliteJournal(home.path)
    const db = new DatabaseSync(file)
    db.exec('PRAGMA user_version = 99')
    db.close()
    await expect(journal.append('run1', [aCall(2000)])).rejects.toEqual(code('ALM_JOURNAL_NEWER'))
    await journal.close().catch((error: unknown) => expect(error).toEqual(code('ALM_JOURNAL_NEWER')))
  })

  it('a file that is no database', async () => {
    mkdirSync(home.path, { recursive: true })
    writeFileSync(file, 'This is a text.\n'.repeat(500))
    await expect(openSqliteJournal(home.path)).rejects.toEqual(code('ALM_JOURNAL_DAMAGED'))
    expect(readFileSync(file, 'utf8')).toBe('This is a text.\n'.repeat(500))
  })

  it('a database of something else, and leaves it as it is', async () => {
    const db = new DatabaseSync(file)
    db.exec('CREATE TABLE birds (name TEXT)')
    db.close()
    const before = readFileSync(file)
    await expect(openSqliteJournal(home.path)).rejects.toEqual(code('ALM_JOURNAL_DAMAGED'))
    expect(readFileSync(file)).toEqual(before)
  })

  it('a database that was cut off', async () => {
    await makeJournal()
    truncateSync(file, Math.floor(statSync(file).size / 2))
    await expect(openSqliteJournal(home.path)).rejects.toEqual(code('ALM_JOURNAL_DAMAGED'))
  })

  it('to load from pages that were overwritten, and finds them when it is asked to check', async () => {
    await makeJournal()
    const bytes = readFileSync(file)
    bytes.fill(0xff, Math.floor((2 * bytes.length) / 3), Math.floor((5 * bytes.length) / 6))
    writeFileSync(file, bytes)
    const { journal, check } = await openSqliteJournal(home.path)
    await expect(journal.load('run1')).rejects.toEqual(code('ALM_JOURNAL_DAMAGED'))
    expect((await check()).length).toBeGreaterThan(0)
    await journal.close()
  })

  it('a folder that cannot be made', async () => {
    writeFileSync(join(home.path, 'taken'), '')
    file = join(home.path, 'taken', 'home', 'journal.db')
    await expect(openSqliteJournal(join(home.path, 'taken', 'home'))).rejects.toEqual(
      code('ALM_JOURNAL_FAILED'),
    )
  })

  it.runIf(process.platform === 'linux')('a folder in which none can be made', async () => {
    file = '/proc/self/home/journal.db'
    await expect(openSqliteJournal('/proc/self/home')).rejects.toEqual(code('ALM_JOURNAL_READ_ONLY'))
  })

  it('to write into a file that was taken away meanwhile', async () => {
    await makeJournal()
    const { journal } = await openSqliteJournal(home.path)
    renameSync(file, `${file}.old`)
    await expect(journal.append('run1', [aCall(2000)])).rejects.toEqual(code('ALM_JOURNAL_FAILED'))
    renameSync(`${file}.old`, file)
    await journal.close()
  })
})

describe('a full disk', () => {
  it('fails the append that does not fit and all later ones, and keeps what was acknowledged', async () => {
    const { journal, records } = await openSqliteJournal(home.path, { maxPages: 66 })
    await journal.create(aRun('run1'))
    await journal.create(aRun('run2'))
    await journal.append('run1', [aCall(0), anOutcome(0)])
    await journal.append('run2', [aCall(0)])
    const full = code('ALM_JOURNAL_FULL')
    const tooMuch = journal.append('run1', [aCall(1, { argsWire: JSON.stringify('x'.repeat(300_000)) })])
    const small = journal.append('run1', [aCall(2)])
    await expect(tooMuch).rejects.toEqual(full)
    await expect(small).rejects.toEqual(full)
    // it would fit, but commits are a prefix
    await expect(journal.append('run1', [aCall(1)])).rejects.toEqual(full)
    expect((await journal.load('run1')).map(plainCall)).toEqual([remembered(aCall(0), anOutcome(0))])
    expect(await records.run('run1')).toEqual(aRun('run1', { counts: { succeeded: 1 }, executed: 1 }))
    // a run that had no part in it goes on, and so does the other once a person resumes it
    await journal.append('run2', [anOutcome(0)])
    await journal.claim('run1', { host: 'h', pid: 1, bootId: 'b' })
    await journal.append('run1', [aCall(1)])
    expect((await journal.load('run1')).map(plainCall)).toEqual([
      remembered(aCall(0), anOutcome(0)),
      remembered(aCall(1)),
    ])
    await journal.close()
  })

  it('fails what it cannot begin', async () => {
    const error = code('ALM_JOURNAL_FULL')
    await expect(openSqliteJournal(home.path, { maxPages: 2 })).rejects.toEqual(error)
  })
})
