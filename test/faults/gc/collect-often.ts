import { statSync } from 'node:fs'
import { openDataPlane } from '../../../src/data/open.ts'
import { openSqliteJournal } from '../../../src/journal/sqlite/open.ts'

/**
 * Collects again and again until its input ends, with a grace of so many ms, after forgetting all results and versions but
 * the newest: `node collect-often.ts 3000`. Says at the end what it did. Its clock stands still while a run goes on beside
 * it: a grace is longer than a run rests between two steps, which these few seconds are not on a machine that is busy.
 */
const graceMs = Number(process.argv[2])
const begun = Date.now()
const journal = await openSqliteJournal('.almanac')
const data = openDataPlane({ home: '.almanac', data: 'data' })
const key = { environment: 'main', dataset: 'made/pages', partition: '' }
let isOver = false
process.stdin.on('end', () => {
  isOver = true
})
process.stdin.resume()
const did = { rounds: 0, movedAside: 0, deleted: 0 }
while (!isOver) {
  await journal.entries.clear({ maxEntries: 1 })
  const past = (await journal.datasets.versions(key, { limit: 500 })).slice(1).map(({ version }) => version)
  if (past.length > 0) await journal.datasets.remove(key, past, Date.now())
  for (const { id, state } of await journal.records.runs({ limit: 500 }))
    if (state === 'succeeded' && (await journal.records.claimed([id])).length === 0)
      await journal.records.remove(id)
  const now = statSync('began', { throwIfNoEntry: false })?.mtimeMs ?? begun
  const options = { roots: journal.cache.roots(), dryRun: false, graceMs, now }
  const { movedAside, deleted } = await data.collectGarbage(options)
  did.rounds++
  did.movedAside += movedAside
  did.deleted += deleted
}
await data.close()
await journal.close()
console.log(JSON.stringify(did))
