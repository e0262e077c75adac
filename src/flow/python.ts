import { AlmanacError } from '../model/errors.ts'
import type { PythonEnvSpec } from '../model/task.ts'
import {
  type Inputs,
  type NamedTask,
  type NamedTaskOptions,
  namedOptionNames,
  namedTask,
  type Outputs,
} from './named-task.ts'
import { checkNames, type OptionNames } from './option-names.ts'
import { pythonWorkflow } from './python-workflow.ts'
import { resolveFromCaller } from './resolve-from-caller.ts'

/** Where Python tasks run, and what holds for all of them. */
export interface PythonEnv extends PythonEnvSpec {
  /** of tasks that say nothing else: calls that one process may run at once */
  readonly threads?: number
}

/** What makes a Python function a task. */
export interface PythonTaskOptions extends NamedTaskOptions {
  /** `'steps.py:quality_control'`: file, relative to the one that says so, and function */
  readonly run: string
  /** from `python.env`; without it, the machine's Python as it is */
  readonly env?: PythonEnv
  /** calls that one process may run at once: what the environment says, else 1, unless the function's libraries bear more */
  readonly threads?: number
  /** the function's name if absent */
  readonly name?: string
}

/**
 * Python functions as tasks and as workflows, and the environments that tasks run in.
 *
 * The function gets its inputs as arguments by name (files and directories as `pathlib.Path`) and, for each file
 * or directory output, under the output's name, the path to leave it at. What it returns are its value outputs:
 * the one, or a dict by name.
 */
export const python = { task: pythonTask, workflow: pythonWorkflow, env: pythonEnv }

const optionNames: OptionNames<PythonTaskOptions> = {
  ...namedOptionNames,
  run: true,
  env: true,
  threads: true,
  name: true,
}

function pythonTask<const O extends PythonTaskOptions>(options: O): NamedTask<Inputs<O>, Outputs<O>> {
  const match = /^(.+):([\p{L}_][\p{L}\p{N}_]*)$/u.exec(options.run)
  if (match === null) {
    throw new AlmanacError('ALM_OPTION_REFUSED', {
      option: 'run',
      task: String(options.run ?? 'python.task'),
      why: "it is not like 'steps.py:function'",
    })
  }
  const [, file, fn] = match as unknown as readonly [string, string, string]
  const { threads: usual = 1, ...env } = options.env ?? {}
  const threads = options.threads ?? usual
  checkThreads(fn, threads)
  const body = {
    kind: 'python',
    file: resolveFromCaller(file),
    function: fn,
    threads,
    // what is made does not depend on it
    ...(options.env !== undefined && { env: env as PythonEnvSpec }),
  } as const
  return namedTask(options.name ?? fn, body, options, optionNames)
}

/**
 * A Python environment by its requirements file, relative to the file that says so. It is made once per content,
 * by `uv` if there is one.
 */
function pythonEnv(requirements: string, options: Omit<PythonEnv, 'requirements'> = {}): PythonEnv {
  checkNames('python.env', options, { python: true, threads: true })
  const { python: interpreter, threads } = options
  if (threads !== undefined) checkThreads('python.env', threads)
  return {
    requirements: resolveFromCaller(requirements),
    ...(interpreter !== undefined && { python: interpreter }),
    ...(threads !== undefined && { threads }),
  }
}

function checkThreads(task: string, threads: number): void {
  if (Number.isInteger(threads) && threads >= 1) return
  throw new AlmanacError('ALM_OPTION_REFUSED', { option: 'threads', task, why: 'it is no number from 1' })
}
