import { basename, delimiter, dirname } from 'node:path'
import { commands } from '../executors/command/executor.ts'
import { containerName, containerRun, hostVariables, readyFor } from '../executors/container/container-run.ts'
import type { Containers } from '../executors/container/containers.ts'
import { root } from '../executors/container/mounts.ts'
import { runWords } from '../executors/container/run-words.ts'
import type { HostKind } from '../executors/programs/program-plan.ts'
import { hostEnvironment, makeTaskFiles, taskEnvironment } from '../executors/programs/task-files.ts'
import { ensurePythonEnv } from '../executors/python/environment.ts'
import { scripts } from '../executors/script/executor.ts'
import { AlmanacError } from '../model/errors.ts'
import type { Attempt } from '../ports/executor.ts'

/** How a person takes the place of an attempt: where, with what environment, and what would have been run there. */
export interface ShellStart {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** the words of a command; absent for a function */
  readonly argv?: readonly string[]
  /** of a function: `steps.py:index` */
  readonly function?: string
  /** how one gets there where it is in a container: what `argv` is run by, from here */
  readonly enter?: ShellEntry
}

export interface ShellEntry {
  readonly words: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** @throws what the task's executor would: ALM_OPTION_REFUSED, ALM_PYTHON_ENV, … */
export async function shellStart(
  attempt: Attempt,
  containers: Containers,
  onProgress: (line: string) => void = () => undefined,
): Promise<ShellStart> {
  const { body, definedAt } = attempt.task
  switch (body.kind) {
    case 'command':
      return programStart(commands, attempt)
    case 'script':
      return programStart(scripts, attempt)
    case 'container':
      return await containerStart(attempt, containers)
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

function programStart(kind: HostKind, attempt: Attempt): ShellStart {
  const env = environment(attempt)
  const { program, args, cwd } = kind.plan(attempt)
  // the interpreter of a script may be named by its path
  return { cwd, env, argv: [attempt.task.body.kind === 'script' ? basename(program) : program, ...args] }
}

/** A container as the task's, in which nothing is run yet. */
async function containerStart(attempt: Attempt, containers: Containers): Promise<ShellStart> {
  const ready = await readyFor(attempt, containers)
  const run = containerRun(attempt, ready, containerName(attempt, 'shell'), containers.settings)
  const { body } = run
  const attached = process.stdin.isTTY ? ['-i', '-t'] : ['-i']
  const empty = { ...run, run: [], body: { ...body, entrypoint: [] } }
  return {
    cwd: body.workdir ?? `${root}/work`,
    env: run.env,
    argv: [...(body.entrypoint ?? []), ...run.run],
    enter: { words: runWords(ready.engine, empty, attached), env: { ...hostVariables(), ...attempt.env } },
  }
}

const environment = (attempt: Attempt): Record<string, string> =>
  taskEnvironment(attempt, makeTaskFiles(attempt), hostEnvironment())
