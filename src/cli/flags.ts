import { type Command, Option } from 'commander'
import { aboutArguments, pathOf } from './command-help.ts'

/** Flags that several commands have. */

/** Flags of all commands. */
export const common = (command: Command): Command =>
  command
    .addHelpText('after', () => aboutArguments(command))
    .showHelpAfterError(`See almanac ${pathOf(command)} --help.`)
    .option('--json', 'print JSON, one object a line')
    .option('--debug', 'show stack traces of Almanac itself')
    .option('--project <dir>', 'directory of the project, if it is not the one here or above')

/** Flags of commands that execute. */
export const execution = (command: Command): Command =>
  common(command)
    .option('-j, --parallel <n>', 'processors to use at once, all by default')
    .option('--memory <size>', 'memory to use at once, as 8GiB; arrays beyond it go to disk')
    .option('--no-cache', 'neither use results of other runs, nor keep these for them')
    .option('--refresh', 'use no results of other runs, but keep these for them')
    .option('--fail-fast', 'stop what runs as soon as the workflow fails')
    .option('--dry-run', 'only say what would be executed, and what reused')
    .option('--inline', 'run TypeScript in this process, for node --inspect')
    .option('--debug-python [how]', 'stop at breakpoints in Python: pdb, or debugpy')
    .addOption(new Option('--beside <pid>', 'for the program that started it: tell how far it is').hideHelp())

/** For a flag that may be given several times. */
export const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value]
