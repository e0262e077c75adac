import { errorRecord, isAlmanacError } from '../../model/errors.ts'
import type { LiveAttempt } from '../live-attempt.ts'
import type { HeldValues, Holder } from './held-values.ts'
import type { Job } from './job.ts'
import type { SharedFiles } from './shared-files.ts'
import { inputsText } from './wire.ts'

/** What a worker is sent for an attempt, or how the attempt ends because it cannot be. */
export type Delivery = { readonly message: readonly unknown[] } | { refuse(live: LiveAttempt<Job>): void }

/** The shared files that the attempt will use are its own from now on. `problem`: why a value could not be moved. */
export function deliver(
  job: Job,
  problem: string | undefined,
  held: HeldValues,
  files: SharedFiles,
  to: Holder,
): Delivery {
  const handles = held.gone(job.handles)
  if (handles.length > 0) return { refuse: (live) => live.end({ kind: 'inputs-gone', handles }) }
  if (problem !== undefined) return refusal(files, problem, true)
  const placeOf = (handle: number) => (held.holderOf(handle) === to ? undefined : held.placeOf(handle))
  let inputs: string
  try {
    inputs = inputsText(job.live.attempt.inputs, placeOf, files, job.blobs)
  } catch (error) {
    if (!isAlmanacError(error)) return refusal(files, (error as Error).message, true)
    const record = errorRecord(error.code, error.details)
    return { refuse: (live) => live.fail('error', record, false) }
  }
  for (const handle of job.handles) {
    const place = placeOf(handle)
    if (place === undefined) continue
    job.segments.push(place.file.name)
    held.use(place.file.name, to.id, 1)
  }
  return { message: runMessage(job, inputs) }
}

const refusal = (files: SharedFiles, why: string, retryable: boolean): Delivery => ({
  refuse: (live) =>
    live.fail('error', errorRecord('ALM_STORE_FAILED', { path: files.prefix, why }), retryable),
})

function runMessage(job: Job, inputs: string): readonly unknown[] {
  const { attempt } = job.live
  const context = {
    run: attempt.run,
    call: String(attempt.call),
    attempt: String(attempt.attempt),
    key: attempt.key,
    logical: new Date(attempt.logicalTime).toISOString(),
    idempotency: attempt.idempotencyKey,
    scratch: attempt.scratch,
  }
  return ['run', job.seq, job.function.id, inputs, attempt.outputs, context, job.announced ? 1 : 0]
}
