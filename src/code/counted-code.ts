import { dirname, resolve } from 'node:path'
import type { BuildOptions, BuildResult, Plugin } from 'esbuild-fingerprint'
import type { Digest } from '../model/refs.ts'
import { type BundleText, bundleText, type CountedFile } from './bundle-text.ts'
import type { Bundlers } from './bundlers.ts'
import { countImports, inputPath, localInputs } from './imports.ts'
import { shown } from './load-error.ts'
import { codeFiles } from './module-code.ts'
import { packageDigest, type Trail } from './packages.ts'
import { condensed, type Part } from './parts.ts'
import { sha256All } from './sha256.ts'
import type { SourceFiles } from './source-files.ts'
import type { Finding } from './warnings.ts'

/**
 * Digests of what exports of the author's modules reach: each is bundled alone, minified but for its names, and the
 * text of the bundle counts.
 */

/** An export of a module, or, without one, all that is in a module and in what it imports. */
export interface Target {
  readonly file: string
  readonly exported: string | undefined
}

export const targetKey = ({ file, exported }: Target): string =>
  exported === undefined ? file : `${file}#${exported}`

export interface CountedCode {
  readonly digest: Digest
  readonly parts: readonly Part[]
  readonly undeclared: readonly Finding[]
}

export interface CountOptions {
  readonly project: string
  readonly bundlers: Bundlers
  readonly files: SourceFiles
  readonly trail: Trail
}

/** By `targetKey`, with the author's files that they came from. @throws esbuild's BuildFailure */
export async function countedCode(
  targets: readonly Target[],
  options: CountOptions,
): Promise<{ readonly counted: ReadonlyMap<string, CountedCode>; readonly inputs: readonly string[] }> {
  const counted = new Map<string, CountedCode>()
  const inputs = new Set<string>()
  for (const whole of [false, true]) {
    const some = targets.filter(({ exported }) => (exported === undefined) === whole)
    if (some.length === 0) continue
    const packages = new Map<string, Set<string>>()
    const result = await bundled(some, whole, packages, options)
    const bundle = new CountedBundle(result, packages, options)
    for (const [i, target] of some.entries()) counted.set(targetKey(target), bundle.counted(i))
    for (const path of localInputs(result.metafile, options.project, options.trail)) inputs.add(path)
  }
  return { counted, inputs: [...inputs] }
}

const outFolder = 'almanac-count'

const fixed = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'esnext',
  write: false,
  metafile: true,
  outdir: outFolder,
  logLevel: 'silent',
  charset: 'utf8',
  legalComments: 'none',
  minifyWhitespace: true,
  minifySyntax: true,
  // their letters depend on code that is not reached
  minifyIdentifiers: false,
  sourcemap: 'external',
  sourcesContent: false,
  // the user's own does not count
  tsconfigRaw: {},
  mainFields: ['main'],
  conditions: [],
} as const satisfies BuildOptions

type CountResult = BuildResult<typeof fixed>

async function bundled(
  targets: readonly Target[],
  whole: boolean,
  packages: Map<string, Set<string>>,
  { project, bundlers, files, trail }: CountOptions,
): Promise<CountResult> {
  const { build } = await bundlers.toCount()
  return build({
    ...fixed,
    absWorkingDir: project,
    treeShaking: !whole,
    entryPoints: targets.map((_, i) => ({ in: `${entryPrefix}${i}`, out: String(i) })),
    plugins: [entries(targets), countImports(files, trail, packages)],
  })
}

const entryPrefix = 'almanac-entry:'

/** A module for each target that exports just it: `as default`, so that the export's own name is said but once. */
const entries = (targets: readonly Target[]): Plugin => ({
  name: 'almanac-entries',
  setup(build) {
    build.onResolve({ filter: /^almanac-entry:\d+$/ }, ({ path }) => ({
      path: path.slice(entryPrefix.length),
      namespace: 'almanac-entry',
    }))
    build.onLoad({ filter: /.*/, namespace: 'almanac-entry' }, ({ path }) => {
      const { file, exported } = targets[Number(path)] as Target
      const from = JSON.stringify(file)
      const what = exported === undefined ? '' : `{ ${JSON.stringify(exported)} as default }`
      return {
        contents: exported === undefined ? `import ${from}` : `export ${what} from ${from}`,
        resolveDir: dirname(file),
        loader: 'js',
      }
    })
  },
})

class CountedBundle {
  readonly #result: CountResult
  readonly #packages: ReadonlyMap<string, ReadonlySet<string>>
  readonly #options: CountOptions
  readonly #texts: ReadonlyMap<string, string>
  readonly #digests = new Map<string, Digest>()
  readonly #files = new Map<string, CountedFile>()

  constructor(
    result: CountResult,
    packages: ReadonlyMap<string, ReadonlySet<string>>,
    options: CountOptions,
  ) {
    this.#result = result
    this.#packages = packages
    this.#options = options
    this.#texts = new Map(result.outputFiles.map(({ path, text }) => [path, text]))
  }

  counted(i: number): CountedCode {
    const name = `${outFolder}/${i}.js`
    const path = resolve(this.#options.project, name)
    const text = this.#texts.get(path) ?? ''
    const map = JSON.parse(this.#texts.get(`${path}.map`) ?? '{}') as { sources: string[]; mappings: string }
    const files = map.sources.map((source) => this.#file(inputPath(source, dirname(path))))
    const own = bundleText(text, map.mappings, files)
    const packages = this.#reached(name)
    return {
      digest: sha256All([own.digest, ...packages.flat()]),
      parts: condensed([
        ...own.parts,
        ...packages.map(([one, digest]) => [`package:${one}`, digest] as const),
      ]),
      undeclared: files.flatMap((file) => (file === undefined ? [] : undeclaredOf(file, own))),
    }
  }

  #file(path: string | undefined): CountedFile | undefined {
    if (path === undefined) return undefined
    let known = this.#files.get(path)
    if (known === undefined) {
      const { project, files } = this.#options
      known = { path, shown: shown(project, path), code: codeFiles.test(path) ? files.code(path) : undefined }
      this.#files.set(path, known)
    }
    return known
  }

  /** Packages that this output imports, with the digest of what is installed. */
  #reached(output: string): readonly (readonly [name: string, digest: Digest])[] {
    const names = new Set(this.#result.metafile.outputs[output]?.imports.map(({ path }) => path))
    return [...names].sort().flatMap((name) => {
      const folders = this.#packages.get(name)
      return folders === undefined
        ? []
        : [[name, sha256All([...folders].map((one) => this.#digest(one)).sort())]]
    })
  }

  #digest(folder: string): Digest {
    const known = this.#digests.get(folder) ?? packageDigest(folder, this.#options.trail)
    this.#digests.set(folder, known)
    return known
  }
}

function undeclaredOf({ path, shown: file, code }: CountedFile, bundle: BundleText): readonly Finding[] {
  if (code === undefined) return []
  return code.undeclared
    .filter((one) => bundle.reaches(path, one))
    .filter(({ uses }) => uses === undefined || uses.some((use) => bundle.reaches(path, use)))
    .map(({ kind, name, start }) => ({
      kind,
      ...(name !== undefined && { name }),
      file,
      line: code.lines.lineOf(start),
    }))
}
