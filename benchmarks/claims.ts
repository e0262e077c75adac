import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteJournal } from '../src/journal/sqlite/open.ts'
import { aDigest, aRun } from '../src/testing/journal-records.ts'

/**
 * What a claim costs a call that the run cache serves: it is taken and given back in SQLite, and the run cache is asked
 * once more beside it. In groups of so many calls that begin together.
 *
 *     node benchmarks/claims.ts [calls]
 */

const calls = Number(process.argv[2] ?? 20_000)
const digests = Array.from({ length: calls }, (_, i) => aDigest(`claim ${i}`))

const home = mkdtempSync(join(tmpdir(), 'almanac-claims-'))
const { journal, work, cache } = await openSqliteJournal(home)
await journal.create(aRun('run1'))

async function measure(what: string, together: number, one: (group: readonly string[]) => Promise<unknown>) {
  const began = performance.now()
  const cpu = process.cpuUsage()
  for (let at = 0; at < calls; at += together) await one(digests.slice(at, at + together))
  const { user, system } = process.cpuUsage(cpu)
  const us = (ms: number): string => ((ms * 1000) / calls).toFixed(1).padStart(7)
  const cpuMs = (user + system) / 1000
  const name = `${what}, ${together} at once`.padEnd(28)
  console.log(`${name} ${us(performance.now() - began)} µs a call, ${us(cpuMs)} of CPU`)
}

try {
  for (const together of [1, 8, 64]) {
    await measure('claim and release', together, async (group) => {
      await work.take(group.map((fingerprint, call) => ({ fingerprint, run: 'run1', call })))
      await work.release(group)
    })
    await measure('lookup', together, (group) =>
      Promise.all(group.map((fingerprint) => cache.find(fingerprint, 0))),
    )
  }
} finally {
  await journal.close()
  rmSync(home, { recursive: true })
}
