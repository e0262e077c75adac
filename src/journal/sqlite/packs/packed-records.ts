import type {
  CallKind,
  CallMade,
  JournalRecord,
  Note,
  Outcome,
  PartsRecord,
  RunId,
} from '../../../model/records.ts'
import type { EndState } from '../../../model/states.ts'
import type { DigestColumn } from '../database/rows.ts'
import type { PackReader, PackWriter } from './packing.ts'

/**
 * The order of a record's fields in a pack. Kinds that come for every call are laid out field by field; all others are
 * rare, and travel as JSON.
 */

const code = { run: 0, call: 1, outcome: 2, parts: 3, note: 4, other: 5 } as const

type Columns = Omit<
  Outcome,
  | 'kind'
  | 'call'
  | 'error'
  | 'origin'
  | 'map'
  | 'message'
  | 'fingerprint'
  | 'fingerprintOf'
  | 'valueWire'
  | 'digest'
>

/** An outcome as columns: what is seldom there is one text, as JSON. */
export interface OutcomeRow extends Columns {
  readonly kind: 'outcome'
  readonly call: number
  readonly fingerprint: DigestColumn | undefined
  readonly valueWire: string | undefined
  readonly digest: DigestColumn | undefined
  readonly more: string | undefined
}

/** A call as columns. */
export interface PackedCall extends Omit<CallMade, 'key' | 'keyed'> {
  readonly key: DigestColumn
  readonly keyed: true | undefined
}

export interface PackedParts extends Omit<PartsRecord, 'fingerprint'> {
  readonly fingerprint: DigestColumn
}

export type RareRecord = Exclude<JournalRecord, CallMade | Outcome | PartsRecord | Note>

export type PackedRecord = PackedCall | OutcomeRow | PackedParts | Note | RareRecord

/** The records that follow are of this run. */
export function packRun(pack: PackWriter, run: RunId): void {
  pack.number(code.run)
  pack.word(run)
}

export function packRecord(pack: PackWriter, record: JournalRecord): void {
  switch (record.kind) {
    case 'call':
      return packCall(pack, record)
    case 'outcome':
      return packOutcome(pack, record)
    case 'parts':
      return packParts(pack, record)
    case 'note':
      return packNote(pack, record)
    default:
      pack.number(code.other)
      pack.text(JSON.stringify(record))
  }
}

/** The next record, or the run that those after it belong to. */
export function readRecord(pack: PackReader): PackedRecord | { readonly kind: 'of'; readonly run: RunId } {
  const kind = pack.number()
  switch (kind) {
    case code.run:
      return { kind: 'of', run: pack.word() }
    case code.call:
      return readCall(pack)
    case code.outcome:
      return readOutcome(pack)
    case code.parts:
      return {
        kind: 'parts',
        call: pack.number(),
        fingerprint: pack.digest() ?? '',
        partsWire: pack.text(),
        verdict: pack.word(),
      }
    case code.note:
      return readNote(pack)
    default:
      return JSON.parse(pack.text()) as RareRecord
  }
}

function packCall(pack: PackWriter, record: CallMade): void {
  pack.number(code.call)
  pack.number(record.call)
  pack.digest(record.key)
  pack.word(record.caller)
  pack.word(record.name)
  pack.word(record.call_kind)
  pack.text(record.argsWire)
  pack.number(record.at)
  pack.number(record.keyed === true ? 1 : 0)
}

const readCall = (pack: PackReader): PackedCall => ({
  kind: 'call',
  call: pack.number(),
  key: pack.digest() ?? '',
  caller: pack.word(),
  name: pack.word(),
  call_kind: pack.word() as CallKind,
  argsWire: pack.text(),
  at: pack.number(),
  keyed: pack.number() === 1 ? true : undefined,
})

function packOutcome(pack: PackWriter, outcome: Outcome): void {
  pack.number(code.outcome)
  pack.number(outcome.call)
  pack.number(outcome.order)
  pack.word(outcome.state)
  pack.word(outcome.reason)
  if (outcome.fingerprintOf === undefined) pack.digest(outcome.fingerprint)
  else pack.digestOf(outcome.fingerprintOf)
  pack.optionalText(outcome.valueWire)
  pack.digest(outcome.digest)
  pack.number(outcome.attempt)
  pack.number(outcome.startedAt)
  pack.number(outcome.endedAt)
  pack.number(outcome.costMs)
  pack.optionalText(moreOf(outcome))
}

const readOutcome = (pack: PackReader): OutcomeRow => ({
  kind: 'outcome',
  call: pack.number(),
  order: pack.number(),
  state: pack.word() as EndState,
  reason: pack.word(),
  fingerprint: pack.digest(),
  valueWire: pack.optionalText(),
  digest: pack.digest(),
  attempt: pack.number(),
  startedAt: pack.number(),
  endedAt: pack.number(),
  costMs: pack.number(),
  more: pack.optionalText(),
})

type More = Pick<Outcome, 'error' | 'origin' | 'map' | 'message'>

function moreOf({ error, origin, map, message }: More): string | undefined {
  if (error === undefined && origin === undefined && map === undefined && message === undefined)
    return undefined
  return JSON.stringify({ error, origin, map, message })
}

/** What `moreOf` made a text of. */
export const readMore = (more: string | null | undefined): More =>
  more == null ? {} : (JSON.parse(more) as More)

function packParts(pack: PackWriter, record: PartsRecord): void {
  pack.number(code.parts)
  pack.number(record.call)
  pack.digest(record.fingerprint)
  pack.text(record.partsWire)
  pack.word(record.verdict)
}

function packNote(pack: PackWriter, record: Note): void {
  pack.number(code.note)
  pack.optionalNumber(record.call)
  pack.optionalNumber(record.attempt)
  pack.word(record.type)
  pack.word(record.name)
  pack.text(record.bodyWire)
  pack.number(record.at)
}

function readNote(pack: PackReader): Note {
  const call = pack.optionalNumber()
  const attempt = pack.optionalNumber()
  return {
    kind: 'note',
    ...(call !== undefined && { call }),
    ...(attempt !== undefined && { attempt }),
    type: pack.word() as Note['type'],
    name: pack.word(),
    bodyWire: pack.text(),
    at: pack.number(),
  }
}
