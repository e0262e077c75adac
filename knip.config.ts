import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KnipConfig } from 'knip'
import { assetsOf } from './scripts/asset-urls.ts'
import { entries } from './scripts/entries.ts'
import { productSources, root } from './scripts/source-files.ts'

/** What is started by its URL is entered there, as the build has it. */
const started = productSources().flatMap((source) =>
  assetsOf(source, readFileSync(join(root, source), 'utf8'), root),
)

const config: KnipConfig = {
  entry: [
    ...entries.map((entry) => entry.source),
    ...new Set(started.filter((path) => path.endsWith('.ts'))),
    'scripts/*.ts',
    'benchmarks/*.ts',
    'examples/**/*.ts',
  ],
  project: ['{src,scripts,test,benchmarks,examples}/**/*.ts', 'bin/*.cjs', '!test/fixtures/**'],
  ignoreExportsUsedInFile: { interface: true, type: true },
}

export default config
