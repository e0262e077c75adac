import { AlmanacError, errorRecord } from '../../model/errors.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { Value } from '../../model/value.ts'
import type { AttemptEnd } from '../../ports/executor.ts'
import { recordOf } from '../calls/failure.ts'

/** What came of an attempt once its outputs are kept. */
export type AttemptResult =
  | {
      readonly kind: 'kept'
      readonly value: Value
      /** what it took, where nobody was told when it began */
      readonly tookMs?: number | undefined
      /** the code that a process has loaded */
      readonly code?: object | undefined
    }
  | Exclude<AttemptEnd, { kind: 'succeeded' }>

/** The value of a call: the one unnamed output, or an object of the declared ones. */
export function keep(
  end: AttemptEnd,
  task: TaskSpec,
  files: Readonly<Record<string, Value>> = {},
): AttemptResult {
  if (end.kind !== 'succeeded') return end
  const { tookMs, code } = end
  if (task.outputs === undefined) return { kind: 'kept', value: end.values[''], tookMs, code }
  const value: Record<string, Value> = {}
  for (const [name, kind] of Object.entries(task.outputs)) {
    if (kind !== 'value') value[name] = files[name]
    else if (Object.hasOwn(end.values, name)) value[name] = end.values[name]
    else {
      const error = errorRecord('ALM_OUTPUT_MISSING', { name })
      return { kind: 'failed', reason: 'outputs', error, retryable: false }
    }
  }
  return { kind: 'kept', value, tookMs, code }
}

/** What an attempt came to that the engine could not lay out, or not keep. */
export function failedBy(error: unknown): AttemptResult {
  const record = recordOf(error)
  const outputs = record.code === 'ALM_OUTPUT_MISSING' || record.code === 'ALM_OUTPUT_REFUSED'
  // what the author's task did wrong is wrong again next time; a full disk is not the task's doing
  const retryable =
    record.code === 'ALM_STORE_FAILED' ||
    record.code === 'ALM_SOURCE_FAILED' ||
    !(error instanceof AlmanacError)
  return { kind: 'failed', reason: outputs ? 'outputs' : 'error', error: record, retryable }
}
