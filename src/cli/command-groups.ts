import type { Command } from 'commander'
import type { CacheListFlags, CacheRemoveFlags } from './commands/cache.ts'
import type { ContextFlags, ContextLogFlags, ContextSetFlags } from './commands/context.ts'
import type { DataGetFlags } from './commands/data.ts'
import type { DataAddFlags } from './commands/data-add.ts'
import type { DataLogFlags } from './commands/data-log.ts'
import type { DataWatchFlags } from './commands/data-watch.ts'
import { collect, common } from './flags.ts'
import type { CommonFlags } from './session.ts'

/** Commands of commands: `almanac data ls`. They are loaded when they are used. */

const group = (program: Command, name: string): Command =>
  program.command(name).showHelpAfterError(`See almanac ${name} --help.`)

/** Commands on datasets and on what workflows gave. */
export function addData(program: Command): void {
  const data = group(program, 'data').description('add, list and compare datasets and outputs of workflows')
  const dataCommand = (words: string, description: string): Command =>
    common(data.command(words).description(description)).option('--env <name>', 'environment of the datasets')
  dataCommand('add <name> <path>', 'add what lies at a path as the next version of a dataset')
    .option('--external', 'leave it where it is, and scan it again when the dataset is read (the default)')
    .option('--keep', 'the same, and also keep the content of every version')
    .option('--managed', 'copy its content into the store')
    .option('--move', 'move its content into the store')
    .option('--include <glob>', 'only files that match, once for each pattern', collect)
    .option('--exclude <glob>', 'no files that match, in place of *.part, *.tmp and the like', collect)
    .option('--settle <time>', 'leave out files that changed within this time, as 90s')
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
  dataCommand('get <name> <target>', 'write a version of a dataset, or an output, to a path')
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
  dataCommand('rm <name...>', 'forget versions (NAME@VERSION), or datasets with all their versions').action(
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
export function addContext(program: Command): void {
  const context = group(program, 'context').description(
    'show and write documents that runs share (run.context)',
  )
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
export function addCache(program: Command): void {
  const cache = group(program, 'cache').description('list and delete kept results of calls')
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
    cache
      .command('show <fingerprint>')
      .description('show a kept result, and what its fingerprint is made of'),
  ).action(async (prefix: string, flags: CommonFlags) =>
    (await import('./commands/cache.ts')).cacheShowCommand(prefix, flags),
  )
  common(
    cache
      .command('rm [fingerprint...]')
      .description('delete kept results; their calls are executed again')
      .option('--task <name>', 'those of a task')
      .option('--older-than <time>', 'those neither made nor used for so long: 12h, 30d')
      .option('--all', 'all of them')
      .option('--dry-run', 'only say how many'),
  ).action(async (prefixes: string[], flags: CacheRemoveFlags) =>
    (await import('./commands/cache.ts')).cacheRemoveCommand(prefixes, flags),
  )
  common(
    cache.command('stats').description('show by task how often results were reused, and what that saved'),
  ).action(async (flags: CommonFlags) => (await import('./commands/cache.ts')).cacheStatsCommand(flags))
}
