import { asTyped } from './command-text.ts'

/** A hint as it is said here. Those of the journal know neither how commands are called, nor their run: both are filled in. */
export const hintText = (hint: string, run?: string, call?: number): string =>
  run === undefined
    ? asTyped(hint)
    : asTyped(hint)
        .replace('RUN TASK', call === undefined ? `${run} TASK` : `${run} ${call}`)
        .replace(/\bRUN\b/g, run)

interface Hinting {
  readonly kind?: unknown
  readonly id?: unknown
  readonly run?: unknown
  readonly hint?: unknown
  readonly call?: unknown
  readonly error?: Hinting | null
  readonly outcome?: Hinting | null
}

/** An object for programs, with the hints of its errors as people are told them. What authors have made is no part of it. */
export function withHints(object: Hinting, of?: string): object {
  const own = object.kind === 'run' ? object.id : object.run
  const run = typeof own === 'string' ? own : of
  const { hint, error, outcome, call } = object
  return {
    ...object,
    ...(typeof hint === 'string' && {
      hint: hintText(hint, run, typeof call === 'number' ? call : undefined),
    }),
    ...(isObject(error) && { error: withHints(error, run) }),
    ...(isObject(outcome) && { outcome: withHints(outcome, run) }),
  }
}

const isObject = (value: Hinting | null | undefined): value is Hinting =>
  typeof value === 'object' && value !== null
