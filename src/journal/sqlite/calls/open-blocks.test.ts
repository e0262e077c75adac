import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { aCall, anOutcome, aRun } from '../../../testing/journal-records.ts'
import { temporaryHome } from '../../../testing/temporary-home.ts'
import { openSqliteJournal } from '../open.ts'

it('opens a block once for all calls that take results from it, and for views of these', async () => {
  const home = await temporaryHome()
  const { journal, records, close } = await openSqliteJournal(home.path)
  await journal.create(aRun('run1'))
  const taking = (call: number) => JSON.stringify([{ $: 'future', call, path: [] }])
  const before = Array.from({ length: 40 }, (_, i) =>
    i < 20
      ? aCall(i, { name: 'load' })
      : aCall(i, { name: 'part', call_kind: 'view', argsWire: taking(i - 20) }),
  )
  await journal.append('run1', [...before, ...before.map((_, i) => anOutcome(i))])
  await journal.append('run1', [{ kind: 'run', state: 'succeeded', at: 5000 }])
  await records.compact({ endedBefore: 6000 })
  const claim = await journal.claim('run1', { host: 'h', pid: 1, bootId: 'b' })
  await journal.append('run1', [aCall(40, { name: 'first', argsWire: taking(0) })])
  const other = new DatabaseSync(join(home.path, 'journal.db'))
  other.exec("UPDATE frozen SET body = x'00'")
  other.close()
  await journal.append('run1', [
    aCall(41, { name: 'second', argsWire: taking(1) }),
    aCall(42, { name: 'third', argsWire: taking(21) }),
  ])
  expect((await records.tasks('run1')).map(({ name, inputs }) => [name, inputs])).toEqual([
    ['load', []],
    ['first', ['load']],
    ['second', ['load']],
    ['third', ['load']],
  ])
  await claim?.release()
  await close()
  await home.remove()
})
