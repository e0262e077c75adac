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
import { meant, withMeant } from './meant.ts'
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
      outputError: (text, write) => write(withMeant(text, words)),
    })
    .description(
      'Runs scientific data pipelines: plain code, remembered task by task, so that nothing is computed twice.',
    )
    .version(version, '-V, --version')
    .exitOverride()
    .showHelpAfterError('See almanac help.')
    .hook('preAction', (_, command) => helpIsOf(pathOf(command)))
    .configureHelp({ subcommandTerm: termOf })
    .addHelpText('after', '\nTo start a project: almanac init my-project')
  execution(
    program
      .command('run [file]')
      .usage('[options] <file>[:workflow]')
      .description('run a workflow')
      .helpOption(false)
      .option('-h, --help', 'display help; with a file, what its workflow does and takes')
      .option('-i, --input <name=value>', 'one input; files and directories by path', collect)
      .option('--params <file>', 'inputs from a JSON file')
      .option('--name <name>', 'a name for the run')
      .option('--tag <tag>', 'a tag for the run', collect)
      .option('--env <name>', 'environment of outputs'),
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
      .description('go on with a run after a crash, a failure or an edit: what still holds is kept')
      .option('--caught', 'also run failed calls again that the workflow caught')
      .option('--file <file>', 'the workflow file, if it has moved'),
  ).action(async (run: string, flags: ResumeFlags) =>
    (await import('./commands/resume.ts')).resumeCommand(run, flags),
  )
  addReaders(program)
  addLimits(program)
  addShell(program)
  addControls(program)
  addCare(program)
  return program
}

/** Commands that read what was kept. */
function addReaders(program: Command): void {
  common(
    program
      .command('status [file]')
      .description('show how the newest run of a workflow stands, or all runs under way'),
  ).action(async (file: string | undefined, flags: CommonFlags) =>
    (await import('./commands/status.ts')).statusCommand(file, flags),
  )
  common(
    program
      .command('runs')
      .description('list runs, newest first')
      .option('--workflow <name>', 'of one workflow')
      .option('--file <file>', 'of the workflows of one file')
      .option('--limit <n>', 'how many, 20 by default'),
  ).action(async (flags: RunsFlags) => (await import('./commands/runs.ts')).runsCommand(flags))
  common(
    program.command('show <run> [task]').description('show a run by task, the calls of a task, or one call'),
  ).action(async (run: string, task: string | undefined, flags: CommonFlags) =>
    (await import('./commands/show.ts')).showCommand(run, task, flags),
  )
  common(
    program
      .command('logs <run> [task]')
      .description('show what tasks printed, and events')
      .option('-f, --follow', 'go on until the run ends'),
  ).action(async (run: string, task: string | undefined, flags: LogsFlags) =>
    (await import('./commands/logs.ts')).logsCommand(run, task, flags),
  )
  common(
    program
      .command('graph <run>')
      .description('show tasks and what they take from each other')
      .option('--mermaid', 'as a Mermaid flowchart'),
  ).action(async (run: string, flags: GraphFlags) =>
    (await import('./commands/graph.ts')).graphCommand(run, flags),
  )
  common(
    program
      .command('messages <run> [name]')
      .description('list messages to a run and from it, oldest first')
      .option('-f, --follow', 'go on until the run ends'),
  ).action(async (run: string, name: string | undefined, flags: MessagesFlags) =>
    (await import('./commands/messages.ts')).messagesCommand(run, name, flags),
  )
  common(
    program.command('why <run> <task>').description('explain why a call was executed, was reused, or waits'),
  ).action(async (run: string, task: string, flags: CommonFlags) =>
    (await import('./commands/why.ts')).whyCommand(run, task, flags),
  )
}

/** What runs share. */
function addLimits(program: Command): void {
  common(
    program
      .command('limits')
      .description('show limits that runs share: how much there is, who has it, who waits'),
  ).action(async (flags: CommonFlags) => (await import('./commands/limits.ts')).limitsCommand(flags))
}

/** What a person does in place of a task. */
function addShell(program: Command): void {
  common(
    program
      .command('shell <run> <task> [command...]')
      .description(
        'open a shell with the inputs, environment and outputs of a call; or, after --, run one command there',
      )
      .option('--file <file>', 'the workflow file, if it has moved'),
  ).action(async (run: string, task: string, command: string[], flags: ShellFlags) =>
    (await import('./commands/shell.ts')).shellCommand(run, task, command, flags),
  )
}

/** Commands that change something. */
function addControls(program: Command): void {
  common(
    program.command('cancel <run>').description('cancel a run; clean-up of the workflow still runs'),
  ).action(async (run: string, flags: CommonFlags) =>
    (await import('./commands/control.ts')).requestCommand('cancel', run, flags),
  )
  common(
    program.command('pause <run>').description('pause a run: nothing new starts until it is resumed'),
  ).action(async (run: string, flags: CommonFlags) =>
    (await import('./commands/control.ts')).requestCommand('pause', run, flags),
  )
  execution(
    program
      .command('retry <run> [task]')
      .description('run failed calls again, or the calls of a task')
      .option('--after', 'and all calls that were made after them')
      .option('--file <file>', 'the workflow file, if it has moved'),
  ).action(async (run: string, task: string | undefined, flags: RetryFlags) =>
    (await import('./commands/control.ts')).retryCommand(run, task, flags),
  )
  common(
    program
      .command('answer <run> [words...]')
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
      .description('send a message to a run: JSON, name=value pairs, a text, or - for standard input')
      .option('--id <id>', 'send it once, however often this id is given')
      .option('--by <who>', 'who sends'),
  ).action(async (run: string, name: string, value: string[], flags: SendFlags) =>
    (await import('./commands/send.ts')).sendCommand(run, name, value, flags),
  )
  common(
    program
      .command('listen')
      .description('take callbacks of all runs of the project (run.callback), until it is interrupted')
      .option('--listen <address>', 'where to listen; the project says it too, else 127.0.0.1:8787')
      .option('--resume', 'resume runs that were called back, once no process has them'),
  ).action(async (flags: ListenFlags) => (await import('./commands/listen.ts')).listenCommand(flags))
  common(program.command('rm <run...>').description('forget runs that have ended, with their logs')).action(
    async (runs: string[], flags: CommonFlags) => (await import('./commands/rm.ts')).rmCommand(runs, flags),
  )
}

/** Commands that look after what is kept. */
function addCare(program: Command): void {
  common(
    program
      .command('init [dir]')
      .description('start a project with a pipeline that runs')
      .option('--python', 'write its workflow in Python'),
  ).action(async (target: string | undefined, flags: InitFlags) =>
    (await import('./commands/init.ts')).initCommand(target, flags),
  )
  addData(program)
  addContext(program)
  addCache(program)
  common(
    program
      .command('gc')
      .description('free content that nothing needs')
      .option('--dry-run', 'only say what would be freed')
      .option('--store', 'clean the store that machines share')
      .option('--older-than <days>', 'with --store: forget results that are older')
      .option('--gone-for <days>', 'with --store: forget runs of machines that stored nothing for so long'),
  ).action(async (flags: GcFlags) => (await import('./commands/gc.ts')).gcCommand(flags))
  common(
    program
      .command('doctor')
      .description('check that everything is there and sound')
      .option('--data', 'read all kept content')
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
  try {
    await buildProgram(version, argv).parseAsync(helpLast(argv), { from: 'user' })
  } catch (error) {
    const code = (error as { readonly code?: unknown }).code
    if (typeof code === 'string' && code.startsWith('commander.')) {
      // it has said itself what is wrong; help and version are no errors
      const isDone = (error as { readonly exitCode: number }).exitCode === 0
      process.exitCode = isDone ? exitCodes.done : exitCodes.usage
      if (isDone || !argv.includes('--json')) return
      const text = (error as Error).message
      const message = text.replace(/^error: /, '')
      const hint = meant(text, argv)
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
