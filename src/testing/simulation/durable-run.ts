import { errorRecord } from '../../model/errors.ts'
import type { CallKind, JournalRecord } from '../../model/records.ts'
import { numbers, type Plain } from './model.ts'
import type { Program } from './program.ts'
import { shapeIndex } from './shapes.ts'

/** A call as the journal knows it. */
interface KeptCall {
  readonly kind: CallKind
  readonly name: string
  /** where in the program it stands; empty where it is made to equal others */
  readonly tag: string
}

export interface KeptOutcome {
  readonly order: number
  readonly state: string
  readonly reason: string
  readonly valueWire: string | undefined
  readonly message: string | undefined
  /** what was executed, with which code */
  readonly content: string | undefined
}

/** What is durable of one run, read from the records as they become so. */
export class DurableRun {
  readonly calls = new Map<number, KeptCall>()
  readonly outcomes = new Map<number, KeptOutcome>()
  /** numbers in durable results, and texts of durable errors */
  readonly numbers = new Set<number>()
  readonly messages = new Set<string>()
  /** attempts that failed and count, by call */
  readonly spent = new Map<number, number>()
  readonly #contents = new Map<string, number>()

  /** `isAstray`: what is done now may not be wanted again. */
  add(record: JournalRecord, program: Program, isAstray: boolean): void {
    if (record.kind === 'call') {
      this.calls.set(record.call, { kind: record.call_kind, name: record.name, tag: tagOf(record.argsWire) })
    } else if (record.kind === 'forgotten') {
      for (const call of record.calls) this.#drop(call)
      for (const call of record.calls) this.spent.delete(call)
    } else if (record.kind === 'attempt') {
      const isSpent = record.phase === 'failed' && record.spent !== false
      if (isSpent) this.spent.set(record.call, (this.spent.get(record.call) ?? 0) + 1)
    } else if (record.kind === 'outcome') {
      this.spent.delete(record.call)
      const before = this.outcomes.get(record.call)?.content
      this.#drop(record.call)
      const call = this.calls.get(record.call) as KeptCall
      const { order, state, reason, valueWire, error } = record
      // of what was cancelled its state says all
      const { message } = error ?? (state === 'cancelled' ? errorRecord('ALM_CANCELLED') : {})
      const isResult =
        !isAstray &&
        (call.kind === 'task' || call.kind === 'entry') &&
        state === 'succeeded' &&
        call.tag !== '' &&
        valueWire !== undefined
      // what is not done now has not become wrong
      const isKept = (state === 'skipped' && reason !== 'policy') || state === 'cancelled'
      const content = isKept
        ? before
        : isResult
          ? contentOf(call.tag, valueWire, program.codes[shapeIndex(call.name)]?.text ?? 0)
          : undefined
      this.outcomes.set(record.call, { order, state, reason, valueWire, message, content })
      if (content !== undefined) this.#contents.set(content, (this.#contents.get(content) ?? 0) + 1)
      if (message !== undefined) this.messages.add(message)
      if (valueWire !== undefined && state === 'succeeded')
        for (const number of numbersIn(call.kind, valueWire)) this.numbers.add(number)
    }
  }

  /** Is there a result of this very work? */
  has(content: string): boolean {
    return (this.#contents.get(content) ?? 0) > 0
  }

  #drop(call: number): void {
    const content = this.outcomes.get(call)?.content
    this.outcomes.delete(call)
    if (content !== undefined) this.#contents.set(content, (this.#contents.get(content) ?? 1) - 1)
  }
}

/** What work it is: of which place, with which code, giving what. */
export const contentOf = (tag: string, valueWire: string, code: number): string =>
  `${tag} ${code} ${valueWire}`

function tagOf(argsWire: string): string {
  const args = (JSON.parse(argsWire) as { readonly args?: readonly unknown[] } | null)?.args
  const first = args?.length === 1 && Array.isArray(args[0]) ? (args[0][0] as unknown) : args?.[0]
  return typeof first === 'string' ? first : ''
}

/** As the program makes numbers of them. */
function numbersIn(kind: CallKind, valueWire: string): number[] {
  const value = JSON.parse(valueWire) as unknown
  if (kind === 'random') return [Math.floor((value as number) * 2 ** 31)]
  if (kind === 'now') return [Date.parse((value as { readonly v: string }).v)]
  const held = value as { readonly $?: string; readonly type?: string } | null
  if (held?.$ === 'held') return [Number(held.type)]
  return kind === 'task' || kind === 'entry' || kind === 'ask' || kind === 'receive'
    ? numbers(value as Plain)
    : []
}
