import { expect, test } from 'vitest'
import { openMemoryJournal } from '../journal/memory/open.ts'
import type { JournalRecord, RunId } from '../model/records.ts'
import type { Journal } from '../ports/journal.ts'
import { boundedJournal } from './bounded-journal.ts'

const run = 'r1' as RunId
const record: JournalRecord = { kind: 'run', state: 'running', at: 1 }

test('What nobody waits for is appended as such, and looked at is only what is many', async () => {
  const appended: (readonly [number, boolean | undefined])[] = []
  let looks = 0
  const journal: Journal = {
    ...openMemoryJournal().journal,
    append: (_run, records, isPatient) => {
      appended.push([records.length, isPatient])
      return Promise.resolve()
    },
  }
  const bounded = boundedJournal(journal, () => {
    looks++
  })

  await bounded.append(run, [record], true)
  await bounded.append(run, [record])
  await bounded.append(run, Array(101).fill(record), true)

  expect({ appended, looks }).toEqual({
    appended: [
      [1, true],
      [1, undefined],
      [101, true],
    ],
    looks: 1,
  })
})
