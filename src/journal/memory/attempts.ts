import type { AttemptRecord, RememberedCall } from '../../model/records.ts'
import type { RunMemory } from './store.ts'
import { copyOf } from './store.ts'

export function addAttempt(run: RunMemory, record: AttemptRecord): void {
  const attempts = run.attempts.get(record.call)
  const attempt = { record: copyOf(record), forgotten: false }
  if (attempts === undefined) run.attempts.set(record.call, [attempt])
  else attempts.push(attempt)
}

export function forgetAttempts(run: RunMemory, call: number): void {
  for (const attempt of run.attempts.get(call) ?? []) attempt.forgotten = true
}

/** Those that a replay counts. */
export const spentAttempts = (run: RunMemory, call: number): RememberedCall['attempts'] =>
  (run.attempts.get(call) ?? [])
    .filter(({ forgotten }) => !forgotten)
    .map(({ record }) => {
      const { kind: _, call: __, ...attempt } = copyOf(record)
      return attempt
    })

export const listAttempts = (run: RunMemory, call: number): AttemptRecord[] =>
  (run.attempts.get(call) ?? []).map(({ record }) => copyOf(record))
