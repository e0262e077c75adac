import { Command } from 'commander'
import { AlmanacError } from '../model/errors.ts'
import type { RunFlags } from './commands/run.ts'
import type { ResumeFlags } from './commands/resume.ts'
import { exitCodes, openPrinter, printError } from './printer.ts'

/** The command line. Commands are loaded when they are used: `--version` must not wait for what it does not need. */
export function buildProgram(version: string): Command {
  const program = new Command('almanac')
  program
    .description('Runs scientific data pipelines: plain code, remembered task by task, so that nothing is computed twice.')
    .version(version, '-V, --version')
    .exitOverride()
    .showHelpAfterError('(almanac help shows the commands)')
  execution(
    program
      .command('run <file>')
      .description('run a workflow')
      .option('-i, --input <name=value>', 'one input; files and directories by path', collect, [])
      .option('--params <file>', 'inputs from a JSON file')
      .option('--name <name>', 'a name for the run')
      .option('--tag <tag>', 'a tag for the run', collect, []),
  ).action(async (file: string, flags: RunFlags) => (await import('./commands/run.ts')).runCommand(file, flags))
  execution(
    program
      .command('resume <run>')
      .description('go on with a run after a crash, a failure or an edit: what still holds is kept')
      .option('--caught', 'run failures again that the workflow caught')
      .option('--file <file>', 'the workflow, where it has moved'),
  ).action(async (run: string, flags: ResumeFlags) => (await import('./commands/resume.ts')).resumeCommand(run, flags))
  return program
}

const collect = (value: string, earlier: string[]): string[] => [...earlier, value]

/** Flags of all commands. */
export const common = (command: Command): Command =>
  command
    .option('--json', 'one JSON object a line, for programs')
    .option('--debug', 'show the stacks of Almanac itself')
    .option('--project <dir>', 'directory of the project')

/** Flags of commands that execute. */
const execution = (command: Command): Command =>
  common(command)
    .option('-j, --parallel <n>', 'processors to use at once')
    .option('--no-cache', 'neither read nor write the run cache')
    .option('--refresh', 'write the run cache, do not read it')
    .option('--fail-fast', 'stop what runs at the first failure of the workflow')
    .option('--dry-run', 'say what would be executed and what reused')
    .option('--inline', 'run TypeScript in this process, for node --inspect')
    .option('--debug-python [how]', 'stop at breakpoints in Python: pdb, or debugpy')
    .option('--env <name>', 'environment of outputs')

/** Parses and runs; sets the exit code. */
export async function runProgram(version: string, argv: readonly string[]): Promise<void> {
  try {
    await buildProgram(version).parseAsync(argv, { from: 'user' })
  } catch (error) {
    const code = (error as { readonly code?: unknown }).code
    if (typeof code === 'string' && code.startsWith('commander.')) {
      // it has said itself what is wrong; help and version are no errors
      process.exitCode = (error as { readonly exitCode: number }).exitCode === 0 ? exitCodes.done : exitCodes.usage
      return
    }
    const json = argv.includes('--json')
    process.exitCode = printError(error instanceof Error ? error : new AlmanacError('ALM_BUG', { why: String(error) }), openPrinter({ json, debug: argv.includes('--debug') }))
  }
}
