import { fromWire } from '../../model/codec.ts'
import { errorRecord, isAlmanacError } from '../../model/errors.ts'
import type { ErrorRecord } from '../../model/records.ts'
import type { Value } from '../../model/value.ts'
import type { Usage } from '../../ports/executor.ts'
import type { Job } from '../jobs/job.ts'
import { bytesText } from '../limits.ts'
import type { EndBody, WorkerFailure } from './messages.ts'
import type { SharedFiles } from './shared-files.ts'
import { resultValue } from './wire.ts'

/** Tells what a worker said of the end of an attempt. `code` stands for what the worker has loaded. */
export function tellEnd(job: Job, body: EndBody, files: SharedFiles, code: object): void {
  const usage: Usage = { cpuMs: body.cpuMs, ...(body.peak > 0 && { maxRssBytes: body.peak }) }
  if (body.cancelled) {
    job.live.stopped(usage)
    return
  }
  if (body.failure !== undefined) {
    tellFailure(job, body.failure, files, usage)
    return
  }
  let values: Record<string, Value>
  try {
    const isPlain = !body.blobs && body.held.length === 0
    const read = (wire: unknown) =>
      isPlain ? fromWire(wire) : resultValue(wire, job.live.attempt.key, files, job.function.interner)
    values = Object.fromEntries(Object.entries(body.values ?? {}).map(([name, wire]) => [name, read(wire)]))
  } catch (error) {
    job.live.started()
    const why = isAlmanacError(error) ? error.message : `its file cannot be read: ${(error as Error).message}`
    job.live.fail('error', errorRecord('ALM_RESULT_REFUSED', { why }), true, usage)
    return
  }
  job.live.succeedAtOnce(values, body.ms, { usage, code })
}

function tellFailure(job: Job, failure: WorkerFailure, files: SharedFiles, usage: Usage): void {
  const { kind, message, type, types, group, file, line, stack } = failure
  const more: Partial<ErrorRecord> = {
    ...(type !== undefined && { type }),
    ...(types !== undefined && { types }),
    ...(group !== undefined && { group }),
    ...(file !== undefined && { file }),
    ...(line !== undefined && { line }),
    ...(stack !== undefined && { stack }),
  }
  if (failure.gone !== undefined) {
    job.live.end({ kind: 'inputs-gone', handles: [failure.gone] })
    return
  }
  const what = `${job.function.name} of ${job.function.file}`
  switch (kind) {
    case 'signature':
      job.live.fail(
        'error',
        errorRecord('ALM_TASK_SIGNATURE', { function: what, why: message }, more),
        false,
        usage,
      )
      return
    case 'not-found':
      job.live.fail('error', errorRecord('ALM_TASK_NOT_FOUND', { what, why: message }, more), false, usage)
      return
    case 'refused':
      job.live.fail('error', errorRecord('ALM_RESULT_REFUSED', { why: message }, more), false, usage)
      return
    case 'unwritable': {
      const { code, details } = files.refusal(`a result of ${bytesText(failure.size ?? 0)}`, message)
      job.live.fail('error', errorRecord(code, details), failure.retry, usage)
      return
    }
    case 'memory':
      job.live.fail('memory', errorRecord('ALM_TASK_MEMORY', { why: message }, more), failure.retry, usage)
      return
    case 'exit':
      job.live.fail('error', exitRecord(what, failure, more), failure.retry, usage)
      return
    default:
      job.live.fail('error', errorRecord('ALM_TASK_FAILED', { message }, more), failure.retry, usage)
  }
}

const exitRecord = (what: string, failure: WorkerFailure, more: Partial<ErrorRecord>): ErrorRecord =>
  errorRecord('ALM_TASK_EXIT', { command: what, exit: failure.exit ?? '' }, more)
