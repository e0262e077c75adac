import { afterEach, beforeEach, expect, it } from 'vitest'
import { plainCall } from '../../model/remembered.ts'
import { aCall, anOutcome, aRun, remembered } from '../../testing/journal-records.ts'
import { type TemporaryHome, temporaryHome } from '../../testing/temporary-home.ts'
import { freezeBlock, thaw } from './calls/frozen-calls.ts'
import { Names } from './calls/names.ts'
import { type Database, openDatabase } from './database/database.ts'
import { loadedCalls, type Pages } from './loaded-calls.ts'
import type { WriterMethods } from './messages.ts'
import { openSqliteJournal } from './open.ts'
import { Session } from './session.ts'
import { runNumber } from './tables/runs.ts'

const calls = Array.from({ length: 60 }, (_, i) => aCall(i))
const outcomes = calls.map((_, i) => anOutcome(i))
const all = calls.map((call, i) => remembered(call, outcomes[i]))

let home: TemporaryHome
let other: Database
beforeEach(async () => {
  home = await temporaryHome()
  const { journal } = await openSqliteJournal(home.path)
  await journal.create(aRun('run1'))
  await journal.append('run1', [...calls, ...outcomes, { kind: 'run', state: 'succeeded', at: 5 }])
  await journal.close()
  other = openDatabase(home.path)
})
afterEach(async () => {
  other.close()
  await home.remove()
})

/** What is read by one connection while another does something `before` the first question of a kind. */
async function read(before: keyof WriterMethods, then: () => unknown): Promise<unknown> {
  const session = new Session(home.path)
  let isDone = false
  const call = async (method: keyof WriterMethods, ...args: unknown[]): Promise<unknown> => {
    if (method === before && !isDone) {
      isDone = true
      then()
    }
    return (session.methods[method as 'run'] as (...args: unknown[]) => unknown)(...args)
  }
  const found = await loadedCalls({ call } as Pages, 'run1')
  session.methods.close()
  return found.map(plainCall)
}

const freeze = () => other.transaction(() => freezeBlock(other, new Names(other), runNumber(other, 'run1')))
const thawed = () => other.transaction(() => thaw(other, runNumber(other, 'run1'), 30))

it('gives each call once that another process takes out of a block after the rows were read', async () => {
  freeze()
  expect(await read('frozen', thawed)).toEqual(all)
})

it('gives each call once that another process puts into a block after the rows were read', async () => {
  expect(await read('frozen', freeze)).toEqual(all)
})
