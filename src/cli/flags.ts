import { type Command, Option } from 'commander'
import { aboutArguments, pathOf } from './command-help.ts'

/** Flags that several commands have. */

/** Flags of all commands. */
export const common = (command: Command): Command =>
  command
    .addHelpText('after', () => aboutArguments(command))
    .showHelpAfterError(`See almanac ${pathOf(command)} --help.`)
    .option('--json', 'one JSON object a line, for programs')
    .option('--debug', 'show stack traces of Almanac itself')
    .option('--project <dir>', 'directory of the project')

/** Flags of commands that execute. */
export const execution = (command: Command): Command =>
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

/** For a flag that may be given several times. */
export const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value]
