import type { ErrorCode } from '../../model/errors.ts'
import { errorRecord, isAlmanacError } from '../../model/errors.ts'
import type { ErrorRecord } from '../../model/records.ts'
import type { ExitCodes, TaskSpec } from '../../model/task.ts'
import type { ProgramExit } from './supervisor.ts'

/** What a program's failure is called. */

export interface ProgramFailure {
  readonly error: ErrorRecord
  readonly retryable: boolean
}

/** An exit code that is not 0. Where codes are declared that mean "try again", no others do. */
export function exitFailure(
  task: TaskSpec,
  command: string,
  exit: ProgramExit,
  exitCodes: ExitCodes,
  lastWords: string,
): ProgramFailure {
  const { code, signal } = exit
  const more = { ...placeOf(task), ...(lastWords !== '' && { stack: lastWords }) }
  const error =
    signal === undefined
      ? errorRecord('ALM_TASK_EXIT', { command, exit: code }, { type: `exit ${code}`, ...more })
      : errorRecord('ALM_TASK_SIGNAL', { command, signal }, { type: signal, ...more })
  return { error, retryable: exitCodes.retry.length === 0 || exitCodes.retry.includes(code) }
}

const taskFailure = (
  task: TaskSpec,
  code: ErrorCode,
  details: Readonly<Record<string, unknown>>,
): ErrorRecord => errorRecord(code, details, placeOf(task))

/** The author's own place is the task's definition. */
export const placeOf = ({ definedAt }: TaskSpec): Partial<ErrorRecord> =>
  definedAt === undefined ? {} : { file: definedAt.file, line: definedAt.line }

/** The machine has no room for one more process or file just now. */
export const isExhausted = (error: unknown): boolean =>
  ['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM'].includes(errnoOf(error))

/** Why an attempt could not even be prepared. */
export function preparationFailure(task: TaskSpec, error: unknown, scratch: string): ProgramFailure {
  if (isAlmanacError(error)) {
    return { error: taskFailure(task, error.code, error.details), retryable: false }
  }
  const why = error instanceof Error ? error.message : String(error)
  switch (errnoOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return { error: errorRecord('ALM_STORE_FULL', { path: scratch }), retryable: true }
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return { error: errorRecord('ALM_STORE_READ_ONLY', { path: scratch, why }), retryable: true }
    case 'E2BIG':
      return {
        error: taskFailure(task, 'ALM_VALUE_REFUSED', {
          path: 'run',
          why: 'the command line is longer than the system allows',
        }),
        retryable: false,
      }
    case 'ERR_INVALID_ARG_VALUE':
      return { error: taskFailure(task, 'ALM_VALUE_REFUSED', { path: 'run', why }), retryable: false }
    default:
      return { error: errorRecord('ALM_STORE_FAILED', { path: scratch, why }), retryable: true }
  }
}

const errnoOf = (error: unknown): string => String((error as NodeJS.ErrnoException | undefined)?.code ?? '')
