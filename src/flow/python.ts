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

/** What makes a Python function a task. */
export interface PythonTaskOptions extends NamedTaskOptions {
  /** `'steps.py:quality_control'`: file, relative to the one that says so, and function */
  readonly run: string
  /** from `python.env`; without it, the machine's Python as it is */
  readonly env?: PythonEnvSpec
  /** calls that one process may run at once: 1 unless the function's libraries bear more */
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
  const threads = options.threads ?? 1
  if (!Number.isInteger(threads) || threads < 1) {
    throw new AlmanacError('ALM_OPTION_REFUSED', {
      option: 'threads',
      task: fn,
      why: 'it is no number from 1',
    })
  }
  const body = {
    kind: 'python',
    file: resolveFromCaller(file),
    function: fn,
    threads,
    ...(options.env !== undefined && { env: options.env }),
  } as const
  return namedTask(options.name ?? fn, body, options, optionNames)
}

/**
 * A Python environment by its requirements file, relative to the file that says so. It is made once per content,
 * by `uv` if there is one.
 */
function pythonEnv(requirements: string, options: { readonly python?: string } = {}): PythonEnvSpec {
  checkNames('python.env', options, { python: true })
  return {
    requirements: resolveFromCaller(requirements),
    ...(options.python !== undefined && { python: options.python }),
  }
}
