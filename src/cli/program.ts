import { Command } from 'commander'
import { AlmanacError } from '../model/errors.ts'
import { addCache, addContext, addData } from './command-groups.ts'
import { pathOf, termOf } from './command-help.ts'
import type { AnswerFlags } from './commands/answer.ts'
import type { RetryFlags } from './commands/control.ts'
import type { DoctorFlags } from './commands/doctor.ts'
import type { GcFlags } from './commands/gc.ts'
import type { GraphFlags } from './commands/graph.ts'
import type { InitFlags } from './commands/init.ts'
import type { ListenFlags } from './commands/listen.ts'
import type { LogsFlags } from './commands/logs.ts'
import type { MessagesFlags } from './commands/messages.ts'
import type { ResumeFlags } from './commands/resume.ts'
import type { RunFlags } from './commands/run.ts'
import type { RunsFlags } from './commands/runs.ts'
import type { SendFlags } from './commands/send.ts'
import type { ShellFlags } from './commands/shell.ts'
import { collect, common, execution } from './flags.ts'
import { suggestion, withSuggestion } from './suggestions.ts'
import { asTyped } from './output/command-text.ts'
import { helpIsOf } from './output/help-hint.ts'
import { exitCodes, openPrinter, printError } from './output/printer.ts'
import type { CommonFlags } from './session.ts'

/**
 * The command line. Commands are loaded when they are used: `--version` must not wait for what it does not need.
 * `words` are what was typed, and `tell` says what cannot be read of it.
 */
export function buildProgram(
  version: string,
  words: readonly string[] = [],
  tell: (text: string) => unknown = (text) => process.stderr.write(text),
): Command {
  const program = new Command('almanac')
  program
    .configureOutput({
      writeErr: (text) => void tell(asTyped(text)),
      outputError: (text, write) => write(withSuggestion(text, words)),
    })
    .description(
      'Runs pipelines of scientific data: plain code, whose results are kept task by task and not computed twice.',
    )
    .version(version, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .exitOverride()
    .showHelpAfterError('See almanac help.')
    .hook('preAction', (_, command) => helpIsOf(pathOf(command)))
    .configureHelp({ subcommandTerm: termOf })
    .addHelpText('after', () =>
      asTyped('\nTo start a project: almanac init my-project\nFlags of a command: almanac run --help'),
    )
  program.commandsGroup('Run workflows:')
  addRun(program)
  addControls(program)
  program.commandsGroup('Look at runs:')
  addReaders(program)
  program.commandsGroup('Take part in runs:')
  addParts(program)
  program.commandsGroup('Work with data:')
  addData(program)
  addContext(program)
  addCache(program)
  program.commandsGroup('Look after what is kept:')
  addCare(program)
  program.helpCommand('help [command]', 'show help of a command')
  return program
}

/** Commands that a project begins with. */
function addRun(program: Command): void {
  common(
    program
      .command('init [dir]')
      .description('start a project, with a pipeline that runs')
      .option('--python', 'write its workflow in Python'),
  ).action(async (target: string | undefined, flags: InitFlags) =>
    (await import('./commands/init.ts')).initCommand(target, flags),
  )
  execution(
    program
      .command('run [file]')
      .usage('[options] <file>[:workflow]')
      .description('run a workflow; what was computed before is reused')
      .helpOption(false)
      .option('-h, --help', 'show help; with a file, what its workflow does and takes')
      .option('-i, --input <name=value>', 'an input, once for each; a file or directory by its path', collect)
      .option('--params <file>', 'inputs from a JSON file')
      .option('--name <name>', 'a name for the run')
      .option('--tag <tag>', 'a tag for the run, once for each', collect)
      .option('--env <name>', 'environment of the outputs: data/NAME'),
  ).action(async (file: string | undefined, flags: RunFlags, command: Command) => {
    if (file === undefined) {
      if (flags.help === true) return command.outputHelp()
      command.error("error: missing required argument 'file'", { code: 'commander.missingArgument' })
    }
    await (await import('./commands/run.ts')).runCommand(file, flags, () => command.outputHelp())
  })
  execution(
    program
      .command('resume <run>')
      .description(
        'go on with a run after a crash, a failure, an edit or an answer; results that still hold are kept',
      )
      .option('--caught', 'also run failed calls again whose failure the workflow caught')
      .option('--file <file>', 'the workflow file, if it has moved'),
  ).action(async (run: string, flags: ResumeFlags) =>
    (await import('./commands/resume.ts')).resumeCommand(run, flags),
  )
}

/** Commands that read what was kept. */
function addReaders(program: Command): void {
  common(
    program.command('status [file]').description('show the newest run of a workflow, or all runs under way'),
  ).action(async (file: string | undefined, flags: CommonFlags) =>
    (await import('./commands/status.ts')).statusCommand(file, flags),
  )
  common(
    program
      .command('runs')
      .description('list runs, newest first')
      .option('--workflow <name>', 'only runs of this workflow')
      .option('--file <file>', 'only runs of workflows in this file')
      .option('--limit <n>', 'how many, 20 by default'),
  ).action(async (flags: RunsFlags) => (await import('./commands/runs.ts')).runsCommand(flags))
  common(
    program
      .command('show <run> [task]')
      .description('show the tasks of a run, the calls of a task, or one call'),
  ).action(async (run: string, task: string | undefined, flags: CommonFlags) =>
    (await import('./commands/show.ts')).showCommand(run, task, flags),
  )
  common(
    program
      .command('logs <run> [task]')
      .description('show what tasks printed, and events of the run')
      .option('-f, --follow', 'go on until the run ends'),
  ).action(async (run: string, task: string | undefined, flags: LogsFlags) =>
    (await import('./commands/logs.ts')).logsCommand(run, task, flags),
  )
  common(
    program
      .command('graph <run>')
      .description('show which tasks take results from which')
      .option('--mermaid', 'as a Mermaid flowchart'),
  ).action(async (run: string, flags: GraphFlags) =>
    (await import('./commands/graph.ts')).graphCommand(run, flags),
  )
  common(
    program.command('why <run> <task>').description('explain why a call was executed, was reused, or waits'),
  ).action(async (run: string, task: string, flags: CommonFlags) =>
    (await import('./commands/why.ts')).whyCommand(run, task, flags),
  )
  common(
    program.command('limits').description('show limits that runs share: who has how much of them, who waits'),
  ).action(async (flags: CommonFlags) => (await import('./commands/limits.ts')).limitsCommand(flags))
}

/** Commands that change something. */
function addControls(program: Command): void {
  execution(
    program
      .command('retry <run> [task]')
      .description('run failed calls again, or all calls of a task')
      .option('--after', 'and all calls that were made after these')
      .option('--file <file>', 'the workflow file, if it has moved'),
  ).action(async (run: string, task: string | undefined, flags: RetryFlags) =>
    (await import('./commands/control.ts')).retryCommand(run, task, flags),
  )
  common(program.command('cancel <run>').description('stop a run; its workflow can still clean up')).action(
    async (run: string, flags: CommonFlags) =>
      (await import('./commands/control.ts')).requestCommand('cancel', run, flags),
  )
  common(program.command('pause <run>').description('start nothing new in a run until it is resumed')).action(
    async (run: string, flags: CommonFlags) =>
      (await import('./commands/control.ts')).requestCommand('pause', run, flags),
  )
}

/** What people and other systems do in a run. */
function addParts(program: Command): void {
  common(
    program
      .command('answer <run> [words...]')
      .summary('answer a question of a run, or show what is asked')
      .description(
        'answer a question: [CALL] and JSON, name=value pairs, or - for standard input; without an answer, show what is asked',
      )
      .option('--by <who>', 'who answers'),
  ).action(async (run: string, words: string[], flags: AnswerFlags) =>
    (await import('./commands/answer.ts')).answerCommand(run, words, flags),
  )
  common(
    program
      .command('send <run> <name> [value...]')
      .summary('send a message to a run')
      .description('send a message to a run: JSON, name=value pairs, a text, or - for standard input')
      .option('--id <id>', 'send it once, however often this id is given')
      .option('--by <who>', 'who sends'),
  ).action(async (run: string, name: string, value: string[], flags: SendFlags) =>
    (await import('./commands/send.ts')).sendCommand(run, name, value, flags),
  )
  common(
    program
      .command('listen')
      .description('receive callbacks (run.callback) of all runs of the project, until it is interrupted')
      .option(
        '--listen <address>',
        'address to listen at; else that of almanac.config.ts, else 127.0.0.1:8787',
      )
      .option('--resume', 'also resume runs that were called back, once no process has them'),
  ).action(async (flags: ListenFlags) => (await import('./commands/listen.ts')).listenCommand(flags))
  common(
    program
      .command('messages <run> [name]')
      .description('list messages to and from a run, oldest first')
      .option('-f, --follow', 'go on until the run ends'),
  ).action(async (run: string, name: string | undefined, flags: MessagesFlags) =>
    (await import('./commands/messages.ts')).messagesCommand(run, name, flags),
  )
  common(
    program
      .command('shell <run> <task> [command...]')
      .summary('open a shell, or run a command, where a call would run')
      .description(
        'open a shell with the inputs, environment and outputs of a call; or, after --, run one command there',
      )
      .option('--file <file>', 'the workflow file, if it has moved'),
  ).action(async (run: string, task: string, command: string[], flags: ShellFlags) =>
    (await import('./commands/shell.ts')).shellCommand(run, task, command, flags),
  )
}

/** Commands that look after what is kept. */
function addCare(program: Command): void {
  common(program.command('rm <run...>').description('delete runs that have ended, with their logs')).action(
    async (runs: string[], flags: CommonFlags) => (await import('./commands/rm.ts')).rmCommand(runs, flags),
  )
  common(
    program
      .command('gc')
      .description('free disk space: delete content that nothing needs')
      .option('--dry-run', 'only say what would be freed')
      .option('--store', 'clean the store that machines share')
      .option('--older-than <days>', 'with --store: forget results that are older')
      .option('--gone-for <days>', 'with --store: forget runs of machines that stored nothing for so long'),
  ).action(async (flags: GcFlags) => (await import('./commands/gc.ts')).gcCommand(flags))
  common(
    program
      .command('doctor')
      .description('check that journal and store are whole')
      .option('--data', 'read all kept content, too')
      .option('--repair', 'save what can be read of a damaged journal; the damaged one is kept aside'),
  ).action(async (flags: DoctorFlags) => (await import('./commands/doctor.ts')).doctorCommand(flags))
}

/** `almanac --help run` asks for the help of `run`. */
function helpLast(argv: readonly string[]): readonly string[] {
  const [first = '', next = '-'] = argv
  return ['--help', '-h'].includes(first) && !next.startsWith('-') ? [...argv.slice(1), first] : argv
}

/** Parses and runs; sets the exit code. */
export async function runProgram(version: string, argv: readonly string[]): Promise<void> {
  let said = ''
  const tell = (text: string): void => {
    said = text
    process.stderr.write(text)
  }
  try {
    await buildProgram(version, argv, tell).parseAsync(helpLast(argv), { from: 'user' })
  } catch (error) {
    const code = (error as { readonly code?: unknown }).code
    if (typeof code === 'string' && code.startsWith('commander.')) {
      // it has said itself what is wrong; help and version are no errors
      const isDone = (error as { readonly exitCode: number }).exitCode === 0
      process.exitCode = isDone ? exitCodes.done : exitCodes.usage
      if (isDone || !argv.includes('--json')) return
      const text = (error as Error).message
      const message = text.replace(/^error: /, '')
      // last it has said where the help is
      const hint = suggestion(text, argv) ?? said.trim()
      openPrinter({ json: true, debug: false }).object({ kind: 'error', code: 'ALM_USAGE', message, hint })
      return
    }
    const json = argv.includes('--json')
    process.exitCode = printError(
      error instanceof Error ? error : new AlmanacError('ALM_BUG', { why: String(error) }),
      openPrinter({ json, debug: argv.includes('--debug') }),
    )
  }
}
