/**
 * What is suggested to somebody who knows other tools: what cannot be read as it stands, and the command that does it here.
 * For each word only what is surely meant.
 */

/** Commands of Airflow, Prefect, Snakemake, Nextflow, DVC, Docker and make. */
export const commands: Readonly<Record<string, string>> = {
  ...all('run FILE', 'start', 'exec', 'execute', 'launch', 'submit', 'trigger', 'repro', 'make'),
  ...all('run FILE --dry-run', 'check', 'dry-run', 'lint', 'plan', 'validate'),
  ...all('runs', 'dags', 'flows', 'flow-run', 'history', 'jobs', 'list', 'ls', 'ps'),
  ...all('cancel RUN', 'abort', 'kill', 'stop', 'terminate'),
  ...all('resume RUN', 'continue', 'restart', 'unpause'),
  ...all('retry RUN', 'rerun'),
  ...all('show RUN', 'describe', 'info', 'inspect', 'view'),
  ...all('logs RUN', 'log', 'tail'),
  ...all('graph RUN', 'dag', 'visualize'),
  ...all('why RUN TASK', 'explain'),
  ...all('rm RUN', 'delete', 'remove'),
  ...all('gc', 'clean', 'cleanup', 'prune'),
  ...all('init', 'create', 'new'),
  ...all('status', 'dashboard', 'server', 'ui', 'watch'),
  ...all('--version', 'version'),
  'data list': 'data ls',
  'data show': 'data ls NAME',
  'data remove': 'data rm NAME',
  'data delete': 'data rm NAME',
  'cache list': 'cache ls',
  'cache clear': 'cache rm --all',
  'cache clean': 'cache rm --all',
  'context list': 'context ls',
  'context show': 'context get DOCUMENT',
}

const input = '--input NAME=VALUE'

/** Options of `run` and its like. */
const options: Readonly<Record<string, string>> = {
  ...all(input, '-p', '-P', '-a', '--param', '--parameter', '--arg', '--inputs', '-C', '--conf', '--set'),
  ...all('--params FILE', '--params-file', '-params-file', '--configfile', '--config'),
  ...all('--dry-run', '-n', '--dry', '--dryrun', '--just-print', '-preview'),
  ...all('--parallel N', '-c', '--cores', '--jobs', '--workers', '--max-workers', '-qs'),
  ...all('--refresh', '-F', '-B', '--force', '--forceall', '--always-make'),
}

function all(command: string, ...words: readonly string[]): Record<string, string> {
  return Object.fromEntries(words.map((word) => [word, command]))
}

const isFile = (word: string): boolean => /\.(ts|mts|js|mjs|py)(:\S+)?$/.test(word)

/** What to do instead, as a sentence or two; undefined where nobody knows. `words` are those of the whole command. */
export function suggestion(error: string, words: readonly string[]): string | undefined {
  const [, kind, word = ''] = /(unknown command|unknown option|required argument) '([^']*)'/.exec(error) ?? []
  const command = words.find((one) => !one.startsWith('-')) ?? ''
  if (kind === 'unknown command') return ofCommand(word, command)
  if (kind === 'required argument' && word === 'run')
    return 'Name a run by its id, or last: almanac runs lists them.'
  if (kind === 'required argument' && word === 'file') return 'Name the file of a workflow: almanac run FILE'
  if (command !== 'run') return undefined
  return kind === 'unknown option' ? ofOption(word, words, error.includes('Did you mean')) : ofMore(error)
}

function ofCommand(word: string, group: string): string | undefined {
  if (isFile(word)) return `To run it: almanac run ${word}`
  const name = group === word ? word : `${group} ${word}`
  return Object.hasOwn(commands, name) ? `Did you mean almanac ${commands[name]}?` : undefined
}

function ofOption(word: string, words: readonly string[], isSlip: boolean): string | undefined {
  const file = words.find(isFile) ?? 'FILE'
  if (/^--?resume$/.test(word)) return 'To go on with a run: almanac resume RUN'
  if (['--file', '-f', '-s', '--snakefile', '--flow'].includes(word))
    return `The file has no flag: almanac run ${file}`
  const [flag = word, of] = word.split(/=(.*)/s)
  const after = words[words.indexOf(word) + 1]
  const value = of ?? (after === undefined || after.startsWith('-') || after === file ? undefined : after)
  const here = Object.hasOwn(options, flag) ? options[flag] : undefined
  if (here === input) return `Inputs are given as --input ${value?.includes('=') ? value : 'NAME=VALUE'}`
  if (here !== undefined) return `Did you mean ${here}?`
  if (isSlip) return undefined
  const name = flag.replace(/^-+/, '')
  return `If it is an input of the workflow: almanac run ${file} --input ${name}=${value ?? 'VALUE'}`
}

/** More words than a file. */
function ofMore(error: string): string | undefined {
  const [, given] = /^error: too many arguments for 'run'\..*: (.*)\.$/m.exec(error) ?? []
  const [file, ...more] = given?.split(', ') ?? []
  const inputs = more.filter((word) => /^[^-=][^=]*=/.test(word))
  if (file === undefined) return undefined
  if (inputs.length === 0)
    return 'Inputs are given as --input NAME=VALUE, one workflow of several as FILE:WORKFLOW.'
  return `Inputs are given by name: almanac run ${file}${inputs.map((input) => ` --input ${input}`).join('')}`
}

/** An error of commander with what is suggested instead, in place of what only looks alike. */
export function withSuggestion(error: string, words: readonly string[]): string {
  const instead = suggestion(error, words)
  return instead === undefined
    ? error
    : `${error.replace(/\n\(Did you mean .*\?\)/, '').trimEnd()}\n${instead}\n`
}
