import { expect, it } from 'vitest'
import type { JournalRecord } from '../model/records.ts'
import { aCall, anOutcome } from '../testing/journal-records.ts'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { Recorder } from './recorder.ts'

/** A journal on a disk that takes as long as the test wants. */
function slowJournal() {
  const appended: {
    readonly records: readonly JournalRecord[]
    readonly isPatient: boolean
    done(): void
  }[] = []
  const hurried: number[] = []
  const append = (_: string, records: readonly JournalRecord[], isPatient = false): Promise<void> =>
    new Promise((done) => appended.push({ records, isPatient, done }))
  const hurry = () => void hurried.push(appended.length)
  return { append, hurry, appended, hurried, sizes: () => appended.map(({ records }) => records.length) }
}

function rig() {
  const journal = slowJournal()
  const clock = new VirtualClock()
  const committed: number[] = []
  const failed = (error: unknown): void => {
    throw error
  }
  const recorder = new Recorder(journal, 'run', clock, {
    committed: (order) => committed.push(order),
    failed,
  })
  const add = (count: number): void => {
    for (let i = 0; i < count; i++) recorder.add(aCall(i, { key: 'k' }), i)
  }
  return { ...journal, clock, recorder, committed, add }
}

it('hands full batches over while a function makes calls without resting', () => {
  const { add, sizes } = rig()
  add(25_000)
  expect(sizes()).toEqual(Array(12).fill(2000))
})

it('keeps the records of one outcome in one batch, however many came before', () => {
  const { add, recorder, sizes } = rig()
  add(1999)
  recorder.add({ kind: 'forgotten', calls: [1], at: 0 })
  recorder.add(anOutcome(2), 2)
  let durable = false
  recorder.whenDurable(() => {
    durable = true
  })
  expect(sizes()).toEqual([])
  add(1)
  expect(sizes()).toEqual([2001])
  expect(durable).toBe(false)
})

it('sends what was added at once where it is told to, and nothing twice', async () => {
  const { add, clock, recorder, sizes } = rig()
  add(3)
  recorder.flush()
  expect(sizes()).toEqual([3])
  await clock.settle()
  expect(sizes()).toEqual([3])
})

it('is full while as many records as eight batches are not durable, and has room again as the disk takes them', async () => {
  const { add, recorder, appended } = rig()
  add(15_999)
  expect(recorder.isFull).toBe(false)
  add(1)
  expect(recorder.isFull).toBe(true)
  let room = false
  const waited = recorder.room().then(() => {
    room = true
  })
  await Promise.resolve()
  expect(room).toBe(false)
  appended[0]?.done()
  await waited
  expect(recorder.isFull).toBe(false)
})

it('lets the journal gather records until somebody waits for them', async () => {
  const { add, clock, recorder, appended, hurried } = rig()
  add(1)
  await clock.settle()
  add(1)
  expect(appended.map(({ isPatient }) => isPatient)).toEqual([true])
  expect(hurried).toEqual([])
  const durable = recorder.durable()
  expect(appended.map(({ isPatient }) => isPatient)).toEqual([true, true])
  expect(hurried).toEqual([2])
  for (const { done } of appended) done()
  await durable
})

it('tells the journal of a wait for records that it does not have yet', async () => {
  const { add, clock, recorder, appended, hurried } = rig()
  add(1)
  recorder.hurry()
  await clock.settle()
  expect(appended.map(({ isPatient }) => isPatient)).toEqual([false])
  expect(hurried).toEqual([0])
})
