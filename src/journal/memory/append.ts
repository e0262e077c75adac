import { hash } from 'node:crypto'
import type { CallMade, JournalRecord, Outcome, RunId } from '../../model/records.ts'
import { forgedRecord } from '../refusals.ts'
import { putAsk } from './asks.ts'
import { addAttempt } from './attempts.ts'
import { addEntry, addUse, addVariation, setBase } from './cache.ts'
import { addCall, addOutcome, forgetCalls } from './calls.ts'
import { addSent, setAside } from './messages.ts'
import { addNote, setParts } from './notes.ts'
import { changeRun, checkNewRun, createRun } from './runs.ts'
import type { MemoryStore, RunMemory } from './store.ts'

/** All or nothing: what could be refused is looked for before anything is changed. @throws ALM_BUG */
export function appendRecords(store: MemoryStore, run: RunMemory, records: readonly JournalRecord[]): void {
  check(store, run, records)
  for (const record of records) apply(store, run, run.record.id, record)
}

function check(store: MemoryStore, run: RunMemory, records: readonly JournalRecord[]): void {
  const made = new Set<number>()
  const known = (call: number): boolean => made.has(call) || run.calls.has(call)
  for (const record of records) {
    if (record.kind === 'call') {
      if (known(record.call)) throw forgedRecord(run.record.id, `call ${record.call} is there already`)
      made.add(record.call)
    } else if (
      record.kind === 'outcome' ||
      record.kind === 'attempt' ||
      record.kind === 'ask' ||
      record.kind === 'sent' ||
      record.kind === 'aside' ||
      record.kind === 'triggered' ||
      record.kind === 'forgotten'
    ) {
      const stranger = (record.kind === 'forgotten' ? record.calls : [record.call]).find(
        (call) => !known(call),
      )
      if (stranger !== undefined) throw forgedRecord(run.record.id, `call ${stranger} was never made`)
      if (record.kind === 'triggered') checkNewRun(store, record.run)
    }
  }
}

function apply(store: MemoryStore, run: RunMemory, id: RunId, record: JournalRecord): void {
  switch (record.kind) {
    case 'call':
      return addCall(run, record)
    case 'outcome': {
      const outcome = hashed(record)
      addUse(store, (run.calls.get(outcome.call) as CallMade).name, outcome)
      return addOutcome(run, outcome)
    }
    case 'attempt':
      return addAttempt(run, record)
    case 'note':
      return addNote(store, run, record)
    case 'ask':
      return putAsk(run, record)
    case 'sent':
      return addSent(store, run, record)
    case 'aside':
      return setAside(run, record)
    case 'cache':
      return addEntry(store, id, record)
    case 'variation':
      return addVariation(store, id, record)
    case 'base':
      return setBase(store, id, record)
    case 'parts':
      return setParts(run, record)
    case 'run':
      return changeRun(run, record)
    case 'forgotten':
      return forgetCalls(run, record)
    case 'triggered':
      return createRun(store, record.run)
  }
}

function hashed(record: Outcome): Outcome {
  const { fingerprintOf, ...outcome } = record
  if (fingerprintOf === undefined) return record
  return { ...outcome, fingerprint: hash('sha256', fingerprintOf.start + fingerprintOf.rest, 'hex') }
}
