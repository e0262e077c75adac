import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { plumbing } from './api/plumbing.ts'
import type { Surface } from './api/surface.ts'
import { declare, surface } from './api/surface.ts'
import { entries } from './entries.ts'
import { root } from './source-files.ts'

/**
 * `docs/api/*.api.md`: the public surface, so that a change of it is seen in the change that makes it.
 * With `--check` nothing is written, and a report that is not current is an error.
 */

const check = process.argv.includes('--check')
// not below node_modules: the extractor takes what lies there for a library of others
const cache = join(root, '.cache')
mkdirSync(cache, { recursive: true })
const folder = mkdtempSync(join(cache, 'api-'))

try {
  const present = entries.filter(
    (entry) => entry.specifier !== undefined && existsSync(join(root, entry.source)),
  )
  if (present.length > 0)
    declare(
      root,
      present.map((entry) => entry.source),
      folder,
    )
  const surfaces = present.map(({ name, specifier, source }) => ({
    file: `docs/api/${name === 'index' ? 'almanac' : `almanac-${name}`}.api.md`,
    specifier: specifier ?? name,
    surface: surface(root, name, source, folder),
  }))
  const exported = new Set(surfaces.flatMap((one) => one.surface.exported))
  const problems = surfaces.flatMap((one) => [
    ...faults(one.specifier, one.surface, exported),
    ...settle(one.file, one.surface.report),
  ])
  for (const problem of problems) console.log(problem)
  console.log(`${exported.size} public symbols, ${problems.length} problems`)
  process.exitCode = problems.length === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true })
}

/** The test kit is of the ports' and the engine's own types, which change with them: they are in its report only. */
function faults(
  specifier: string,
  { undocumented, forgotten }: Surface,
  exported: ReadonlySet<string>,
): string[] {
  const faults = undocumented.map((name) => `${specifier}: ${name} has no comment that says what it is`)
  if (specifier !== 'almanac') return faults
  return [
    ...faults,
    ...forgotten
      .filter((name) => !exported.has(name) && !plumbing.includes(name))
      .map((name) => `${specifier}: ${name} is reached by what is exported; export it too, or hide it`),
    ...plumbing
      .filter((name) => !forgotten.includes(name))
      .map((name) => `scripts/api/plumbing.ts names ${name}, which is not reached`),
  ]
}

/** Writes a report, or says that it is not what is there. */
function settle(file: string, report: string): string[] {
  const path = join(root, file)
  const kept = existsSync(path) ? readFileSync(path, 'utf8') : undefined
  if (kept === report) return []
  if (check) return [`${file} is not current: npm run docs, and look at what changed`]
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, report)
  return []
}
