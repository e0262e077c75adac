import { resolve } from 'node:path'
import { AlmanacError } from '../../model/errors.ts'
import type { Executor, ExecutorListener } from '../../ports/executor.ts'
import { fillCommand } from '../programs/command-template.ts'
import type { ProgramOptions } from '../programs/program-executor.ts'
import { ProgramExecutor } from '../programs/program-executor.ts'
import type { HostKind } from '../programs/program-plan.ts'
import { hostKind } from '../programs/program-plan.ts'

/** What runs for a command. */
export const commands: HostKind = {
  name: 'command',
  accepts: (task) => task.body.kind === 'command',
  plan: ({ task, inputs, outputs, scratch }) => {
    if (task.body.kind !== 'command') throw new AlmanacError('ALM_BUG', { why: `${task.name} is no command` })
    const { run, cwd, exitCodes } = task.body
    const [program = '', ...args] = fillCommand(run, { task: task.name, inputs, outputs })
    return { program, args, cwd: resolve(scratch, cwd ?? '.'), label: program, exitCodes }
  },
}

/** Runs commands: any program, by its arguments, in a process group of its own. */
export const openCommandExecutor = (options: ProgramOptions, listener: ExecutorListener): Executor =>
  new ProgramExecutor(hostKind(commands), options, listener)
