import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { CallMade, JournalRecord, Note, Outcome, PartsRecord } from '../../../model/records.ts'
import { aCall, anOutcome } from '../../../testing/journal-records.ts'
import { packRecord, packRun, readMore, readRecord } from './packed-records.ts'
import type { Packed } from './packing.ts'
import { PackReader, PackWriter } from './packing.ts'

/** All records as they arrive, runs with them. */
function unpack(packed: Packed): unknown[] {
  const reader = new PackReader(packed)
  const records: unknown[] = []
  while (!reader.isDone) records.push(plain(readRecord(reader)))
  return records
}

/** Columns as a record again. */
function plain(record: ReturnType<typeof readRecord>): unknown {
  const fields = Object.entries(record).map(([name, field]) => [
    name,
    field instanceof Uint8Array ? Buffer.from(field).toString('hex') : field,
  ])
  const { more, ...row } = Object.fromEntries(fields) as Record<string, string>
  return JSON.parse(JSON.stringify({ ...row, ...readMore(more) }))
}

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constantFrom('', '\n', '\0', ','))
const digest = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 }),
  },
  { weight: 1, arbitrary: fc.string({ minLength: 64, maxLength: 64 }) },
  { weight: 1, arbitrary: text },
)
const whole = fc.nat()
const call = fc.record({
  call: whole,
  key: digest,
  caller: text,
  name: text,
  argsWire: text,
  at: whole,
})
const outcome = fc.record(
  {
    call: whole,
    order: whole,
    reason: text,
    attempt: whole,
    startedAt: whole,
    endedAt: whole,
    costMs: fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }),
    fingerprint: digest,
    valueWire: text,
    digest,
    error: fc.record({ code: text, message: text }),
    origin: fc.record({ run: text, call: whole }),
    map: fc.record({ executed: whole, carried: whole, removed: whole }),
  },
  { requiredKeys: ['call', 'order', 'reason', 'attempt', 'startedAt', 'endedAt', 'costMs'] },
)
const note = fc.record(
  { name: text, bodyWire: text, at: whole, call: whole, attempt: whole },
  { requiredKeys: ['name', 'bodyWire', 'at'] },
)
const parts = fc.record({ call: whole, fingerprint: digest, partsWire: text, verdict: text })

const record: fc.Arbitrary<JournalRecord> = fc.oneof(
  fc.tuple(call, fc.boolean()).map(
    ([fields, keyed]): CallMade => ({
      kind: 'call',
      call_kind: 'task',
      ...fields,
      ...(keyed && { keyed }),
    }),
  ),
  outcome.map((fields) => ({ kind: 'outcome', state: 'failed', ...fields }) as Outcome),
  note.map((fields) => ({ kind: 'note', type: 'metric', ...fields }) as Note),
  parts.map((fields): PartsRecord => ({ kind: 'parts', ...fields })),
  fc.record({ kind: fc.constant('forgotten' as const), calls: fc.array(whole), at: whole }),
)

it('gives back every record that was packed', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b'), record)), (records) => {
      const pack = new PackWriter()
      for (const [run, one] of records) {
        packRun(pack, run)
        packRecord(pack, one)
      }
      const expected = records.flatMap(([run, one]) => [{ kind: 'of', run }, JSON.parse(JSON.stringify(one))])
      expect(JSON.parse(JSON.stringify(unpack(pack.take())))).toEqual(expected)
    }),
    { numRuns: 300 },
  )
})

it('takes back what was packed since a mark', () => {
  const pack = new PackWriter()
  packRecord(pack, aCall(1))
  const mark = pack.mark()
  packRecord(pack, aCall(2, { name: 'other', argsWire: '[2]' }))
  packRecord(pack, anOutcome(2))
  pack.undo(mark)
  packRecord(pack, aCall(3, { name: 'third' }))
  expect(unpack(pack.take())).toEqual([aCall(1), aCall(3, { name: 'third' })])
})

it('begins anew after what it had was taken', () => {
  const pack = new PackWriter()
  for (let i = 0; i < 500; i++) packRecord(pack, aCall(i))
  expect(unpack(pack.take()).length).toBe(500)
  expect(pack.isEmpty).toBe(true)
  packRecord(pack, aCall(7))
  expect(unpack(pack.take())).toEqual([aCall(7)])
})

it('keeps more text than one text can have', () => {
  const pack = new PackWriter()
  const long = 'x'.repeat(2 ** 26)
  const texts = ['', ...Array.from({ length: 9 }, () => [long, 'short', '']).flat()]
  for (const text of texts) pack.text(text)
  expect(pack.characters).toBe(9 * (2 ** 26 + 5))
  const reader = new PackReader(pack.take())
  expect(texts.findIndex((text) => reader.text() !== text)).toBe(-1)
  expect([reader.isDone, pack.characters]).toEqual([true, 0])
})
