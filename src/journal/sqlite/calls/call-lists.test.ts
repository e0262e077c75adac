import { expect, it } from 'vitest'
import { aCall, anOutcome, aRun } from '../../../testing/journal-records.ts'
import { temporaryHome } from '../../../testing/temporary-home.ts'
import { openDatabase } from '../database/database.ts'
import { openSqliteJournal } from '../open.ts'
import { runNumber } from '../tables/runs.ts'
import { listCalls } from './call-lists.ts'
import { freezeBlock } from './frozen-calls.ts'
import { Names } from './names.ts'

it('lists every call once though another process puts them into a block meanwhile', async () => {
  const home = await temporaryHome()
  const { journal, close } = await openSqliteJournal(home.path)
  const calls = Array.from({ length: 40 }, (_, i) => i)
  await journal.create(aRun('run1'))
  await journal.append('run1', [...calls.map((call) => aCall(call)), ...calls.map((call) => anOutcome(call))])
  await close()
  const [db, other] = [openDatabase(home.path), openDatabase(home.path)]
  let isFrozen = false
  class NamesBetween extends Names {
    override at(n: number): ReturnType<Names['at']> {
      // rows are read, and blocks are not yet
      if (!isFrozen)
        isFrozen = other.transaction(() => freezeBlock(other, new Names(other), runNumber(other, 'run1')))
      return super.at(n)
    }
  }
  const listed = () => listCalls(db, new NamesBetween(db), 'run1', { limit: 99 }).map(({ call }) => call)
  expect([listed(), isFrozen, listed()]).toEqual([calls, true, calls])
  db.close()
  other.close()
  await home.remove()
})

it('loads every call once though they are put into a block meanwhile', async () => {
  const home = await temporaryHome()
  const { journal, records, close } = await openSqliteJournal(home.path)
  const calls = Array.from({ length: 40 }, (_, i) => i)
  await journal.create(aRun('run1', { state: 'succeeded', endedAt: 9 }))
  await journal.append('run1', [...calls.map((call) => aCall(call)), ...calls.map((call) => anOutcome(call))])
  // rows are asked for before they are put into a block, and blocks after it
  const [loaded] = await Promise.all([journal.load('run1'), records.compact({ endedBefore: 10 })])
  expect(loaded.map(({ call }) => call)).toEqual(calls)
  await close()
  await home.remove()
})
