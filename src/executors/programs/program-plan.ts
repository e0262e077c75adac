import { statSync } from 'node:fs'
import { AlmanacError } from '../../model/errors.ts'
import type { FailureReason } from '../../model/states.ts'
import type { ExitCodes, TaskSpec } from '../../model/task.ts'
import type { Attempt } from '../../ports/executor.ts'
import { findProgram } from './find-program.ts'
import type { ProgramFailure } from './program-failures.ts'
import type { ProgramExit, ProgramStart } from './supervisor.ts'
import type { HostEnvironment, TaskFiles } from './task-files.ts'
import { makeTaskFiles, taskEnvironment } from './task-files.ts'

/** What to start for an attempt. */
export interface ProgramPlan {
  /** a name on PATH, or a path */
  readonly program: string
  readonly args: readonly string[]
  readonly cwd: string
  /** what it is called in messages */
  readonly label: string
  readonly exitCodes: ExitCodes
}

/** What differs between executors that run programs. */
export interface ProgramKind {
  readonly name: string
  accepts(task: TaskSpec): boolean
  /** Everything before the start. @throws an `AlmanacError` where no attempt could ever be started, or what the file system says */
  prepare(attempt: Attempt, host: HostEnvironment): Prepared
  /** What takes a while and is done before `prepare`. Rejects where the attempt cannot be started. */
  ready?(attempt: Attempt): Promise<void>
  /** the program's own processes are not the task's: their memory and time are nobody's business */
  readonly elsewhere?: boolean
  /** Asks it to stop, where that is not for its process group to hear; in vain until it has begun, or is `over`. */
  ask?(attempt: Attempt, over: () => boolean): void
  /** Its end, before it is told: lets go of what is elsewhere, and says what the exit was. Undefined: as it seems. */
  settle?(attempt: Attempt, end: ProgramEnd): Promise<ProgramVerdict | undefined>
  /** Resolves when nothing of ended attempts is left. */
  close?(): Promise<void>
}

/** How the process of a program ended. */
export interface ProgramEnd {
  readonly exit: ProgramExit
  /** it was told to stop */
  readonly stopped: boolean
  readonly lastWords: string
}

/** What an exit was. */
export type ProgramVerdict =
  | (ProgramFailure & { readonly reason: FailureReason })
  /** not the author's doing */
  | { readonly lost: string }

export interface Prepared {
  /** what it is called in messages */
  readonly label: string
  readonly exitCodes: ExitCodes
  /** on this machine */
  readonly files: TaskFiles
  /** another user than this one is to read and write them */
  readonly shared?: boolean
  readonly start: ProgramStart
}

/** A kind whose programs run on this machine as they are. */
export interface HostKind extends Pick<ProgramKind, 'name' | 'accepts'> {
  plan(attempt: Attempt): ProgramPlan
}

export const hostKind = (kind: HostKind): ProgramKind => ({
  name: kind.name,
  accepts: (task) => kind.accepts(task),
  prepare: (attempt, host) => prepare(kind, attempt, host),
})

/** @throws as `HostKind.plan`; ALM_TASK_NOT_FOUND */
function prepare(kind: HostKind, attempt: Attempt, host: HostEnvironment): Prepared {
  const files = makeTaskFiles(attempt)
  const plan = kind.plan(attempt)
  const env = taskEnvironment(attempt, files, host)
  if (statSync(plan.cwd, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new AlmanacError('ALM_TASK_NOT_FOUND', {
      what: `The directory ${plan.cwd}`,
      why: 'there is none to run in',
    })
  }
  const found = findProgram(plan.program, plan.cwd, env['PATH'] ?? '')
  if ('missing' in found)
    throw new AlmanacError('ALM_TASK_NOT_FOUND', { what: plan.label, why: found.missing })
  const { label, exitCodes } = plan
  return { label, exitCodes, files, start: { program: found.path, args: plan.args, cwd: plan.cwd, env } }
}
