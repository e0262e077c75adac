import type { CallKind, RememberedCall } from '../../model/records.ts'
import type { EndState } from '../../model/states.ts'
import { readMore } from './packed-records.ts'
import type { PackReader, PackWriter } from './packing.ts'

/**
 * A remembered call as it is selected: columns of `calls`, then of `outcomes`, empty where it has none. They go from
 * the database into a pack, and from there into the record, with no object in between: a run may have a million.
 */
export type CallColumns = readonly [
  id: number,
  name: number,
  key: string,
  caller: string,
  at: number,
  order: number | null,
  state: string,
  reason: string,
  fingerprint: string | null,
  value: string | null,
  digest: string | null,
  attempt: number,
  startedAt: number,
  endedAt: number,
  costMs: number,
  more: string | null,
]

export interface CallHead {
  readonly call: number
  readonly name: string
  readonly kind: CallKind
  /** spent ones, as JSON */
  readonly attempts: string | undefined
}

export function packRemembered(pack: PackWriter, head: CallHead, columns: CallColumns): void {
  const [, , key, caller, at, order, state, reason, fingerprint, value, digest] = columns
  pack.number(head.call)
  pack.text(key)
  pack.word(caller)
  pack.word(head.name)
  pack.word(head.kind)
  pack.number(at)
  pack.optionalText(head.attempts)
  pack.optionalNumber(order ?? undefined)
  if (order === null) return
  pack.word(state)
  pack.word(reason)
  pack.optionalText(fingerprint ?? undefined)
  pack.optionalText(value ?? undefined)
  pack.optionalText(digest ?? undefined)
  for (let i = 11; i < 15; i++) pack.number(columns[i] as number)
  pack.optionalText(columns[15] ?? undefined)
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

export function readRemembered(pack: PackReader): RememberedCall {
  const call: Writable<RememberedCall> = {
    call: pack.number(),
    key: pack.text(),
    caller: pack.word(),
    name: pack.word(),
    call_kind: pack.word() as CallKind,
    at: pack.number(),
    attempts: none,
  }
  const attempts = pack.optionalText()
  if (attempts !== undefined) call.attempts = JSON.parse(attempts) as RememberedCall['attempts']
  const order = pack.optionalNumber()
  if (order !== undefined) call.outcome = readOutcome(pack, order)
  return call
}

const none: RememberedCall['attempts'] = Object.freeze([])

function readOutcome(pack: PackReader, order: number): NonNullable<RememberedCall['outcome']> {
  const state = pack.word() as EndState
  const reason = pack.word()
  const fingerprint = pack.optionalText()
  const valueWire = pack.optionalText()
  const digest = pack.optionalText()
  const outcome: Writable<NonNullable<RememberedCall['outcome']>> = {
    order,
    state,
    reason,
    attempt: pack.number(),
    startedAt: pack.number(),
    endedAt: pack.number(),
    costMs: pack.number(),
  }
  if (fingerprint !== undefined) outcome.fingerprint = fingerprint
  if (valueWire !== undefined) outcome.valueWire = valueWire
  if (digest !== undefined) outcome.digest = digest
  const more = pack.optionalText()
  return more === undefined ? outcome : { ...outcome, ...readMore(more) }
}
