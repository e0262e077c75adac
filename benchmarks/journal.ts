import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openMemoryJournal } from '../src/journal/memory/open.ts'
import { openSqliteJournal } from '../src/journal/sqlite/open.ts'
import type { JournalRecord } from '../src/model/records.ts'
import type { Journal, Records } from '../src/ports/journal.ts'
import { aCall, aDigest, anOutcome, aRun } from '../src/testing/journal-records.ts'

/**
 * What a call costs in the journal: one record when it is made and one when it has ended, in appends of 1000 calls with
 * at most eight unconfirmed. `later`: the outcome comes in the append after its call's, as with tasks that take time.
 *
 *     node benchmarks/journal.ts [calls …]
 */

const counts = process.argv.slice(2).map(Number)
const callsAtOnce = 1000
const maxUnderWay = 8
const digests = Array.from({ length: 997 }, (_, i) => aDigest(`digest ${i * i}`))
const digest = (i: number): string => digests[i % digests.length] as string

const call = (i: number): JournalRecord => aCall(i, { key: digest(i), argsWire: `[${i}]` })
const outcome = (i: number): JournalRecord =>
  anOutcome(i, {
    fingerprint: digest(i + 1),
    digest: digest(i + 2),
    valueWire: String(i * 7),
    startedAt: 3000,
    endedAt: 3100,
  })

/** Thread that runs this: what is left for the workflow. */
const cpuMs = (): number => process.threadCpuUsage().user / 1000 + process.threadCpuUsage().system / 1000

async function write(journal: Journal, run: string, calls: number, lag: number): Promise<void> {
  await journal.create(aRun(run))
  const underWay: Promise<void>[] = []
  // made beforehand: the records themselves are the engine's cost
  const batches: JournalRecord[][] = []
  for (let from = 0; from < calls + lag; from += callsAtOnce) {
    const batch: JournalRecord[] = []
    for (let i = from; i < Math.min(from + callsAtOnce, calls); i++) batch.push(call(i))
    for (let i = Math.max(0, from - lag); i < Math.min(from - lag + callsAtOnce, calls); i++)
      batch.push(outcome(i))
    batches.push(batch)
  }
  const began = performance.now()
  const cpu = cpuMs()
  const all = process.cpuUsage()
  for (const batch of batches) {
    underWay.push(journal.append(run, batch))
    if (underWay.length >= maxUnderWay) await underWay.shift()
  }
  await Promise.all(underWay)
  const { user, system } = process.cpuUsage(all)
  const us = (ms: number): string => ((ms * 1000) / calls).toFixed(2).padStart(6)
  console.log(
    `${String(calls).padStart(8)} calls, outcome ${lag === 0 ? 'with it' : 'later  '}: ${us(performance.now() - began)} µs a call,`,
    `${us(cpuMs() - cpu)} of the main thread's CPU, ${us((user + system) / 1000)} of all;`,
    `${Math.round((2 * calls) / ((performance.now() - began) / 1000))} records/s`,
  )
}

async function read(journal: Journal, records: Records, run: string, calls: number): Promise<void> {
  const timed = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    const began = performance.now()
    const cpu = cpuMs()
    await work()
    console.log(
      `${' '.repeat(10)}${what}: ${(performance.now() - began).toFixed(1)} ms (main thread ${(cpuMs() - cpu).toFixed(1)})`,
    )
  }
  await timed('load', async () => (await journal.load(run)).length)
  await timed('first page of 100', () => records.calls(run, { limit: 100 }))
  await timed('last page of 100', () => records.calls(run, { limit: 100, after: calls - 101 }))
  await timed('waiting calls (none)', () => records.calls(run, { limit: 100, states: ['waiting'] }))
  await timed('failed calls (none)', () => records.calls(run, { limit: 100, states: ['failed'] }))
  await journal.append(run, [aCall(calls, { name: 'rare' }), aCall(calls + 1)])
  await timed('the one waiting call of a name', () =>
    records.calls(run, { limit: 100, states: ['waiting'], name: 'rare' }),
  )
  await timed('the two waiting calls, at the end', () =>
    records.calls(run, { limit: 2, states: ['waiting'] }),
  )
  await timed('the run with its counts', () => records.run(run))
}

async function find(
  journal: Journal,
  cache: Awaited<ReturnType<typeof openSqliteJournal>>['cache'],
  run: string,
): Promise<void> {
  const began = performance.now()
  const cpu = cpuMs()
  const found = await Promise.all(Array.from({ length: 10_000 }, (_, i) => cache.find(digest(i), 0)))
  const us = (ms: number): string => ((ms * 1000) / found.length).toFixed(1)
  console.log(
    `  10 000 look-ups at once: ${us(performance.now() - began)} µs each (main thread ${us(cpuMs() - cpu)})`,
  )
  const one = performance.now()
  for (let i = 0; i < 200; i++) await cache.find(digest(i), 0)
  console.log(
    `  one look-up after the other: ${(((performance.now() - one) / 200) * 1000).toFixed(0)} µs each`,
  )
  const polls = performance.now()
  for (let i = 0; i < 200; i++) await journal.take(run)
  console.log(`  poll without news: ${(((performance.now() - polls) / 200) * 1000).toFixed(0)} µs each`)
  const single = performance.now()
  for (let i = 0; i < 200; i++)
    await journal.append(run, [{ kind: 'note', type: 'event', name: 'x', bodyWire: '1', at: i }])
  console.log(
    `  append of one record, awaited: ${(((performance.now() - single) / 200) * 1000).toFixed(0)} µs each`,
  )
}

console.log('memory')
for (const calls of [10_000, 100_000]) await write(openMemoryJournal().journal, 'run', calls, 0)

console.log('SQLite')
for (const calls of counts.length > 0 ? counts : [10_000, 100_000, 1_000_000]) {
  for (const lag of [0, callsAtOnce]) {
    const home = mkdtempSync(join(tmpdir(), 'almanac-bench-'))
    const { journal, records, cache } = await openSqliteJournal(home)
    await write(journal, 'run', calls, lag)
    if (lag === 0) {
      await read(journal, records, 'run', calls)
      await find(journal, cache, 'run')
    }
    await journal.close()
    console.log(
      `${' '.repeat(10)}${(statSync(join(home, 'journal.db')).size / calls).toFixed(0)} bytes a call on disk`,
    )
    rmSync(home, { recursive: true })
  }
}
