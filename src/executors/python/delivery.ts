import { type AlmanacError, errorRecord, isAlmanacError } from '../../model/errors.ts'
import type { Job } from '../jobs/job.ts'
import { bytesText } from '../limits.ts'
import type { LiveAttempt } from '../live-attempt.ts'
import type { HeldValues, Holder } from './held-values.ts'
import type { SharedFiles } from './shared-files.ts'
import { inputsText, plainInputs } from './wire.ts'

/** The inputs that a worker is sent, as JSON, or how the attempt ends because they cannot be. */
export type Delivery = { readonly inputs: string } | { refuse(live: LiveAttempt<Job>): void }

/** The shared files that the attempt will use are its own from now on. `problem`: why a value could not be moved. */
export function deliver(
  job: Job,
  problem: string | undefined,
  held: HeldValues,
  files: SharedFiles,
  to: Holder,
): Delivery {
  const plain = job.held.length === 0 ? plainInputs(job.live.attempt.inputs) : undefined
  if (plain !== undefined) return { inputs: plain }
  const handles = held.gone(job.handles)
  if (handles.length > 0) return { refuse: (live) => live.end({ kind: 'inputs-gone', handles }) }
  if (problem !== undefined) {
    const missing = job.handles.filter((handle) => held.holderOf(handle) !== to && !held.placeOf(handle))
    const bytes = missing.reduce((sum, handle) => sum + held.sizeOf(handle), 0)
    return refusal(files.refusal(`values of ${bytesText(bytes)}`, problem))
  }
  const placeOf = (handle: number) => (held.holderOf(handle) === to ? undefined : held.placeOf(handle))
  job.blobs = []
  job.segments = []
  let inputs: string
  try {
    inputs = inputsText(job.live.attempt.inputs, placeOf, files, job.blobs)
  } catch (error) {
    if (!isAlmanacError(error)) throw error
    return refusal(error)
  }
  for (const handle of job.handles) {
    const place = placeOf(handle)
    if (place === undefined) continue
    job.segments.push(place.file.name)
    held.use(place.file.name, to.id, 1)
  }
  // what needs decoding goes as a text of its own
  return { inputs: inputs.includes('"$"') ? JSON.stringify(inputs) : inputs }
}

const refusal = ({ code, details }: AlmanacError): Delivery => ({
  // what is full now may have room the next time
  refuse: (live) => live.fail('error', errorRecord(code, details), code === 'ALM_STORE_FAILED'),
})
