import type { ScriptLanguage } from '../model/task.ts'
import {
  type Inputs,
  type NamedTask,
  type NamedTaskOptions,
  namedOptionNames,
  namedTask,
  type Outputs,
} from './named-task.ts'
import type { OptionNames } from './option-names.ts'
import { checkNeeded, isText, isWords } from './program-options.ts'
import { resolveFromCaller } from './resolve-from-caller.ts'

/** Exit codes that mean something. */
export interface ExitOptions {
  /** exit codes that mean: try again, as far as `retries` allows */
  readonly retryExits?: readonly number[]
}

/** What makes a program a task. */
export interface CommandTaskOptions extends NamedTaskOptions, ExitOptions {
  /** by which its calls are known */
  readonly name: string
  /** program and arguments; `{in.scene}`, `{out.cog}`, `{params.x}` stand for paths and values; no shell */
  readonly run: readonly [string, ...string[]]
  /** working directory, relative to the file that says so; an empty one of the attempt's own if absent */
  readonly cwd?: string
}

/** What makes a script a task. */
export interface ScriptTaskOptions extends NamedTaskOptions, ExitOptions {
  /** by which its calls are known */
  readonly name: string
  /** what runs it: `bash`, `sh`, `python`, `node` or `Rscript` */
  readonly lang: ScriptLanguage
  /** its text; it counts as the task's code */
  readonly source: string
}

const commandNames: OptionNames<CommandTaskOptions> = {
  ...namedOptionNames,
  name: true,
  run: true,
  cwd: true,
  retryExits: true,
}
const scriptNames: OptionNames<ScriptTaskOptions> = {
  ...namedOptionNames,
  name: true,
  lang: true,
  source: true,
  retryExits: true,
}

/**
 * Programs as tasks. Inputs that are files or directories are there at paths, read only; the others are in the JSON
 * file `ALMANAC_PARAMS`; outputs are what is left at the output paths, and values what is written to the JSON file
 * `ALMANAC_RESULT`.
 */
export const command = {
  task<const O extends CommandTaskOptions>(options: O): NamedTask<Inputs<O>, Outputs<O>> {
    checkNeeded('a command', options, commandNames, {
      name: isText(options.name) ? undefined : 'a text, by which its calls are known',
      run: isWords(options.run) ? undefined : "a program and its arguments, like ['sort', '{in.text}']",
    })
    const body = {
      kind: 'command',
      run: options.run,
      exitCodes: { retry: options.retryExits ?? [] },
      ...(options.cwd !== undefined && { cwd: resolveFromCaller(options.cwd) }),
    } as const
    return namedTask(options.name, body, options, commandNames)
  },
}

/** Scripts as tasks: as `command.task`, with the text of the script in the workflow. */
export const script = {
  task<const O extends ScriptTaskOptions>(options: O): NamedTask<Inputs<O>, Outputs<O>> {
    checkNeeded('a script', options, scriptNames, {
      name: isText(options.name) ? undefined : 'a text, by which its calls are known',
      lang: isText(options.lang) ? undefined : "the language, like 'bash'",
      source: isText(options.source) ? undefined : 'the text of the script',
    })
    const body = {
      kind: 'script',
      lang: options.lang,
      source: options.source,
      exitCodes: { retry: options.retryExits ?? [] },
    } as const
    return namedTask(options.name, body, options, scriptNames)
  },
}
