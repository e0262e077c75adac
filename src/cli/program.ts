import { Command, Option } from 'commander'
import { AlmanacError } from '../model/errors.ts'
import { aboutArguments, pathOf, termOf } from './command-help.ts'
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
import { helpIsOf } from './output/help-hint.ts'
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

/** Commands on datasets and on what workflows gave. */
function addData(program: Command): void {
  const data = program.command('data').description('work with datasets, and outputs of workflows')
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
  dataCommand('log <name>', 'list versions of a dataset, newest first')
    .option('--limit <n>', 'how many, 20 by default')
    .action(async (name: string, flags: DataLogFlags) =>
      (await import('./commands/data-log.ts')).dataLogCommand(name, flags),
    )
  dataCommand('get <name> <target>', 'write a version or an output anywhere')
    .option('--path <path>', 'only this file or directory of it')
    .action(async (name: string, target: string, flags: DataGetFlags) =>
      (await import('./commands/data.ts')).dataGetCommand(name, target, flags),
    )
  dataCommand(
    'diff <from> [to]',
    'show what differs between two versions: NAME@A NAME@B, or NAME@A..B',
  ).action(async (from: string, to: string | undefined, flags: CommonFlags) =>
    (await import('./commands/data-diff.ts')).dataDiffCommand(from, to, flags),
  )
  dataCommand('rm <name...>', 'forget versions (NAME@VERSION), or datasets with all of theirs').action(
    async (names: string[], flags: CommonFlags) =>
      (await import('./commands/data-rm.ts')).dataRemoveCommand(names, flags),
  )
  dataCommand('watch <name>', 'follow new versions of a dataset')
    .option('--exec <command>', 'run this for each; ALMANAC_PATH is where its files are')
    .option('--since <version>', 'start after this version, instead of with the next')
    .option('--every <time>', 'how often to look, 2s by default')
    .option('--wait', 'if there is no such dataset yet, wait for it')
    .option('--once', 'end after one version, with the result of the command')
    .action(async (name: string, flags: DataWatchFlags) =>
      (await import('./commands/data-watch.ts')).dataWatchCommand(name, flags),
    )
}

/** Documents that runs share. */
function addContext(program: Command): void {
  const context = program.command('context').description('work with documents that runs share (run.context)')
  const contextCommand = (words: string, description: string): Command =>
    common(context.command(words).description(description)).option(
      '--env <name>',
      'environment of the documents',
    )
  contextCommand('ls', 'list documents').action(async (flags: ContextFlags) =>
    (await import('./commands/context.ts')).contextListCommand(flags),
  )
  contextCommand('get <document>', 'show a document: workflow:NAME/DOCUMENT[@VERSION]').action(
    async (name: string, flags: ContextFlags) =>
      (await import('./commands/context.ts')).contextGetCommand(name, flags),
  )
  contextCommand('log <document>', 'list versions of a document, newest first')
    .option('--limit <n>', 'how many, 20 by default')
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
  const cache = program
    .command('cache')
    .description('work with kept results of calls, and see what they saved')
  common(
    cache
      .command('ls [task]')
      .description('list kept results, newest first')
      .option('--limit <n>', 'how many, 20 by default')
      .option('--before <place>', 'continue the list from there'),
  ).action(async (task: string | undefined, flags: CacheListFlags) =>
    (await import('./commands/cache.ts')).cacheListCommand(task, flags),
  )
  common(
    cache.command('show <fingerprint>').description('show a kept result, and what it is known by'),
  ).action(async (prefix: string, flags: CommonFlags) =>
    (await import('./commands/cache.ts')).cacheShowCommand(prefix, flags),
  )
  common(
    cache
      .command('rm [fingerprint...]')
      .description('forget kept results; their calls are executed again')
      .option('--task <name>', 'those of a task')
      .option('--older-than <time>', 'those neither made nor used for so long: 12h, 30d')
      .option('--all', 'all of them')
      .option('--dry-run', 'only say how many'),
  ).action(async (prefixes: string[], flags: CacheRemoveFlags) =>
    (await import('./commands/cache.ts')).cacheRemoveCommand(prefixes, flags),
  )
  common(cache.command('stats').description('show hits, and time and bytes saved, by task')).action(
    async (flags: CommonFlags) => (await import('./commands/cache.ts')).cacheStatsCommand(flags),
  )
}

const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value]

/** Flags of all commands. */
const common = (command: Command): Command =>
  command
    .addHelpText('after', () => aboutArguments(command))
    .showHelpAfterError(`See almanac ${pathOf(command)} --help.`)
    .option('--json', 'one JSON object a line, for programs')
    .option('--debug', 'show stack traces of Almanac itself')
    .option('--project <dir>', 'directory of the project')

/** Flags of commands that execute. */
const execution = (command: Command): Command =>
  common(command)
    .option('-j, --parallel <n>', 'processors to use at once')
    .option('--memory <size>', 'memory to use at once, as 8GiB: what arrays take beyond it goes to disk')
    .option('--no-cache', 'neither read nor write the run cache')
    .option('--refresh', 'write the run cache, do not read it')
    .option('--fail-fast', 'stop what runs at the first failure of the workflow')
    .option('--dry-run', 'say what would be executed and what reused, and do nothing')
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
