import { expect, it } from 'vitest'
import { openDataPlane } from '../data/open.ts'
import { openMemoryJournal } from '../journal/memory/open.ts'
import { AlmanacError } from '../model/errors.ts'
import { temporaryHome } from '../testing/temporary-home.ts'
import { careFor } from './maintenance.ts'

it('says that the journal could not be made smaller, and what was freed before all the same', async () => {
  const home = await temporaryHome()
  const data = openDataPlane({ home: `${home.path}/.almanac`, data: `${home.path}/data` })
  const { records, cache, entries, datasets } = openMemoryJournal()
  const said: string[] = []
  const care = careFor(
    {
      records: {
        ...records,
        compact: () => Promise.reject(new AlmanacError('ALM_JOURNAL_FULL', { path: 'journal.db' })),
      },
      ...{ data, cache, entries, datasets, home: home.path, environment: 'default' },
      ...{ check: undefined, rehearse: undefined, objects: undefined },
      logs: { remove: () => Promise.resolve() },
      pinned: () => Promise.resolve(new Set()),
      removeVersions: () => Promise.resolve(),
      now: Date.now,
      say: (text) => said.push(text),
    },
    {},
  )
  expect(await care.collectGarbage({ dryRun: false })).toMatchObject({ kept: 0, deleted: 0 })
  expect(said).toEqual(['The journal was not made smaller: The disk is full: journal.db.'])
  await data.close()
  await home.remove()
})
