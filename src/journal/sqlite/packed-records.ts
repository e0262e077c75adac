import type {
  CallKind,
  CallMade,
  JournalRecord,
  Note,
  Outcome,
  PartsRecord,
  RememberedCall,
  RunId,
} from '../../model/records.ts'
import type { EndState } from '../../model/states.ts'
import type { PackReader, PackWriter } from './packing.ts'

/**
 * The order of a record's fields in a pack. Kinds that come for every call are laid out field by field; all others are
 * rare, and travel as JSON.
 */

const code = { run: 0, call: 1, outcome: 2, parts: 3, note: 4, other: 5 } as const

type Columns = Omit<
  Outcome,
  'kind' | 'call' | 'error' | 'origin' | 'map' | 'fingerprint' | 'valueWire' | 'digest'
>

/** An outcome as columns: what is seldom there is one text, as JSON. */
export interface BareOutcome extends Columns {
  readonly fingerprint: string | undefined
  readonly valueWire: string | undefined
  readonly digest: string | undefined
  readonly more: string | undefined
}

export interface OutcomeRow extends BareOutcome {
  readonly kind: 'outcome'
  readonly call: number
}

export type RareRecord = Exclude<JournalRecord, CallMade | Outcome | PartsRecord | Note>

export type PackedRecord = CallMade | OutcomeRow | PartsRecord | Note | RareRecord

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
      pack.number(code.outcome)
      pack.number(record.call)
      return packOutcome(pack, record, moreOf(record))
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
        fingerprint: pack.text(),
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
  pack.text(record.key)
  pack.word(record.caller)
  pack.word(record.name)
  pack.word(record.call_kind)
  pack.text(record.argsWire)
  pack.number(record.at)
}

const readCall = (pack: PackReader): CallMade => ({
  kind: 'call',
  call: pack.number(),
  key: pack.text(),
  caller: pack.word(),
  name: pack.word(),
  call_kind: pack.word() as CallKind,
  argsWire: pack.text(),
  at: pack.number(),
})

function packOutcome(pack: PackWriter, outcome: Outcome | BareOutcome, more: string | undefined): void {
  pack.number(outcome.order)
  pack.word(outcome.state)
  pack.word(outcome.reason)
  pack.optionalText(outcome.fingerprint)
  pack.optionalText(outcome.valueWire)
  pack.optionalText(outcome.digest)
  pack.number(outcome.attempt)
  pack.number(outcome.startedAt)
  pack.number(outcome.endedAt)
  pack.number(outcome.costMs)
  pack.optionalText(more)
}

const readOutcome = (pack: PackReader): OutcomeRow => ({
  kind: 'outcome',
  call: pack.number(),
  order: pack.number(),
  state: pack.word() as EndState,
  reason: pack.word(),
  fingerprint: pack.optionalText(),
  valueWire: pack.optionalText(),
  digest: pack.optionalText(),
  attempt: pack.number(),
  startedAt: pack.number(),
  endedAt: pack.number(),
  costMs: pack.number(),
  more: pack.optionalText(),
})

type More = Pick<Outcome, 'error' | 'origin' | 'map'>

function moreOf({ error, origin, map }: More): string | undefined {
  if (error === undefined && origin === undefined && map === undefined) return undefined
  return JSON.stringify({ error, origin, map })
}

/** What `moreOf` made a text of. */
export const readMore = (more: string | null | undefined): More =>
  more == null ? {} : (JSON.parse(more) as More)

function packParts(pack: PackWriter, record: PartsRecord): void {
  pack.number(code.parts)
  pack.number(record.call)
  pack.text(record.fingerprint)
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

/** A call as `load` gives it back, from its columns. */
export interface RememberedRow {
  readonly call: number
  readonly key: string
  readonly caller: string
  readonly name: string
  readonly kind: string
  readonly at: number
  readonly outcome: BareOutcome | undefined
  /** as JSON */
  readonly attempts: string | undefined
}

export function packRemembered(pack: PackWriter, row: RememberedRow): void {
  pack.number(row.call)
  pack.text(row.key)
  pack.word(row.caller)
  pack.word(row.name)
  pack.word(row.kind)
  pack.number(row.at)
  pack.optionalText(row.attempts)
  pack.number(row.outcome === undefined ? code.call : code.outcome)
  if (row.outcome === undefined) return
  pack.number(row.call)
  packOutcome(pack, row.outcome, row.outcome.more)
}

export function readRemembered(pack: PackReader): RememberedCall {
  const call = pack.number()
  const key = pack.text()
  const caller = pack.word()
  const name = pack.word()
  const call_kind = pack.word() as CallKind
  const at = pack.number()
  const attempts = pack.optionalText()
  const outcome = pack.number() === code.outcome ? wholeOutcome(readOutcome(pack)) : undefined
  return {
    call,
    key,
    caller,
    name,
    call_kind,
    at,
    ...(outcome && { outcome }),
    attempts: attempts === undefined ? [] : (JSON.parse(attempts) as RememberedCall['attempts']),
  }
}

function wholeOutcome(row: OutcomeRow): NonNullable<RememberedCall['outcome']> {
  const { kind: _, call: __, fingerprint, valueWire, digest, more, ...rest } = row
  return {
    ...rest,
    ...(fingerprint !== undefined && { fingerprint }),
    ...(valueWire !== undefined && { valueWire }),
    ...(digest !== undefined && { digest }),
    ...(more !== undefined && readMore(more)),
  }
}
