import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, Option } from 'commander'
import ts from 'typescript'
import { buildProgram } from '../src/cli/program.ts'
import { root } from './source-files.ts'

/**
 * `docs/options.md` from the code: the interfaces of options with their comments, whose names definitions are checked
 * by, and the flags of commands. With `--check` nothing is written.
 */

const path = join(root, 'docs/options.md')

interface Section {
  readonly title: string
  readonly says: string
  readonly file: string
  readonly interface: string
}

const options: readonly Section[] = [
  {
    title: 'Every task',
    says: 'Of `task`, `python.task`, `command.task`, `script.task` and `container.task`; `task.options({ … })` is the same task with others.',
    file: 'options.ts',
    interface: 'TaskOptions',
  },
  { title: 'Retries', says: '`retries: { … }` of a task.', file: 'options.ts', interface: 'Retries' },
  {
    title: 'Inputs and outputs',
    says: 'Of `python.task`, `command.task`, `script.task` and `container.task`; of `task` only `output`.',
    file: 'named-task.ts',
    interface: 'NamedTaskOptions',
  },
  { title: 'Python tasks', says: '`python.task({ … })`', file: 'python.ts', interface: 'PythonTaskOptions' },
  { title: 'Commands', says: '`command.task({ … })`', file: 'command.ts', interface: 'CommandTaskOptions' },
  {
    title: 'Containers',
    says: '`container.task({ … })`',
    file: 'container.ts',
    interface: 'ContainerTaskOptions',
  },
  {
    title: 'Volumes of containers',
    says: '`volumes: { path: { … } }`; `path: source` is short for `{ source }`.',
    file: 'container.ts',
    interface: 'ContainerVolumeOptions',
  },
  { title: 'Scripts', says: '`script.task({ … })`', file: 'command.ts', interface: 'ScriptTaskOptions' },
  {
    title: 'Commands, scripts and containers',
    says: 'What they have beside.',
    file: 'command.ts',
    interface: 'ExitOptions',
  },
  { title: 'Maps', says: '`task.map(directory, { … })`', file: 'callable.ts', interface: 'MapOptions' },
  {
    title: 'Workflows',
    says: '`workflow(name, { … }, fn)`',
    file: 'workflow.ts',
    interface: 'WorkflowOptions',
  },
]

const config: readonly Section[] = [
  {
    title: 'almanac.config.ts',
    says: 'What `defineConfig({ … })` takes.',
    file: 'config.ts',
    interface: 'AlmanacConfig',
  },
  {
    title: 'limits',
    says: '`limits: { name: { … } }` here and of workflows; `name: 4` is short for `{ capacity: 4 }`.',
    file: 'limits.ts',
    interface: 'LimitOptions',
  },
  { title: 'container', says: '`container: { … }`', file: 'config.ts', interface: 'ContainerConfig' },
  { title: 'retention', says: '`retention: { … }`', file: 'config.ts', interface: 'RetentionConfig' },
  { title: 'store', says: '`store: { … }`', file: 'config.ts', interface: 'StoreConfig' },
]

/** The members of an interface of `src/flow`, as rows: name, type, comment. */
function members({ file, interface: name }: Section): string[][] {
  const at = join(root, 'src/flow', file)
  const source = ts.createSourceFile(at, readFileSync(at, 'utf8'), ts.ScriptTarget.Latest, true)
  const found = source.statements.find(
    (one): one is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(one) && one.name.text === name,
  )
  if (found === undefined) throw new Error(`src/flow/${file} has no interface ${name}`)
  return found.members.filter(ts.isPropertySignature).flatMap((member) => rowsOf(member, ''))
}

function rowsOf(member: ts.PropertySignature, within: string): string[][] {
  const name = `${within}${member.name.getText()}`
  const type = member.type
  if (type !== undefined && ts.isTypeLiteralNode(type) && commentOf(member) === '')
    return type.members.filter(ts.isPropertySignature).flatMap((inner) => rowsOf(inner, `${name}.`))
  const text =
    type
      ?.getText()
      .replace(/\breadonly /g, '')
      .replace(/\s+/g, ' ') ?? ''
  const needed = member.questionToken === undefined ? ', needed' : ''
  return [[`${code(name)}${needed}`, code(text), commentOf(member)]]
}

const commentOf = (node: ts.Node): string =>
  ts
    .getJSDocCommentsAndTags(node)
    .map((doc) => ts.getTextOfJSDocComment(doc.comment) ?? '')
    .join(' ')
    .replace(/\s+/g, ' ')

const code = (text: string): string => `\`${text.replaceAll('|', String.raw`\|`)}\``
const cell = (text: string): string => (text.startsWith('`') ? text : text.replaceAll('|', String.raw`\|`))

/** As the formatter has tables. */
function table(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [heads, ...rows].map((row) => row.map(cell))
  const widths = heads.map((_, i) => Math.max(3, ...cells.map((row) => row[i]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, i) => text.padEnd(widths[i] ?? 0)).join(' | ')} |`
  const [first = [], ...others] = cells
  return [line(first), line(widths.map((width) => '-'.repeat(width))), ...others.map(line)]
}

const section = (one: Section): string[] => [
  '',
  `### ${one.title}`,
  '',
  one.says,
  '',
  ...table(['option', 'value', 'is'], members(one)),
]

/** Commands with their names in full, those that hold others left out. */
function commands(command: Command, name = 'almanac'): [string, Command][] {
  if (command.commands.length === 0) return [[name, command]]
  return command.commands.flatMap((one) => commands(one, `${name} ${one.name()}`))
}

const flagRows = (flags: readonly Option[]): string[][] =>
  flags.map(({ flags: words, description }) => [code(words), description])

const all = commands(buildProgram(''))
const sharedBy = (some: readonly [string, Command][]): Option[] =>
  (some[0]?.[1].options ?? []).filter(({ flags }) =>
    some.every(([, { options: others }]) => others.some((one) => one.flags === flags)),
  )
const common = sharedBy(all)
const isExecuting = ([, command]: [string, Command]): boolean =>
  command.options.some(({ long }) => long === '--parallel')
const executing = sharedBy(all.filter(isExecuting)).filter(
  (flag) => !common.some((one) => one.flags === flag.flags),
)

function commandSection([name, command]: [string, Command]): string[] {
  const shared = isExecuting([name, command]) ? [...common, ...executing] : common
  const own = command.options.filter(({ flags }) => !shared.some((one) => one.flags === flags))
  const takes = command.usage().replace('[options]', '').trim()
  const says = command.description().replace(/[^?]$/, '$&.')
  return [
    '',
    `### ${name}`,
    '',
    `${code(`${name} ${takes}`.trim())}: ${says}${isExecuting([name, command]) ? ' It executes.' : ''}`,
    ...(own.length === 0 ? [] : ['', ...table(['flag', 'does'], flagRows(own))]),
  ]
}

const text = [
  '# Options',
  '',
  'All options and flags there are. This page is made from the code by `npm run docs`;',
  '[authoring.md](authoring.md), [identity.md](identity.md) and [command-line.md](command-line.md) say how they are used.',
  '',
  '## In workflow files',
  '',
  'An option that is not listed is refused. A `Duration` is ms or a text like `90s`, `10m`, `1.5h`, `2d`; a `Size` is bytes',
  'or a text like `512MiB`, `2GB`.',
  ...options.flatMap(section),
  '',
  '## In a project',
  ...config.flatMap(section),
  '',
  '## On the command line',
  '',
  'Every command takes',
  '',
  ...table(['flag', 'does'], flagRows(common)),
  '',
  'Those that execute take',
  '',
  ...table(['flag', 'does'], flagRows(executing)),
  ...all.flatMap(commandSection),
  '',
].join('\n')

if (!process.argv.includes('--check')) writeFileSync(path, text)
else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
  console.log('docs/options.md is not current: npm run docs')
  process.exitCode = 1
}
console.log(`${options.length + config.length} kinds of options, ${all.length} commands`)
