import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import pc from 'picocolors'
import { AlmanacError } from '../../model/errors.ts'
import type { StagedShell } from '../../workbench.ts'
import { knownRun, namedCall } from '../runs/calls.ts'
import { loadWorkflowOf } from '../runs/workflow-of-run.ts'
import { type CommonFlags, withReadAlmanac } from '../session.ts'
import { relativePath } from '../text/paths.ts'

export interface ShellFlags extends CommonFlags {
  /** the workflow's file, where it has moved */
  readonly file?: string
}

/** `almanac shell RUN TASK [-- COMMAND…]`: a shell where the task stood, or one command there. */
export function shellCommand(
  run: string,
  task: string,
  command: readonly string[],
  flags: ShellFlags,
): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const record = await knownRun(almanac, run)
    const call = await namedCall(almanac, record.id, task)
    const { workflow } = await loadWorkflowOf(almanac, record, flags.file)
    const staged = await almanac.stage(record, call, workflow)
    try {
      const { cwd, argv, function: place } = staged
      for (const line of introduction(staged, call.call)) if (!printer.json) printer.aside(line)
      if (command.length === 0 && !printer.json)
        printer.aside(pc.dim('  exit ends it; its directory is removed then'))
      const exitCode = await runIn(staged, command, printer.json)
      printer.object({
        kind: 'shell',
        run: record.id,
        call: call.call,
        task: staged.task,
        cwd,
        argv: argv ?? null,
        function: place ?? null,
        exitCode,
      })
      return exitCode
    } finally {
      await staged.remove()
    }
  })
}

function introduction({ task, cwd, env, argv, function: place }: StagedShell, call: number): string[] {
  const outputs = Object.entries(env).filter(([name]) => name.startsWith('ALMANAC_OUT_'))
  return [
    `${pc.bold(`${task} ${call}`)}  ${argv === undefined ? relativePath(place ?? '') : argv.map(quoted).join(' ')}`,
    pc.dim(`  in ${cwd}, input in $ALMANAC_PARAMS`),
    ...outputs.map(([name, path]) => pc.dim(`  $${name} ${path}`)),
  ]
}

/** A word as a shell would read it as one. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`

/** Runs it to its end, on this terminal; gives its exit code. With `--json` standard output is for objects only. */
function runIn({ cwd, env, enter }: StagedShell, command: readonly string[], json: boolean): Promise<number> {
  // which shells an image has is not known here
  const there = enter === undefined || command.length > 0 ? command : ['sh']
  const [program = process.env['SHELL'] || 'sh', ...args] = [...(enter?.words ?? []), ...there]
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...(enter === undefined && { cwd }),
      env: { ...terminal(), ...(enter?.env ?? env) },
      stdio: ['inherit', json ? 2 : 'inherit', 'inherit'],
    })
    // the terminal's Ctrl-C is for what runs in the shell; its directory must not be left behind
    const toChild = (signal: NodeJS.Signals): void => void child.kill(signal)
    const ignore = (): void => undefined
    process.on('SIGINT', ignore)
    for (const signal of passedOn) process.on(signal, toChild)
    const leave = (): void => {
      process.off('SIGINT', ignore)
      for (const signal of passedOn) process.off(signal, toChild)
    }
    child.on('error', (error) => {
      leave()
      reject(
        new AlmanacError('ALM_TASK_NOT_FOUND', {
          what: program,
          why: (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it is not on PATH' : error.message,
        }),
      )
    })
    child.on('exit', (code, signal) => {
      leave()
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
    })
  })
}

const passedOn = ['SIGTERM', 'SIGHUP'] as const

/** What a shell needs of the terminal that it runs on; a task has none of it. */
function terminal(): Record<string, string> {
  const { TERM, COLORTERM } = process.env
  if (!process.stdin.isTTY) return {}
  return { ...(TERM !== undefined && { TERM }), ...(COLORTERM !== undefined && { COLORTERM }) }
}
