import { basename, delimiter, dirname } from 'node:path'
import { AlmanacError } from '../model/errors.ts'
import type { Attempt } from '../ports/executor.ts'
import { commands } from './command/executor.ts'
import type { ProgramKind } from './program-plan.ts'
import { ensurePythonEnv } from './python/environment.ts'
import { scripts } from './script/executor.ts'
import { hostEnvironment, makeTaskFiles, taskEnvironment } from './task-files.ts'

/** How a person takes the place of an attempt: where, with what environment, and what would have been run there. */
export interface ShellStart {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** the words of a command; absent for a function */
  readonly argv?: readonly string[]
  /** of a function: `steps.py:index` */
  readonly function?: string
}

/** @throws what the task's executor would: ALM_OPTION_REFUSED, ALM_PYTHON_ENV, … */
export async function shellStart(
  attempt: Attempt,
  onProgress: (line: string) => void = () => undefined,
): Promise<ShellStart> {
  const { body, definedAt } = attempt.task
  switch (body.kind) {
    case 'command':
      return programStart(commands, attempt)
    case 'script':
      return programStart(scripts, attempt)
    case 'python': {
      const env = environment(attempt)
      const python =
        body.env === undefined ? undefined : (await ensurePythonEnv(body.env, { onProgress })).python
      return {
        cwd: attempt.scratch,
        env: {
          ...env,
          // what the task imports, and the task itself, can be imported, and nothing is left beside it
          PYTHONDONTWRITEBYTECODE: '1',
          PYTHONPATH: dirname(body.file),
          ALMANAC_SCRATCH: attempt.scratch,
          ...(python !== undefined && { PATH: `${dirname(python)}${delimiter}${env['PATH'] ?? ''}` }),
        },
        function: `${body.file}:${body.function}`,
      }
    }
    case 'source':
      throw new AlmanacError('ALM_CALL_UNSTAGED', {
        run: attempt.run,
        call: attempt.call,
        why: 'a download has no program',
      })
    case 'function':
    case 'thread':
      return {
        cwd: attempt.scratch,
        env: environment(attempt),
        function: definedAt === undefined ? body.name : `${definedAt.file}:${definedAt.line} ${body.name}`,
      }
  }
}

function programStart(kind: ProgramKind, attempt: Attempt): ShellStart {
  const env = environment(attempt)
  const { program, args, cwd } = kind.plan(attempt)
  // the interpreter of a script may be named by its path
  return { cwd, env, argv: [attempt.task.body.kind === 'script' ? basename(program) : program, ...args] }
}

const environment = (attempt: Attempt): Record<string, string> =>
  taskEnvironment(attempt, makeTaskFiles(attempt), hostEnvironment())
