import { copyFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { journalSnapshot } from '../../../testing/contracts/journal-snapshot.ts'
import { aCall, anOutcome } from '../../../testing/journal-records.ts'
import { temporaryHome } from '../../../testing/temporary-home.ts'
import { openSqliteJournal } from '../open.ts'
import { migrations } from './migrations.ts'

const fixtures = fileURLToPath(new URL('../../../../test/fixtures', import.meta.url))
const versions = migrations.map((_, i) => i + 1)

const task = { kind: 'task', calls: 1, executed: 0, reused: 0, costMs: 0, inputs: [] }

it('has a journal of every version', () => {
  const kept = readdirSync(fixtures).filter((name) => name.startsWith('journal-v'))
  expect(kept.toSorted()).toEqual(versions.map((version) => `journal-v${version}`).toSorted())
})

it.each(versions)(
  'reads a journal of version %i as that version did, and goes on with it',
  async (version) => {
    const kept = join(fixtures, `journal-v${version}`)
    const home = await temporaryHome()
    copyFileSync(join(kept, 'journal.db'), join(home.path, 'journal.db'))
    const open = await openSqliteJournal(home.path)
    expect(await journalSnapshot(open)).toEqual(JSON.parse(readFileSync(join(kept, 'expected.json'), 'utf8')))
    expect(await open.check()).toEqual([])
    expect(await open.records.tasks('done')).toEqual([
      { ...task, name: 'index', kind: 'map', calls: 40, counts: { succeeded: 40 }, reused: 40 },
      { ...task, name: 'größe 試験', counts: { succeeded: 1 }, reused: 1 },
    ])
    expect(await open.records.tasks('waiting')).toEqual([
      { ...task, name: 'qc', counts: { succeeded: 1 }, executed: 1, costMs: 100 },
      { ...task, name: 'publish', counts: { waiting: 1 } },
      { ...task, name: 'good?', kind: 'ask', counts: { waiting: 1 } },
      { ...task, name: 'sure?', kind: 'ask', counts: { waiting: 1 } },
    ])

    await open.journal.claim('waiting', { host: 'h', pid: 1, bootId: 'b' })
    await open.journal.append('waiting', [anOutcome(1), anOutcome(2), aCall(4)])
    const { counts, executed } = (await open.records.run('waiting')) ?? {}
    expect({ counts, executed }).toEqual({ counts: { succeeded: 3, waiting: 2 }, executed: 2 })
    await open.close()
    await home.remove()
  },
)
