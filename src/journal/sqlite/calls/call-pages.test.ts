import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CallMade, Outcome, RememberedCall } from '../../../model/records.ts'
import { plainCall } from '../../../model/remembered.ts'
import { aCall, anOutcome, aRun, remembered } from '../../../testing/journal-records.ts'
import type { TemporaryHome } from '../../../testing/temporary-home.ts'
import { temporaryHome } from '../../../testing/temporary-home.ts'
import { openDatabase } from '../database/database.ts'
import { callOf, rowRange } from '../database/rows.ts'
import type { OpenSqliteJournal } from '../open.ts'
import { openSqliteJournal } from '../open.ts'
import { runNumber } from '../tables/runs.ts'
import { CallIndex } from './call-index.ts'
import { loadPage } from './calls.ts'
import { freezeBlock, thaw } from './frozen-calls.ts'
import { Names } from './names.ts'
import { unpackPage } from './page-calls.ts'

let home: TemporaryHome
let open: OpenSqliteJournal
beforeAll(async () => {
  home = await temporaryHome()
  open = await openSqliteJournal(home.path)
})
afterAll(async () => {
  await open.close()
  await home.remove()
})

const text = fc.string({ unit: 'binary' })
// zeros and ends of texts in digests are digests too; what is none is kept as it is
const digest = fc.oneof(
  fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex')),
  fc.constant('00'.repeat(32)),
)
const anyDigest = fc.oneof({ weight: 9, arbitrary: digest }, { weight: 1, arbitrary: text })
const number = fc.oneof(fc.nat(), fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }))
const maybe = <T>(name: string, of: fc.Arbitrary<T>) =>
  fc.oneof(
    of.map((value) => ({ [name]: value })),
    fc.constant({}),
  )

const rows = (key: fc.Arbitrary<string>) =>
  fc.array(
    fc.record({
      call: fc.record({ key, caller: text, name: text, at: number }),
      outcome: fc.option(
        fc
          .tuple(
            fc.record({ order: fc.nat(), reason: text, startedAt: number, endedAt: number, costMs: number }),
            maybe('fingerprint', key),
            maybe('digest', key),
            maybe('valueWire', text),
            maybe('error', fc.record({ code: text, message: text })),
          )
          .map((parts) => Object.assign({}, ...parts) as Partial<Outcome>),
        { nil: undefined },
      ),
    }),
    { minLength: 1, maxLength: 30 },
  )

let runs = 0

it.each([
  ['digests', digest],
  ['digests and other keys', anyDigest],
] as const)('gives back every call as it was recorded, with %s', async (_, key) => {
  await fc.assert(
    fc.asyncProperty(rows(key), async (found) => {
      const run = `run${runs++}`
      await open.journal.create(aRun(run))
      const calls = found.map(({ call }, i): CallMade => aCall(i, call))
      const outcomes = found.map(({ outcome }, i): Outcome | undefined => {
        if (outcome === undefined) return undefined
        const { fingerprint: _f, digest: _d, valueWire: _v, ...plain } = anOutcome(i)
        return { ...plain, ...outcome }
      })
      await open.journal.append(run, [...calls, ...outcomes.filter((outcome) => outcome !== undefined)])
      expect((await open.journal.load(run)).map(plainCall)).toEqual(
        calls.map((call, i) => remembered(call, outcomes[i])),
      )
    }),
    { numRuns: 60 },
  )
})

it('has no more of long texts than is said, but one call in any case, and so have blocks', async () => {
  const run = 'long'
  await open.journal.create(aRun(run))
  const lengths = [...Array(50).fill(38), 5000, ...Array(29).fill(38)] as number[]
  await open.journal.append(run, [
    ...lengths.map((length, i) => aCall(i, { argsWire: JSON.stringify('x'.repeat(length)) })),
    ...lengths.map((_, i) => anOutcome(i, { valueWire: '"0123456789"' })),
    { kind: 'run', state: 'succeeded', at: 5 },
  ])
  const whole = (await open.journal.load(run)).map(plainCall)
  const db = openDatabase(home.path)
  const [names, n, bound] = [new Names(db), runNumber(db, run), { bytes: 25 * 52 }]
  const calls: RememberedCall[] = []
  const pages: number[] = []
  for (let from: number | undefined = 0; from !== undefined; ) {
    const { page, next } = loadPage(db, names, new CallIndex(), n, from, 100, bound)
    if (page !== undefined) unpackPage(page, calls)
    pages.push(page?.calls ?? 0)
    from = next
  }
  expect([pages, calls.map(plainCall)]).toEqual([[25, 25, 1, 25, 4], whole])
  const isFrozen = () => db.transaction(() => freezeBlock(db, names, n, bound))
  expect([isFrozen(), isFrozen(), isFrozen()]).toEqual([true, true, false])
  expect((await open.journal.load(run)).map(plainCall)).toEqual(whole)
  db.close()
})

it('puts calls into blocks that are too large for many to be in one', async () => {
  const run = 'large'
  await open.journal.create(aRun(run))
  const calls = Array.from({ length: 30 }, (_, i) => aCall(i, { argsWire: JSON.stringify('x'.repeat(38)) }))
  const outcomes = calls.map((_, i) => anOutcome(i, { valueWire: '"0123456789"' }))
  await open.journal.append(run, [...calls, ...outcomes, { kind: 'run', state: 'succeeded', at: 5 }])
  const db = openDatabase(home.path)
  const [names, n] = [new Names(db), runNumber(db, run)]
  const isFrozen = () => db.transaction(() => freezeBlock(db, names, n, { bytes: 10 * 52 }))
  // of the last ten there are no more
  expect([isFrozen(), isFrozen(), isFrozen()]).toEqual([true, true, false])
  expect((await open.journal.load(run)).map(plainCall)).toEqual(
    calls.map((call, i) => remembered(call, outcomes[i])),
  )
  db.close()
})

it('puts calls into blocks whatever failed before them, and those that were thawed into blocks again', async () => {
  const run = 'thawed'
  await open.journal.create(aRun(run))
  const calls = Array.from({ length: 45 }, (_, i) => aCall(i, { argsWire: JSON.stringify('x'.repeat(38)) }))
  const outcomes = calls.map((_, i) =>
    anOutcome(i, i < 5 ? { state: 'failed', reason: 'error' } : { valueWire: '"0123456789"' }),
  )
  await open.journal.append(run, [...calls, ...outcomes, { kind: 'run', state: 'failed', at: 5 }])
  const whole = (await open.journal.load(run)).map(plainCall)
  const db = openDatabase(home.path)
  const [names, n] = [new Names(db), runNumber(db, run)]
  const freeze = () => {
    while (db.transaction(() => freezeBlock(db, names, n, { bytes: 10 * 52 }))) {}
    const sql = 'SELECT id FROM frozen WHERE id BETWEEN ? AND ? ORDER BY id'
    return db.all<{ id: number }>(sql, ...rowRange(n)).map(({ id }) => callOf(id))
  }
  // of the last ten there are no more
  expect(freeze()).toEqual([5, 15, 25])
  db.transaction(() => thaw(db, n, 7))
  db.transaction(() => thaw(db, n, 27))
  expect(freeze()).toEqual([5, 15, 25])
  expect((await open.journal.load(run)).map(plainCall)).toEqual(whole)
  db.close()
})
