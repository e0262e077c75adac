import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ICruiseResult } from 'dependency-cruiser'
import { cruise } from 'dependency-cruiser'
import { filesBelow } from '../source-files.ts'
import { detours } from './detours.ts'
import { rules, tests } from './rules.ts'
import { folders } from './table.ts'

export interface Crossing {
  readonly rule: string
  readonly from: string
  readonly to: string
  /** the way round, where it is a cycle */
  readonly cycle: readonly string[]
}

/** What imports what it may not, in a tree. @throws if the checker did not look at every file, or a folder has no row */
export async function crossings(tree: string): Promise<readonly Crossing[]> {
  const looked = ['src', 'examples'].filter((folder) => existsSync(join(tree, folder)))
  const { output } = await cruise(looked, {
    baseDir: tree,
    validate: true,
    ruleSet: rules(folders),
    tsPreCompilationDeps: true,
    // examples import the package by its name, which leads to what was built
    doNotFollow: { path: '(^|/)(node_modules|dist)/' },
    exclude: { path: '^examples/.*/(data|\\.venv)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  })
  const result = output as ICruiseResult
  const seen = new Set(result.modules.map((module) => module.source))
  const files = filesBelow('src', (path) => path.endsWith('.ts'), tree)
  const homeless = files.filter(
    (path) => !folders.some(({ name }) => path === `src/${name}` || path.startsWith(`src/${name}/`)),
  )
  if (homeless.length > 0) throw new Error(`no row of the table holds ${homeless.join(', ')}`)
  const missed = files.filter((path) => !seen.has(path))
  if (missed.length > 0) throw new Error(`the boundary checker did not look at ${missed.join(', ')}`)
  const broken = result.summary.violations.map((one) => ({
    rule: one.rule.name,
    from: one.from,
    to: one.to,
    cycle: (one.cycle ?? []).map((step) => step.name),
  }))
  const imports = result.modules
    .filter(({ source }) => !new RegExp(tests).test(source))
    .map(({ source, dependencies }) => [source, dependencies.map(({ resolved }) => resolved)] as const)
  return [...broken, ...detours(new Map(imports))]
}
