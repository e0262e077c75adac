import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KnipConfig } from 'knip'
import { namedBy } from './scripts/asset-urls.ts'
import { entries } from './scripts/entries.ts'
import { filesBelow, root } from './scripts/source-files.ts'

/** What is started by its URL is entered there, as the build has it. */
const started = ['src', 'test']
  .flatMap((folder) => filesBelow(folder, (path) => path.endsWith('.ts')))
  .flatMap((path) => namedBy(path, readFileSync(join(root, path), 'utf8')))

const config: KnipConfig = {
  entry: [
    ...entries.map((entry) => entry.source),
    ...new Set(started.filter((path) => path.endsWith('.ts'))),
    // npm starts one, and what it needs is asked for by require
    'bin/*.cjs',
    'scripts/*.ts',
    'benchmarks/*.ts',
    'benchmarks/data/{floor,plane}.ts',
    'benchmarks/seed/{main,almanac}.ts',
    'examples/**/*.ts',
    // threads load them by name
    'test/threads/{broken,made-by,tasks}.ts',
  ],
  project: ['{src,scripts,test,benchmarks,examples}/**/*.ts', 'bin/*.cjs', '!test/fixtures/**'],
  // tests call programs of the system
  exclude: ['binaries'],
  ignoreExportsUsedInFile: { interface: true, type: true },
}

export default config
