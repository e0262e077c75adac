import { errorRecord, isAlmanacError } from '../../model/errors.ts'
import { isEmpty } from '../../util/empty.ts'
import type { Job } from '../job.ts'
import type { LiveAttempt } from '../live-attempt.ts'
import type { HeldValues, Holder } from './held-values.ts'
import type { SharedFiles } from './shared-files.ts'
import { inputsText, plainInputs } from './wire.ts'

/** What a worker is sent for an attempt, or how the attempt ends because it cannot be. */
export type Delivery = { readonly message: string } | { refuse(live: LiveAttempt<Job>): void }

/** The shared files that the attempt will use are its own from now on. `problem`: why a value could not be moved. */
export function deliver(
  job: Job,
  problem: string | undefined,
  held: HeldValues,
  files: SharedFiles,
  to: Holder,
): Delivery {
  const plain = job.held.length === 0 ? plainInputs(job.live.attempt.inputs) : undefined
  if (plain !== undefined) return { message: runMessage(job, plain) }
  const handles = held.gone(job.handles)
  if (handles.length > 0) return { refuse: (live) => live.end({ kind: 'inputs-gone', handles }) }
  if (problem !== undefined) return refusal(files, problem, true)
  const placeOf = (handle: number) => (held.holderOf(handle) === to ? undefined : held.placeOf(handle))
  job.blobs = []
  job.segments = []
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
  // what needs decoding goes as a text of its own
  return { message: runMessage(job, inputs.includes('"$"') ? JSON.stringify(inputs) : inputs) }
}

const refusal = (files: SharedFiles, why: string, retryable: boolean): Delivery => ({
  refuse: (live) =>
    live.fail('error', errorRecord('ALM_STORE_FAILED', { path: files.prefix, why }), retryable),
})

/** The message as JSON text; `inputs` is JSON already. `python/almanac_worker/tasks.py` reads it. */
function runMessage(job: Job, inputs: string): string {
  const { call, attempt, idempotencyKey, logicalTime, scratch, outputs } = job.live.attempt
  const id = JSON.stringify(idempotencyKey)
  const flags = (job.announced ? 1 : 0) + (job.begins ? 2 : 0) + (job.live.attempt.usesUp === true ? 4 : 0)
  const head = `["run",${job.seq},${job.function.id},${inputs},${flags},${job.run.id}`
  const rest = `${call},${attempt},${id},"${isoTime(logicalTime)}"`
  if (scratch === '' && isEmpty(outputs)) return `${head},${rest}]`
  return `${head},${rest},${JSON.stringify(scratch)},${JSON.stringify(outputs)}]`
}

let lastSecond = { at: Number.NaN, text: '' }

/** Many calls are made in one second. */
function isoTime(at: number): string {
  const ms = at % 1000
  if (at - ms !== lastSecond.at)
    lastSecond = { at: at - ms, text: new Date(at - ms).toISOString().slice(0, -4) }
  return `${lastSecond.text}${String(ms).padStart(3, '0')}Z`
}
