import { AlmanacError, errorRecord, isAlmanacError } from '../../model/errors.ts'
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
  try {
    const plain = job.held.length === 0 ? plainInputs(job.live.attempt.inputs) : undefined
    if (plain !== undefined) return sized(plain, job)
    return withOthers(job, problem, held, files, to)
  } catch (error) {
    if (isAlmanacError(error)) return refusal(error)
    // V8's word for a text that would be longer than one can be
    if (error instanceof RangeError) return tooLong(job)
    throw error
  }
}

/** Inputs that are more than plain values. @throws ALM_VALUE_REFUSED, ALM_STORE_FAILED */
function withOthers(
  job: Job,
  problem: string | undefined,
  held: HeldValues,
  files: SharedFiles,
  to: Holder,
): Delivery {
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
  const text = inputsText(job.live.attempt.inputs, placeOf, files, job.blobs)
  // what needs decoding goes as a text of its own
  const delivery = sized(text.includes('"$"') ? JSON.stringify(text) : text, job)
  if ('refuse' in delivery) return delivery
  for (const handle of job.handles) {
    const place = placeOf(handle)
    if (place === undefined) continue
    job.segments.push(place.file.name)
    held.use(place.file.name, to.id, 1)
  }
  return delivery
}

/** A text has less than 2^29 characters, and there is more in the message. */
const mostCharacters = 2 ** 29 - 2 ** 20

const sized = (inputs: string, job: Job): Delivery =>
  inputs.length > mostCharacters ? tooLong(job) : { inputs }

function tooLong({ function: { name } }: Job): Delivery {
  const why = `they have more than ${bytesText(mostCharacters)} as JSON; leave large values in files`
  return refusal(new AlmanacError('ALM_VALUE_REFUSED', { path: `the inputs of ${name}`, why }))
}

const refusal = ({ code, details }: AlmanacError): Delivery => ({
  // what is full now may have room the next time
  refuse: (live) => live.fail('error', errorRecord(code, details), code === 'ALM_STORE_FAILED'),
})
