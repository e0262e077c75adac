import { cpSync, mkdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MemoryObjects } from '../../testing/memory/memory-objects.ts'
import { temporaryHome } from '../../testing/temporary-home.ts'
import { journalName, knownJournalName } from '../journal-name.ts'
import { LogFiles } from '../log-files.ts'
import { clearResults, resultsOf } from './clear-results.ts'
import { writeDocument } from './documents.ts'
import { baseKey, blobKey, cacheKey, deletingFolder, listingFolder } from './layout.ts'
import { ObjectBlobs } from './object-blobs.ts'
import { goneRuns, RunMarks } from './run-marks.ts'
import { SharedLogs } from './shared-logs.ts'
import { collectStore } from './store-garbage.ts'

let bucket: MemoryObjects
let home: string
let remove: () => Promise<void>

beforeEach(async () => {
  bucket = new MemoryObjects()
  const made = await temporaryHome()
  home = made.path
  remove = made.remove
})
afterEach(() => remove())

const keys = () => [...bucket.kept.keys()].sort()
const hour = 3600_000

describe('what a run leaves in a shared store', () => {
  /** Marks a run and sends a result and a log of it. */
  async function sent(run: string, marks = new RunMarks(bucket, home)): Promise<void> {
    await marks.mark(run)
    await writeDocument(bucket, `results/${run}/4.json`, { run, call: 4, valueWire: 'null' })
    await bucket.put(`logs/${run}/4.1.clean.jsonl`, Buffer.from('{}\n'))
  }

  const round = (has: readonly string[], hours: number, more = {}) =>
    collectStore(bucket, {
      dryRun: false,
      graceMs: 24 * hour,
      now: Date.now() + hours * hour,
      own: { journal: journalName(home), has: async (run) => has.includes(run) },
      ...more,
    })

  it('goes with the run, results and logs', async () => {
    await sent('one')
    await sent('two')
    const marks = new RunMarks(bucket, home)
    const own = new LogFiles(home, () => undefined)
    const logs = new SharedLogs(own, {
      objects: bucket,
      marks,
      readOnly: false,
      inBackground: () => undefined,
    })
    await logs.remove('one')
    expect(keys().filter((key) => !key.startsWith('runs/'))).toEqual([
      'logs/two/4.1.clean.jsonl',
      'results/two/4.json',
    ])
  })

  it('is swept by a collection where the run was removed without it, or while it was sent', async () => {
    await sent('kept')
    await sent('removed')
    expect(await round(['kept'], 1, { dryRun: true })).toMatchObject({ orphans: 2 })
    expect(keys()).toHaveLength(6)
    expect(await round(['kept'], 1)).toMatchObject({ orphans: 2 })
    // what was still on its way when the run was removed
    await bucket.put('results/removed/5.json', Buffer.from('{"format":1}'))
    expect(await round(['kept'], 2)).toMatchObject({ orphans: 1 })
    expect(keys()).toContain(`runs/${journalName(home)}/removed.json`)
    // nothing comes any more
    expect(await round(['kept'], 50)).toMatchObject({ orphans: 0 })
    expect(keys()).toEqual([
      'garbage.txt',
      'logs/kept/4.1.clean.jsonl',
      'results/kept/4.json',
      `runs/${journalName(home)}/kept.json`,
    ])
  })

  it('stays where another journal has the run, until that has stored nothing for as long as is said', async () => {
    const other = await temporaryHome()
    await sent('theirs', new RunMarks(bucket, other.path))
    await other.remove()
    expect(await round([], 1)).toMatchObject({ orphans: 0 })
    expect(await round([], 29 * 24, { goneMs: 30 * 24 * hour })).toMatchObject({ orphans: 0 })
    expect(await round([], 31 * 24, { goneMs: 30 * 24 * hour })).toMatchObject({ orphans: 2 })
    expect(await round([], 33 * 24, { goneMs: 1 })).toMatchObject({ orphans: 0 })
    expect(keys()).toEqual(['garbage.txt'])
  })

  it('is found however many others a journal had that is no more', async () => {
    const runs = Array.from({ length: 150_000 }, (_, i) => `run-${i}`)
    const mark = { bytes: Buffer.from('{}'), changedAt: 1 }
    for (const run of runs) bucket.kept.set(`runs/theirs/${run}.json`, mark)
    expect(await goneRuns(bucket, undefined, { now: 31 * 24 * hour, goneMs: 30 * 24 * hour })).toHaveLength(
      runs.length,
    )
  })

  it('keeps its content until the run is removed', async () => {
    const text = Buffer.from('precious')
    const { FileRef } = await import('../../model/refs.ts')
    const { encode } = await import('../../model/codec.ts')
    const digest = await new ObjectBlobs(bucket).put(text)
    await new RunMarks(bucket, home).mark('one')
    const valueWire = encode(new FileRef('a', digest, text.length, false))
    await writeDocument(bucket, 'results/one/1.json', { run: 'one', call: 1, valueWire })
    for (const hours of [1, 30, 60])
      expect(await round(['one'], hours)).toMatchObject({ kept: 1, deleted: 0 })
    expect(await round([], 90)).toMatchObject({ unreachable: 1, deleted: 0, orphans: 1 })
    expect(await round([], 120)).toMatchObject({ unreachable: 1, deleted: 1 })
  })

  it('is of a journal whose name is never that of its copy', () => {
    expect(knownJournalName(home)).toBeUndefined()
    const name = journalName(home)
    expect([journalName(home), knownJournalName(home)]).toEqual([name, name])
    mkdirSync(`${home}/copy`)
    cpSync(`${home}/journal-name`, `${home}/copy/journal-name`, { preserveTimestamps: true })
    expect(knownJournalName(`${home}/copy`)).toBeUndefined()
    expect(journalName(`${home}/copy`)).not.toBe(name)
  })
})

it('what a collection that died had announced is swept, and what one announces that lives is not', async () => {
  await bucket.put(`${deletingFolder}dead.txt`, Buffer.from(`${'ab'.repeat(32)}\n`))
  const round = (hours: number) =>
    collectStore(bucket, { dryRun: false, graceMs: hour, now: Date.now() + hours * hour })
  await round(0.5)
  expect(keys()).toEqual([`${deletingFolder}dead.txt`, 'garbage.txt'])
  await round(2)
  expect(keys()).toEqual(['garbage.txt'])
})

describe('a collection of a store', () => {
  const sentAt = 1_700_000_000_123
  const round = (hours: number, dryRun = false) =>
    collectStore(bucket, { dryRun, graceMs: hour, now: sentAt + hours * hour })
  let key: string

  beforeEach(async () => {
    bucket.now = () => sentAt
    const digest = await new ObjectBlobs(bucket).put(Buffer.from('garbage'))
    key = blobKey(digest)
    await round(1)
  })

  it('removes where lists say milliseconds and a single look seconds', async () => {
    bucket.looksInSeconds = true
    expect(await round(3)).toMatchObject({ deleted: 1, freedBytes: 7 })
    expect(keys()).toEqual(['garbage.txt'])
  })

  it('removes a listing after two rounds of its own, though content of the same bytes was found before', async () => {
    const listing = Buffer.from('almanac-tree 1\n')
    const digest = await new ObjectBlobs(bucket).put(listing)
    await new ObjectBlobs(bucket, listingFolder).put(listing)
    const base = baseKey('main', digest)
    await writeDocument(bucket, base, { base: digest, input: digest, valueWire: 'null' })
    await round(1)
    await bucket.remove([base])
    expect(await round(3)).toMatchObject({ unreachable: 3, deleted: 2 })
    expect(keys()).toEqual(['garbage.txt', blobKey(digest, listingFolder)])
    expect(await round(5)).toMatchObject({ unreachable: 1, deleted: 1 })
    expect(keys()).toEqual(['garbage.txt'])
  })

  it('counts only what it has removed, not what was sent anew meanwhile', async () => {
    expect(await round(3, true)).toMatchObject({ deleted: 1, freedBytes: 7 })
    bucket.onRequest = (kind, put) => {
      if (kind === 'put' && put.startsWith(deletingFolder))
        bucket.kept.set(key, { bytes: Buffer.from('garbage'), changedAt: sentAt + 2 * hour })
    }
    expect(await round(3)).toMatchObject({ unreachable: 1, deleted: 0, freedBytes: 0 })
    expect(keys()).toContain(key)
  })
})

describe('results in a shared store', () => {
  const [first, second, third] = ['aa'.repeat(32), `ab${'cd'.repeat(31)}`, `ab${'ef'.repeat(31)}`]
  const dated = { now: 0 }

  beforeEach(async () => {
    bucket.now = () => dated.now
    for (const [at, [digest, name]] of [
      [first, 'clean'],
      [second, 'clean'],
      [third, 'join'],
    ].entries()) {
      dated.now = at * 1000
      await writeDocument(bucket, cacheKey(digest as string), { fingerprint: digest, name })
    }
    await writeDocument(bucket, baseKey('main', first), { base: first, name: 'clean' })
  })

  it.each([
    ['of a task, with those of its maps', { name: 'clean' }, 2, [cacheKey(third)]],
    [
      'by the first letters',
      { prefix: 'abcd' },
      1,
      [baseKey('main', first), cacheKey(first), cacheKey(third)],
    ],
    ['by a single letter', { prefix: 'a' }, 3, [baseKey('main', first)]],
    ['that were stored before a time', { notSince: 1500 }, 2, [baseKey('main', first), cacheKey(third)]],
    ['of a task and old', { name: 'join', notSince: 1500 }, 0, undefined],
    ['all', {}, 3, []],
  ])('are cleared %s', async (_what, choice, entries, left) => {
    const before = keys()
    expect(await clearResults(bucket, choice, true)).toEqual({ entries })
    expect(keys()).toEqual(before)
    expect(await clearResults(bucket, choice, false)).toEqual({ entries })
    expect(keys()).toEqual(left ?? before)
  })

  it('are cleared where the store says milliseconds in lists and seconds of a single object', async () => {
    bucket.looksInSeconds = true
    dated.now = 3123
    await writeDocument(bucket, cacheKey(third), { fingerprint: third, name: 'join' })
    expect(await clearResults(bucket, { name: 'join' }, false)).toEqual({ entries: 1 })
    expect(keys()).toEqual([baseKey('main', first), cacheKey(first), cacheKey(second)])
  })

  it('are found by the first letters', async () => {
    expect(await resultsOf(bucket, 'ab', 10)).toEqual([second, third])
    expect(await resultsOf(bucket, 'ab', 1)).toEqual([second])
    expect(await resultsOf(bucket, '../', 10)).toEqual([])
  })

  it('that were replaced while they were looked at stay', async () => {
    bucket.onRequest = async (kind, key) => {
      if (kind !== 'read' || key !== cacheKey(first)) return
      bucket.onRequest = () => undefined
      dated.now = 9000
      await writeDocument(bucket, key, { fingerprint: first, name: 'clean', costMs: 7 })
    }
    expect(await clearResults(bucket, { name: 'clean' }, false)).toEqual({ entries: 1 })
    expect(keys()).toContain(cacheKey(first))
  })

  it('cleared while others give the same are there anew, and none is ever half there', async () => {
    bucket.onRequest = async (kind) => {
      if (kind !== 'remove') return
      bucket.onRequest = () => undefined
      expect(await bucket.put(cacheKey(first), Buffer.from('{}'), { once: true })).toBe(false)
    }
    await clearResults(bucket, {}, false)
    expect(await bucket.put(cacheKey(first), Buffer.from('{}'), { once: true })).toBe(true)
  })
})
