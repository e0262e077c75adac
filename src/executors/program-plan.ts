import { statSync } from 'node:fs'
import { AlmanacError } from '../model/errors.ts'
import type { ExitCodes, TaskSpec } from '../model/task.ts'
import type { Attempt } from '../ports/executor.ts'
import { findProgram } from './find-program.ts'
import type { ProgramStart } from './supervisor.ts'
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
  /** @throws an `AlmanacError` where no attempt could ever be started, or what the file system says */
  plan(attempt: Attempt): ProgramPlan
}

export interface Prepared {
  readonly plan: ProgramPlan
  readonly files: TaskFiles
  readonly start: ProgramStart
}

/** Everything before the start. @throws as `ProgramKind.plan`; ALM_TASK_NOT_FOUND */
export function prepare(kind: ProgramKind, attempt: Attempt, host: HostEnvironment): Prepared {
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
  return { plan, files, start: { program: found.path, args: plan.args, cwd: plan.cwd, env } }
}
