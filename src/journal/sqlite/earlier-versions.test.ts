import { copyFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { aCall, anOutcome } from '../../testing/journal-records.ts'
import { journalSnapshot } from '../../testing/journal-snapshot.ts'
import { temporaryHome } from '../../testing/temporary-home.ts'
import { migrations } from './migrations.ts'
import { openSqliteJournal } from './open.ts'

const fixtures = fileURLToPath(new URL('../../../test/fixtures', import.meta.url))
const versions = migrations.map((_, i) => i + 1)

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

    await open.journal.claim('waiting', { host: 'h', pid: 1, bootId: 'b' })
    await open.journal.append('waiting', [anOutcome(1), anOutcome(2), aCall(4)])
    const { counts, executed } = (await open.records.run('waiting')) ?? {}
    expect({ counts, executed }).toEqual({ counts: { succeeded: 3, waiting: 2 }, executed: 2 })
    await open.close()
    await home.remove()
  },
)
