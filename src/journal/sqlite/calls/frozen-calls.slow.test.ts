import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { plainCall } from '../../../model/remembered.ts'
import { aCall, anOutcome, aRun } from '../../../testing/journal-records.ts'
import type { TemporaryHome } from '../../../testing/temporary-home.ts'
import { temporaryHome } from '../../../testing/temporary-home.ts'
import { openSqliteJournal } from '../open.ts'
import { salvageJournal } from '../salvage/salvage.ts'

const calls = 12_000
let home: TemporaryHome
beforeEach(async () => {
  home = await temporaryHome()
  const { journal } = await openSqliteJournal(home.path)
  await journal.create(aRun('run1'))
  for (let from = 0; from < calls; from += 1000) {
    const numbers = Array.from({ length: 1000 }, (_, i) => from + i)
    await journal.append('run1', [...numbers.map((i) => aCall(i)), ...numbers.map((i) => anOutcome(i))])
  }
  await journal.append('run1', [{ kind: 'run', state: 'succeeded', at: 5000 }])
  await journal.close()
})
afterEach(() => home.remove())

/** What is read of the run. */
async function read(): Promise<unknown> {
  const { journal, records, check, close } = await openSqliteJournal(home.path)
  const told = {
    // a journal that was salvaged does not tell which calls have keys
    load: (await journal.load('run1')).map((call) => ({ ...plainCall(call), argsWire: undefined })),
    page: await records.calls('run1', { limit: 50, after: 5_990 }),
    run: await records.run('run1'),
    tasks: await records.tasks('run1'),
    problems: await check(),
  }
  await close()
  return told
}

function figures(): { readonly rows: number; readonly blocks: number; readonly bytes: number } {
  const db = new DatabaseSync(join(home.path, 'journal.db'), { readOnly: true })
  const found = db
    .prepare(
      `SELECT (SELECT count(*) FROM calls) AS rows, (SELECT count(*) FROM frozen) AS blocks,
      (SELECT (SELECT page_count FROM pragma_page_count) - (SELECT freelist_count FROM pragma_freelist_count)) * 4096 AS bytes`,
    )
    .get() as ReturnType<typeof figures>
  db.close()
  return found
}

it('makes what an ended run takes a third smaller, and gives it back', async () => {
  const [told, before] = [await read(), figures()]
  expect(before).toMatchObject({ rows: calls, blocks: 0 })
  const { records, close } = await openSqliteJournal(home.path)
  expect(await records.compact({ endedBefore: 6000 })).toBe(true)
  await close()
  const after = figures()
  expect(after).toMatchObject({ rows: 0, blocks: calls / 1000 })
  expect(after.bytes / before.bytes).toBeLessThan(0.67)
  expect(await read()).toEqual(told)
})

it('compacts a part within a budget, and the rest later', async () => {
  const told = await read()
  const { records, close } = await openSqliteJournal(home.path)
  expect(await records.compact({ endedBefore: 6000, budgetMs: 0 })).toBe(false)
  const part = figures()
  expect(part.rows).toBeGreaterThan(0)
  expect(part.rows).toBeLessThan(calls)
  expect(await read()).toEqual(told)
  expect(await records.compact({ endedBefore: 6000 })).toBe(true)
  await close()
  expect(await read()).toEqual(told)
})

it('has every call once, whenever a process that compacts is killed', async () => {
  const told = await read()
  const program = join(home.path, 'compact.mjs')
  writeFileSync(
    program,
    `const { openSqliteJournal } = await import(${JSON.stringify(new URL('../open.ts', import.meta.url).href)})
const { records } = await openSqliteJournal(process.argv[2])
process.send('open')
await records.compact({ endedBefore: 6000 })
process.send('done')
process.disconnect()
`,
  )
  let done = false
  for (let delay = 0; !done && delay < 24; delay += 3) {
    const child = fork(program, [home.path], { execArgv: [] })
    // heard from its begin on: all of it may come at once where this process stands still meanwhile
    const ends = once(child, 'exit')
    const [opened, finished] = [Promise.withResolvers<void>(), Promise.withResolvers<true>()]
    child.on('message', (said) => (said === 'open' ? opened.resolve() : finished.resolve(true)))
    await opened.promise
    // steps of another process are counted, not slept through: so many looks at the journal
    const looked = (async () => {
      for (let i = 0; i < delay; i++) figures()
      return false
    })()
    done = await Promise.race([finished.promise, looked])
    child.kill('SIGKILL')
    await ends
    expect(await read()).toEqual(told)
  }
  const { records, close } = await openSqliteJournal(home.path)
  expect(await records.compact({ endedBefore: 6000 })).toBe(true)
  await close()
  expect(figures()).toMatchObject({ rows: 0 })
  expect(await read()).toEqual(told)
})

it('is saved with all others from a damaged journal', async () => {
  const { records, close } = await openSqliteJournal(home.path)
  await records.compact({ endedBefore: 6000 })
  await close()
  const told = await read()
  expect(salvageJournal(home.path, { apply: true }).runs).toMatchObject([{ calls, lost: 0, open: 0 }])
  expect(await read()).toEqual(told)
})
