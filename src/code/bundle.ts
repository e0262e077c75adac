import { basename, extname, join } from 'node:path'
import type { BuildOptions } from 'esbuild'
import type { Bundlers } from './bundlers.ts'
import type { CodeCache } from './code-cache.ts'
import { localInputs, runImports } from './imports.ts'
import type { Trail } from './packages.ts'
import { sha256 } from './sha256.ts'
import type { SourceFiles } from './source-files.ts'

/** What the author's file and all of the author's modules that it imports become, so that Node can import it. */

export interface Bundle {
  /** name of the file in the cache's folder: another text is another module to Node */
  readonly name: string
  /** the author's files that it came from */
  readonly inputs: readonly string[]
}

export interface BundleOptions {
  readonly project: string
  readonly bundlers: Bundlers
  readonly cache: CodeCache
  readonly files: SourceFiles
  readonly trail: Trail
  /** what `almanac` and its subpaths stand for */
  readonly almanac: Readonly<Record<string, string>>
}

const fixed = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  write: false,
  metafile: true,
  logLevel: 'silent',
  charset: 'utf8',
  legalComments: 'none',
  sourcemap: 'inline',
  sourcesContent: false,
  // the same file is the same code, whatever the user's editor is told
  tsconfigRaw: {},
  // as Node resolves
  mainFields: ['main'],
  conditions: [],
} as const satisfies BuildOptions

/** @throws esbuild's BuildFailure; ALM_STORE_FULL, ALM_STORE_READ_ONLY, ALM_STORE_FAILED */
export async function bundle(file: string, options: BundleOptions): Promise<Bundle> {
  const { project, cache, files, trail, almanac } = options
  const { build } = await options.bundlers.toRun()
  const result = await build({
    ...fixed,
    absWorkingDir: project,
    entryPoints: [file],
    outfile: join(cache.folder, 'bundle.mjs'),
    plugins: [runImports(files, trail, almanac)],
  })
  const text = withRequire(result.outputFiles[0]?.text ?? '')
  const stem = basename(file, extname(file)).replace(/[^\w.-]/g, '_')
  const name = `${stem}-${sha256(text).slice(0, 16)}.mjs`
  cache.writeText(name, text)
  return { name, inputs: localInputs(result.metafile, project, trail) }
}

/**
 * CommonJS modules of the author's may `require` what stays outside; the bundler's own shim takes a `require` that
 * is in scope, and where it has one the first line is the shim's, so that no place in the source map moves.
 */
const withRequire = (text: string): string =>
  /\b__require\b/.test(text)
    ? `import{createRequire as almanac_require}from'node:module';const require=almanac_require(import.meta.url);${text}`
    : text
