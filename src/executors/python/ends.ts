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
import type { WorkerExit } from './worker-process.ts'

/** How what a worker said, or its death, is told as the end of an attempt. */

/** `code` stands for what the worker has loaded. */
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
    const why = isAlmanacError(error) ? error.message : `its file cannot be read: ${(error as Error).message}`
    job.live.fail('error', errorRecord('ALM_RESULT_REFUSED', { why }), true, usage)
    return
  }
  job.live.succeed(values, usage, code)
}

function tellFailure(job: Job, failure: WorkerFailure, files: SharedFiles, usage: Usage): void {
  const { kind, message, type, types, file, line, stack } = failure
  const more: Partial<ErrorRecord> = {
    ...(type !== undefined && { type }),
    ...(types !== undefined && { types }),
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

/** What the end of a worker means for the attempts that were in it. */
export interface Death {
  readonly exit: WorkerExit
  /** it had said that it is there */
  readonly wasReady: boolean
  /** the kernel ended it for want of memory */
  readonly outOfMemory: boolean
  /** what it wrote to standard error last: Python's own words on a crash */
  readonly lastWords: readonly string[]
}

/** so many workers die under an attempt that is not known to have begun before it is taken to be the reason */
const maxDeaths = 3

/** It was not attempted, as far as anybody knows: it goes to another worker, and nobody is told. */
export function isUnbegun(job: Job, death: Death, sent: number): boolean {
  if (job.phase === 'moving') return true
  if (death.exit.noRoom === true) return job.live.verdict === undefined
  if (!death.wasReady || job.begun || job.live.verdict !== undefined) return false
  job.deaths += 1
  return job.deaths < maxDeaths && (job.announced || sent > 1)
}

/** `alone`: no other attempt was in the worker, so it is this one that ended it. */
export function tellDeath(job: Job, death: Death, alone: boolean): void {
  const { exit } = death
  const why = exitText(exit)
  if (!death.wasReady && exit.code === noDebugpy) {
    const how = 'Add debugpy to the requirements of the task’s environment.'
    job.live.fail('error', errorRecord('ALM_TOOL_MISSING', { what: 'debugpy', how }), false)
    return
  }
  if (!death.wasReady && exit.doom === undefined && isOwnDoing(exit)) {
    const said = death.lastWords.slice(-5).join('\n')
    const error = errorRecord('ALM_WORKER_LOST', { why: `it could not start, ${why}${said && `: ${said}`}` })
    job.live.fail('lost', error, true)
    return
  }
  if (death.outOfMemory && alone) {
    job.live.fail('memory', errorRecord('ALM_TASK_MEMORY', { why: 'the machine had no more' }), true)
    return
  }
  if (exit.doom !== undefined || !alone || !isOwnDoing(exit)) {
    job.live.lost(exit.doom ?? why)
    return
  }
  const words = death.lastWords.join('\n')
  const error = errorRecord(
    'ALM_TASK_DIED',
    { why },
    {
      type: exit.signal ?? `exit ${exit.code}`,
      ...placeIn(death.lastWords, job.function.directory),
      ...(words !== '' && { stack: words }),
    },
  )
  job.live.fail('lost', error, true)
}

/** exit code of `start.py` */
const noDebugpy = 93

/** A crash or an exit comes from within; other signals come from outside. */
export const isOwnDoing = (exit: WorkerExit): boolean =>
  exit.signal === null ||
  ['SIGSEGV', 'SIGBUS', 'SIGABRT', 'SIGFPE', 'SIGILL', 'SIGSYS', 'SIGTRAP'].includes(exit.signal)

const exitText = (exit: WorkerExit): string =>
  exit.signal === null ? `it ended with exit code ${exit.code}` : `it was ended by ${exit.signal}`

/** The author's line, from what Python's fault handler wrote: innermost frame first. */
function placeIn(words: readonly string[], directory: string): { file: string; line: number } | undefined {
  for (const word of words) {
    const [, file, line] = /^ {2}File "(.+)", line (\d+) in /.exec(word) ?? []
    if (file?.startsWith(`${directory}/`)) return { file, line: Number(line) }
  }
  return undefined
}
