import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { entries, pureFolders } from './entries.ts'
import { deadLinks } from './repository/links.ts'
import type { Manifest } from './repository/manifest.ts'
import { dependencyDocFaults, lockFaults, manifestFaults } from './repository/manifest.ts'
import { filesBelow, root } from './source-files.ts'

/** What a repository must have beside its code, and that its parts say the same. */

const read = (path: string): string =>
  existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : ''
const manifest = JSON.parse(read('package.json')) as Manifest

const faults = [
  ...entries.filter((entry) => read(entry.source) === '').map((entry) => `${entry.source} is not there`),
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'LICENSE', '.ci/run']
    .filter((path) => read(path) === '')
    .map((path) => `${path} is not there`),
  ...manifestFaults(manifest),
  ...lockFaults(read('package-lock.json'), manifest),
  ...dependencyDocFaults(read('docs/design/dependencies.md'), manifest),
  ...changelog(),
  ...purity(),
  ...documents().flatMap((path) => deadLinks(path, root)),
]
if (!read('LICENSE').includes('Apache License')) faults.push('LICENSE is not the Apache licence')
if (existsSync(join(root, '.ci/run')) && (statSync(join(root, '.ci/run')).mode & 0o111) === 0)
  faults.push('.ci/run cannot be executed')

for (const fault of faults) console.log(fault)
console.log(`${documents().length} documents, ${faults.length} faults`)
process.exitCode = faults.length === 0 ? 0 : 1

function documents(): string[] {
  return ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md']
    .filter((path) => read(path) !== '')
    .concat(
      ['docs', 'examples', 'benchmarks'].flatMap((folder) =>
        filesBelow(folder, (path) => path.endsWith('.md')),
      ),
    )
}

/** Keep-a-Changelog: a place for what is to come, and one for what is out. */
function changelog(): string[] {
  const text = read('CHANGELOG.md')
  return [
    ...(/^## \[?Unreleased\]?/m.test(text) ? [] : ['CHANGELOG.md has no section Unreleased']),
    ...(/^## \[?Unreleased\]?\s+(### \w+\s+)?- /m.test(text) || text.includes(`## [${manifest.version}]`)
      ? []
      : ['CHANGELOG.md says nothing']),
  ]
}

/** The compiler and the linter hold the same folders to be pure. */
function purity(): string[] {
  const expected = [...pureFolders].map((folder) => `src/${folder}`)
  const compiled = (
    ts.parseConfigFileTextToJson('tsconfig.pure.json', read('tsconfig.pure.json')).config as {
      include: string[]
    }
  ).include.filter((path) => !path.endsWith('.d.ts'))
  const { overrides } = JSON.parse(read('biome.json')) as {
    overrides: { includes: string[]; plugins?: string[] }[]
  }
  const linted =
    overrides.find((one) => one.plugins?.some((path) => path.endsWith('pure.grit')))?.includes ?? []
  return [
    ...(same(compiled, expected) ? [] : [`tsconfig.pure.json does not include ${expected.join(', ')}`]),
    ...(same(
      linted.filter((path) => !path.startsWith('!')),
      expected.map((path) => `${path}/**`),
    )
      ? []
      : [`biome.json does not hold ${expected.join(', ')} to pure.grit`]),
  ]
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return [...a].sort().join() === [...b].sort().join()
}
