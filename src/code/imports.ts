import { existsSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Metafile, OnLoadResult, OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from 'esbuild'
import { codeFiles, type ModuleCode } from './module-code.ts'
import { governingManifest, isInstalled, packageFolder, packageNameOf, type Trail } from './packages.ts'
import type { SourceFiles } from './source-files.ts'

/**
 * How imports are resolved: the author's own modules go into the bundle, wherever they lie; installed packages and
 * Node's modules stay outside; `almanac` is the copy that loads.
 */

const named = /^(?:almanac(?:\/.*)?|[^./#\\].*)$/
const own = Symbol('asked by the plugin itself')

/** For running: what stays outside is named by where it lies, so that the bundle may lie anywhere. */
export function runImports(
  files: SourceFiles,
  trail: Trail,
  almanac: Readonly<Record<string, string>>,
): Plugin {
  return {
    name: 'almanac-run',
    setup(build) {
      build.onResolve({ filter: named }, async (args) => {
        if (args.kind === 'entry-point' || args.pluginData === own) return undefined
        const url = almanac[args.path]
        if (url !== undefined) return { path: url, external: true }
        if (isBuiltin(args.path)) return { path: builtin(args.path), external: true }
        return installed(build, args, trail)
      })
      build.onLoad({ filter: /.*/, namespace: 'file' }, ({ path }) =>
        loaded(files, path, ({ toRun }) => toRun),
      )
    },
  }
}

/** Undefined leaves it to the bundler: the author's own packages, and what is not there. */
async function installed(
  build: PluginBuild,
  args: OnResolveArgs,
  trail: Trail,
): Promise<OnResolveResult | undefined> {
  const name = packageNameOf(args.path)
  const folder = name === undefined ? undefined : packageFolder(name, args.resolveDir, trail)
  if (folder === undefined || !isInstalled(folder)) return undefined
  trail.read.add(join(folder, 'package.json'))
  const { kind, importer, resolveDir } = args
  const found = await build.resolve(args.path, { kind, importer, resolveDir, pluginData: own })
  if (found.errors.length > 0 || found.namespace !== 'file') return undefined
  if (found.path.endsWith('.json')) return { path: found.path }
  const required = kind === 'require-call' || kind === 'require-resolve'
  return { path: required ? found.path : pathToFileURL(found.path).href, external: true }
}

/** For counting: what stays outside keeps its name, and only counts where it is used. */
export function countImports(files: SourceFiles, trail: Trail, packages: Map<string, Set<string>>): Plugin {
  return {
    name: 'almanac-count',
    setup(build) {
      build.onResolve({ filter: named }, (args) => {
        if (args.kind === 'entry-point') return undefined
        const path = isBuiltin(args.path) ? builtin(args.path) : args.path
        if (path === args.path && !/^almanac(?:\/|$)/.test(path)) {
          const name = packageNameOf(path)
          const folder = name === undefined ? undefined : packageFolder(name, args.resolveDir, trail)
          if (folder === undefined || !isInstalled(folder)) return undefined
          packages.set(path, (packages.get(path) ?? new Set()).add(folder))
        }
        return { path, external: true, sideEffects: wantsEffects(files, args) }
      })
      build.onLoad({ filter: /.*/, namespace: 'file' }, ({ path }) =>
        loaded(files, path, ({ toCount }) => toCount.text),
      )
    },
  }
}

const builtin = (path: string): string => (path.startsWith('node:') ? path : `node:${path}`)

const wantsEffects = (files: SourceFiles, { importer, path }: OnResolveArgs): boolean =>
  codeFiles.test(importer) && files.code(importer).effectImports.has(path)

const loaded = (files: SourceFiles, path: string, textOf: (code: ModuleCode) => string): OnLoadResult => ({
  contents: codeFiles.test(path) ? textOf(files.code(path)) : files.bytes(path),
  loader: 'default',
})

const extensions = ['.tsx', '.ts', '.jsx', '.js', '.css', '.json']

/** Absolute paths of the author's files in a bundle; what would resolve another way, had it been there, is noted. */
export function localInputs(metafile: Metafile, root: string, trail: Trail): readonly string[] {
  const files: string[] = []
  for (const [input, { imports }] of Object.entries(metafile.inputs)) {
    const path = inputPath(input, root)
    if (path === undefined) continue
    files.push(path)
    governingManifest(dirname(path), trail)
    for (const one of imports) {
      const target = one.external === true ? undefined : inputPath(one.path, root)
      if (target === undefined || one.original === undefined) continue
      for (const candidate of candidates(dirname(path), one.original, target)) trail.absent.add(candidate)
    }
  }
  return files.sort()
}

/** Undefined for what is no file. */
export const inputPath = (input: string, root: string): string | undefined =>
  /^[\w-]{2,}:/.test(input) || input.startsWith('<') ? undefined : resolve(root, input)

function candidates(folder: string, specifier: string, target: string): readonly string[] {
  if (!/^\.{0,2}\//.test(specifier) && specifier !== '.' && specifier !== '..') return []
  const base = resolve(folder, specifier)
  if (base === target) return []
  const all = [base, join(base, 'package.json')]
  for (const extension of extensions) all.push(`${base}${extension}`, join(base, `index${extension}`))
  return all.filter((path) => path !== target && !existsSync(path))
}
