import type { DependencyType, IFlattenedRuleSet, IForbiddenRuleType } from 'dependency-cruiser'
import { pureFolders } from '../entries.ts'
import { type Folder, layers } from './table.ts'

/** What tests are called: they may import more. */
export const tests = String.raw`\.test(-d)?\.ts$`

/** A folder's files, or one file directly below `src`. */
const path = (name: string): string =>
  `^src/${name.replaceAll('.', String.raw`\.`)}${name.includes('.') ? '$' : '/'}`

const either = (patterns: readonly string[]): string => patterns.join('|')

/** The rules that the boundary checker holds the tree to. */
export const rules = (folders: readonly Folder[]): IFlattenedRuleSet => ({
  forbidden: [
    ...folders.flatMap((folder) => ownRules(folder)),
    ...folders.flatMap((folder) =>
      folder.apartBut === undefined ? [] : apart(folder.name, folder.apartBut),
    ),
    ...Object.entries(layers).flatMap(([folder, names]) => layerRules(folder, names)),
    ...packageRules(folders),
    ...folders.filter((folder) => pureFolders.includes(folder.name)).map((folder) => pure(folder)),
    ...general,
  ],
})

function ownRules({ name, mayImport }: Folder): IForbiddenRuleType[] {
  const reachable = [path(name), ...mayImport.map(path)]
  const allowed = mayImport.length === 0 ? 'nothing of ours' : mayImport.join(', ')
  return [
    {
      name: `${name} may import ${allowed}`,
      severity: 'error',
      from: { path: path(name), pathNot: tests },
      to: { path: '^(src|test|examples|scripts|benchmarks)/', pathNot: either([...reachable]) },
    },
    {
      name: `tests of ${name} may import ${allowed}, testing`,
      severity: 'error',
      from: { path: `${path(name).replace(/\$$/, '')}.*${tests}` },
      to: { path: '^src/', pathNot: either([...reachable, path('testing')]) },
    },
  ]
}

const apart = (name: string, shared: readonly string[]): IForbiddenRuleType[] => [
  {
    name: `an adapter in ${name} knows no other one`,
    severity: 'error',
    from: { path: `^src/${name}/([^/]+)/`, pathNot: tests },
    to: { path: `^src/${name}/[^/]+/`, pathNot: `^src/${name}/(${['$1', ...shared].join('|')})/` },
  },
  {
    name: `what adapters in ${name} share knows none of them`,
    severity: 'error',
    from: { path: `^src/${name}/[^/]+$`, pathNot: tests },
    to: { path: `^src/${name}/[^/]+/` },
  },
]

function layerRules(folder: string, layers: readonly (string | readonly string[])[]): IForbiddenRuleType[] {
  const rules: IForbiddenRuleType[] = []
  const above: string[] = []
  for (const names of layers.map((layer) => [layer].flat())) {
    const here = `^src/${folder}/(${names.join('|')})/`
    const from = { path: here, pathNot: tests }
    const title = `${folder}/${names.join(', ')}`
    if (above.length > 0)
      rules.push({
        name: `${title} stands below ${above.join(', ')}`,
        severity: 'error',
        from,
        to: { path: `^src/${folder}/(${above.join('|')})/` },
      })
    if (names.length > 1)
      rules.push({
        name: `${title} know nothing of each other`,
        severity: 'error',
        from,
        to: { path: here, pathNot: `^src/${folder}/$1/` },
      })
    above.push(...names)
  }
  return rules
}

const outside: DependencyType[] = [
  'core',
  'npm',
  'npm-dev',
  'npm-optional',
  'npm-peer',
  'npm-no-pkg',
  'npm-unknown',
]

const pure = ({ name, packages = [] }: Folder): IForbiddenRuleType => ({
  name: `${name} is pure: no I/O, and of packages ${packages.length === 0 ? 'none' : packages.join(', ')}`,
  severity: 'error',
  from: { path: path(name), pathNot: tests },
  to: { dependencyTypes: outside, pathNot: either(['^$', ...packages.map((one) => `node_modules/${one}/`)]) },
})

function packageRules(folders: readonly Folder[]): IForbiddenRuleType[] {
  const names = [...new Set(folders.flatMap((folder) => folder.packages ?? []))]
  return names.map((name) => ({
    name: `${name} is imported where the table says so`,
    severity: 'error',
    from: {
      path: '^src/',
      pathNot: either([
        tests,
        ...folders.filter((folder) => folder.packages?.includes(name)).map((folder) => path(folder.name)),
      ]),
    },
    to: { path: `node_modules/${name}/` },
  }))
}

const general: readonly IForbiddenRuleType[] = [
  { name: 'no cycle, of types neither', severity: 'error', from: {}, to: { circular: true } },
  {
    name: 'what is imported is there',
    severity: 'error',
    from: {},
    to: { couldNotResolve: true, pathNot: '^almanac(/testing)?$' },
  },
  {
    name: 'SQL stays in the journal',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/journal/' },
    to: { path: '^(node:)?sqlite$', dependencyTypes: ['core'] },
  },
  {
    name: 'src/open.ts loads what runs workflows when it is called',
    severity: 'error',
    from: { path: path('open.ts') },
    to: {
      path: path('main.ts'),
      dependencyTypesNot: ['dynamic-import', 'type-only'],
    },
  },
  {
    name: 'what is shipped needs no development dependency',
    severity: 'error',
    from: { path: '^src/', pathNot: either([tests, path('testing')]) },
    // an optional peer is one too, for the tests
    to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer'] },
  },
  {
    name: 'examples see what users see',
    severity: 'error',
    from: { path: '^examples/' },
    to: { path: '^(src|test|scripts)/' },
  },
]
