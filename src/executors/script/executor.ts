import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AlmanacError } from '../../model/errors.ts'
import type { ScriptLanguage } from '../../model/task.ts'
import type { Executor, ExecutorListener } from '../../ports/executor.ts'
import type { ProgramOptions } from '../programs/program-executor.ts'
import { ProgramExecutor } from '../programs/program-executor.ts'
import type { HostKind } from '../programs/program-plan.ts'
import { hostKind } from '../programs/program-plan.ts'
import { taskFile } from '../programs/task-files.ts'

interface Language {
  /** name on PATH, or the path of one that is certainly there */
  readonly interpreter: string
  readonly args: readonly string[]
  readonly file: string
}

const languages: Readonly<Record<ScriptLanguage, Language>> = {
  bash: { interpreter: 'bash', args: [], file: 'script.sh' },
  sh: { interpreter: 'sh', args: [], file: 'script.sh' },
  // its output would reach the log when it ends only
  python: { interpreter: 'python3', args: ['-u'], file: 'script.py' },
  node: {
    interpreter: process.execPath,
    args: ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON'],
    file: 'node/script.js',
  },
  Rscript: { interpreter: 'Rscript', args: ['--vanilla'], file: 'script.R' },
}

/** What runs for a script. */
export const scripts: HostKind = {
  name: 'script',
  accepts: (task) => task.body.kind === 'script',
  plan: (attempt) => {
    const { task, scratch } = attempt
    if (task.body.kind !== 'script') throw new AlmanacError('ALM_BUG', { why: `${task.name} is no script` })
    const { lang, source, exitCodes } = task.body
    const { interpreter, args, file } = languages[lang]
    const path = taskFile(attempt, file)
    if (lang === 'node') isolateModules(dirname(path))
    writeFileSync(path, source)
    return {
      program: interpreter,
      args: [...args, path],
      cwd: scratch,
      label: basename(interpreter),
      exitCodes,
    }
  },
}

/** The nearest package file decides a script's module system, else the project around it would: now its syntax does. */
function isolateModules(folder: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{}')
}

/** Runs scripts: a source text by the interpreter of its language, as a command is run. */
export const openScriptExecutor = (options: ProgramOptions, listener: ExecutorListener): Executor =>
  new ProgramExecutor(hostKind(scripts), options, listener)
