import { Command, Option } from 'commander'
import { AlmanacError } from '../model/errors.ts'
import type { AnswerFlags } from './commands/answer.ts'
import type { CacheListFlags, CacheRemoveFlags } from './commands/cache.ts'
import type { ContextFlags, ContextLogFlags, ContextSetFlags } from './commands/context.ts'
import type { RetryFlags } from './commands/control.ts'
import type { DataGetFlags } from './commands/data.ts'
import type { DataAddFlags } from './commands/data-add.ts'
import type { DataLogFlags } from './commands/data-log.ts'
import type { DataWatchFlags } from './commands/data-watch.ts'
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
import { exitCodes, openPrinter, printError } from './output/printer.ts'
import type { CommonFlags } from './session.ts'

/** The command line. Commands are loaded when they are used: `--version` must not wait for what it does not need. */
export function buildProgram(version: string): Command {
  const program = new Command('almanac')
  program
    .description(
      'Runs scientific data pipelines: plain code, remembered task by task, so that nothing is computed twice.',
    )
    .version(version, '-V, --version')
    .exitOverride()
    .showHelpAfterError('(almanac help shows the commands)')
    .configureHelp({ subcommandTerm: termOf })
    .addHelpText('after', '\nA project begins with: almanac init my-project')
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
      .option('--caught', 'run failures again that the workflow caught')
      .option('--file <file>', 'the workflow, where it has moved'),
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
      .description('how the newest run of a workflow stands, or all that are under way'),
  ).action(async (file: string | undefined, flags: CommonFlags) =>
    (await import('./commands/status.ts')).statusCommand(file, flags),
  )
  common(
    program
      .command('runs')
      .description('list runs, newest first')
      .option('--workflow <name>', 'of one workflow')
      .option('--file <file>', 'of the workflows of one file')
      .option('--limit <n>', 'so many, 20 if absent'),
  ).action(async (flags: RunsFlags) => (await import('./commands/runs.ts')).runsCommand(flags))
  common(
    program.command('show <run> [task]').description('a run by task, the calls of a task, or one call'),
  ).action(async (run: string, task: string | undefined, flags: CommonFlags) =>
    (await import('./commands/show.ts')).showCommand(run, task, flags),
  )
  common(
    program
      .command('logs <run> [task]')
      .description('what tasks printed, and events')
      .option('-f, --follow', 'go on while the run does'),
  ).action(async (run: string, task: string | undefined, flags: LogsFlags) =>
    (await import('./commands/logs.ts')).logsCommand(run, task, flags),
  )
  common(
    program
      .command('graph <run>')
      .description('tasks and what they take from each other')
      .option('--mermaid', 'as a Mermaid flowchart'),
  ).action(async (run: string, flags: GraphFlags) =>
    (await import('./commands/graph.ts')).graphCommand(run, flags),
  )
  common(
    program
      .command('messages <run> [name]')
      .description('messages to a run and from it, oldest first')
      .option('-f, --follow', 'go on while the run does'),
  ).action(async (run: string, name: string | undefined, flags: MessagesFlags) =>
    (await import('./commands/messages.ts')).messagesCommand(run, name, flags),
  )
  common(program.command('why <run> <task>').description('why a call was executed, reused, or waits')).action(
    async (run: string, task: string, flags: CommonFlags) =>
      (await import('./commands/why.ts')).whyCommand(run, task, flags),
  )
}

/** What runs share. */
function addLimits(program: Command): void {
  common(
    program.command('limits').description('limits that runs share: how much there is, who has it, who waits'),
  ).action(async (flags: CommonFlags) => (await import('./commands/limits.ts')).limitsCommand(flags))
}

/** What a person does in place of a task. */
function addShell(program: Command): void {
  common(
    program
      .command('shell <run> <task> [command...]')
      .description(
        'a shell with the inputs, environment and outputs of a call; or, after --, one command there',
      )
      .option('--file <file>', 'the workflow, where it has moved'),
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
  common(program.command('pause <run>').description('start nothing new; resume goes on')).action(
    async (run: string, flags: CommonFlags) =>
      (await import('./commands/control.ts')).requestCommand('pause', run, flags),
  )
  execution(
    program
      .command('retry <run> [task]')
      .description('run failures again, or the calls of a task')
      .option('--after', 'and all that was made after them')
      .option('--file <file>', 'the workflow, where it has moved'),
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
      .option('--id <id>', 'sent once, however often it is said with the same id')
      .option('--by <who>', 'who sends'),
  ).action(async (run: string, name: string, value: string[], flags: SendFlags) =>
    (await import('./commands/send.ts')).sendCommand(run, name, value, flags),
  )
  common(
    program
      .command('listen')
      .description('take callbacks of all runs of the project (run.callback), until it is interrupted')
      .option('--listen <address>', '127.0.0.1:8787 if neither this nor the project says where')
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
      .description('begin a project with a pipeline that runs')
      .option('--python', 'its workflow in Python too'),
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
      .option('--store', 'of the store that machines share')
      .option('--older-than <days>', 'with --store: results that are older are forgotten')
      .option('--gone-for <days>', 'with --store: so are runs of machines that stored nothing for so long'),
  ).action(async (flags: GcFlags) => (await import('./commands/gc.ts')).gcCommand(flags))
  common(
    program
      .command('doctor')
      .description('is everything there and sound?')
      .option('--data', 'read all kept content')
      .option('--repair', 'save what can be read of a damaged journal; the damaged one is kept aside'),
  ).action(async (flags: DoctorFlags) => (await import('./commands/doctor.ts')).doctorCommand(flags))
}

/** Commands on datasets and on what workflows gave. */
function addData(program: Command): void {
  const data = program.command('data').description('datasets, and outputs of workflows')
  const dataCommand = (words: string, description: string): Command =>
    common(data.command(words).description(description)).option('--env <name>', 'environment of the datasets')
  dataCommand('add <name> <path>', 'make what lies at a path the next version of a dataset')
    .option('--external', 'leave it where it is, and scan it again when the dataset is read (the default)')
    .option('--keep', 'the same, and keep the content of every version')
    .option('--managed', 'copy its content into the store')
    .option('--move', 'move its content into the store')
    .option('--include <glob>', 'only files that match', collect)
    .option('--exclude <glob>', 'no files that match; instead of *.part, *.tmp and the like', collect)
    .option('--settle <time>', 'leave out files that changed less than so long ago')
    .action(async (name: string, path: string, flags: DataAddFlags) =>
      (await import('./commands/data-add.ts')).dataAddCommand(name, path, flags),
    )
  dataCommand(
    'ls [name] [path]',
    'list datasets and outputs, or what is in one: NAME[@VERSION], WORKFLOW/FIELD',
  ).action(async (name: string | undefined, path: string | undefined, flags: CommonFlags) =>
    (await import('./commands/data.ts')).dataListCommand(name, path, flags),
  )
  dataCommand('log <name>', 'versions of a dataset, newest first')
    .option('--limit <n>', 'so many, 20 if absent')
    .action(async (name: string, flags: DataLogFlags) =>
      (await import('./commands/data-log.ts')).dataLogCommand(name, flags),
    )
  dataCommand('get <name> <target>', 'write a version or an output anywhere')
    .option('--path <path>', 'only this file or directory of it')
    .action(async (name: string, target: string, flags: DataGetFlags) =>
      (await import('./commands/data.ts')).dataGetCommand(name, target, flags),
    )
  dataCommand('diff <from> [to]', 'what differs between two versions: NAME@A NAME@B, or NAME@A..B').action(
    async (from: string, to: string | undefined, flags: CommonFlags) =>
      (await import('./commands/data-diff.ts')).dataDiffCommand(from, to, flags),
  )
  dataCommand('rm <name...>', 'forget versions (NAME@VERSION), or datasets with all of theirs').action(
    async (names: string[], flags: CommonFlags) =>
      (await import('./commands/data-rm.ts')).dataRemoveCommand(names, flags),
  )
  dataCommand('watch <name>', 'follow new versions of a dataset')
    .option('--exec <command>', 'run this for each; ALMANAC_PATH is where its files are')
    .option('--since <version>', 'begin after this version, instead of with the next')
    .option('--every <time>', 'how often to look, 2s if absent')
    .option('--wait', 'if there is no such dataset yet, wait for it')
    .option('--once', 'end after one version, with the result of the command')
    .action(async (name: string, flags: DataWatchFlags) =>
      (await import('./commands/data-watch.ts')).dataWatchCommand(name, flags),
    )
}

/** Documents that runs share. */
function addContext(program: Command): void {
  const context = program.command('context').description('documents that runs share (run.context)')
  const contextCommand = (words: string, description: string): Command =>
    common(context.command(words).description(description)).option(
      '--env <name>',
      'environment of the documents',
    )
  contextCommand('ls', 'list documents').action(async (flags: ContextFlags) =>
    (await import('./commands/context.ts')).contextListCommand(flags),
  )
  contextCommand('get <document>', 'what is in a document: workflow:NAME/DOCUMENT[@VERSION]').action(
    async (name: string, flags: ContextFlags) =>
      (await import('./commands/context.ts')).contextGetCommand(name, flags),
  )
  contextCommand('log <document>', 'versions of a document, newest first')
    .option('--limit <n>', 'so many, 20 if absent')
    .action(async (name: string, flags: ContextLogFlags) =>
      (await import('./commands/context.ts')).contextLogCommand(name, flags),
    )
  contextCommand('set <document> <json>', 'write a document: JSON, or @FILE')
    .option('--patch', 'merge these fields into it; null removes one')
    .option('--seen <version>', 'only if this is still its newest version')
    .option('--by <who>', 'who writes')
    .action(async (name: string, text: string, flags: ContextSetFlags) =>
      (await import('./commands/context.ts')).contextSetCommand(name, text, flags),
    )
}

/** What is kept of calls, for all runs. */
function addCache(program: Command): void {
  const cache = program.command('cache').description('kept results of calls, and what they saved')
  common(
    cache
      .command('ls [task]')
      .description('list kept results, newest first')
      .option('--limit <n>', 'so many, 20 if absent')
      .option('--before <place>', 'go on from there'),
  ).action(async (task: string | undefined, flags: CacheListFlags) =>
    (await import('./commands/cache.ts')).cacheListCommand(task, flags),
  )
  common(
    cache.command('show <fingerprint>').description('what a kept result is known by, and what it is'),
  ).action(async (prefix: string, flags: CommonFlags) =>
    (await import('./commands/cache.ts')).cacheShowCommand(prefix, flags),
  )
  common(
    cache
      .command('rm [fingerprint...]')
      .description('forget kept results; their calls are executed again')
      .option('--task <name>', 'those of a task')
      .option('--older-than <time>', 'neither made nor used for so long: 12h, 30d')
      .option('--all', 'all of them')
      .option('--dry-run', 'only say how many'),
  ).action(async (prefixes: string[], flags: CacheRemoveFlags) =>
    (await import('./commands/cache.ts')).cacheRemoveCommand(prefixes, flags),
  )
  common(cache.command('stats').description('hits, and time and bytes saved, by task')).action(
    async (flags: CommonFlags) => (await import('./commands/cache.ts')).cacheStatsCommand(flags),
  )
}

const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value]

/** A command in a list of commands. */
const termOf = (command: Command): string =>
  `${command.name()} ${command.usage().replace(/^\[options\] ?(\[command\])?/, '')}`.trim()

/** What stands for a run and a call, for those who see only names of arguments. */
function aboutArguments(command: Command): string {
  const names = command.registeredArguments.map((argument) => argument.name())
  if (!names.includes('run')) return ''
  const task = names.includes('task') ? '\nA task is named, or a call given by its number.' : ''
  return `\nA run is given by its id; the newest is last.${task}`
}

/** Flags of all commands. */
const common = (command: Command): Command =>
  command
    .addHelpText('after', () => aboutArguments(command))
    .option('--json', 'one JSON object a line, for programs')
    .option('--debug', 'show the stacks of Almanac itself')
    .option('--project <dir>', 'directory of the project')

/** Flags of commands that execute. */
const execution = (command: Command): Command =>
  common(command)
    .option('-j, --parallel <n>', 'processors to use at once')
    .option('--memory <size>', 'memory to use at once, as 8GiB: what arrays take beyond it goes to disk')
    .option('--no-cache', 'neither read nor write the run cache')
    .option('--refresh', 'write the run cache, do not read it')
    .option('--fail-fast', 'stop what runs at the first failure of the workflow')
    .option('--dry-run', 'say what would be executed and what reused')
    .option('--inline', 'run TypeScript in this process, for node --inspect')
    .option('--debug-python [how]', 'stop at breakpoints in Python: pdb, or debugpy')
    .addOption(new Option('--beside <pid>', 'for the program that started it: tell how far it is').hideHelp())

/** Parses and runs; sets the exit code. */
export async function runProgram(version: string, argv: readonly string[]): Promise<void> {
  try {
    await buildProgram(version).parseAsync(argv, { from: 'user' })
  } catch (error) {
    const code = (error as { readonly code?: unknown }).code
    if (typeof code === 'string' && code.startsWith('commander.')) {
      // it has said itself what is wrong; help and version are no errors
      const isDone = (error as { readonly exitCode: number }).exitCode === 0
      process.exitCode = isDone ? exitCodes.done : exitCodes.usage
      if (isDone || !argv.includes('--json')) return
      const message = (error as Error).message.replace(/^error: /, '')
      openPrinter({ json: true, debug: false }).object({ kind: 'error', code: 'ALM_USAGE', message })
      return
    }
    const json = argv.includes('--json')
    process.exitCode = printError(
      error instanceof Error ? error : new AlmanacError('ALM_BUG', { why: String(error) }),
      openPrinter({ json, debug: argv.includes('--debug') }),
    )
  }
}
