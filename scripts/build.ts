import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Plugin } from 'esbuild'
import { build } from 'esbuild'
import { assetsOf, bundleName, isShipped, rewriteAssets } from './asset-urls.ts'
import { entries } from './entries.ts'
import { productSources, root } from './source-files.ts'

/** `dist/`: one bundle with shared chunks, and the declarations. It is put in place whole, or not at all. */

const assetUrls: Plugin = {
  name: 'asset-urls',
  setup(hooks) {
    hooks.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => ({
      contents: rewriteAssets(relative(root, path), readFileSync(path, 'utf8')),
      loader: 'ts',
    }))
  },
}

/**
 * What every command loads: by itself zod alone is a hundred files, which is a tenth of the start. They stay
 * dependencies, as the declarations name their types.
 */
const bundled: readonly string[] = ['zod', 'commander', '@jridgewell/sourcemap-codec']

const bundledPackages: Plugin = {
  name: 'bundled-packages',
  setup(hooks) {
    const names = new RegExp(`^(${bundled.join('|')})$`)
    hooks.onResolve({ filter: names }, ({ path }) => ({ path: fileURLToPath(import.meta.resolve(path)) }))
  },
}

const startedAt = performance.now()
const made = join(root, `dist.${process.pid}`)

const present = entries.filter((entry) => existsSync(join(root, entry.source)))
for (const entry of entries) if (!present.includes(entry)) console.log(`not there yet: ${entry.source}`)

rmSync(made, { recursive: true, force: true })
mkdirSync(made)
try {
  await Promise.all([bundle(), declarations()])
  for (const name of bundled)
    copyFileSync(join(root, 'node_modules', name, 'LICENSE'), join(made, `LICENSE-${basename(name)}`))
  const old = `${made}.old`
  if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old)
  renameSync(made, join(root, 'dist'))
  rmSync(old, { recursive: true, force: true })
} finally {
  rmSync(made, { recursive: true, force: true })
}
console.log(`dist/ built in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)

async function bundle(): Promise<void> {
  const started = startedFiles()
  if (present.length + started.length === 0) return
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries([
      ...present.map((entry) => [entry.name, entry.source]),
      ...started.map((source) => [bundleName(source), source]),
    ]),
    outdir: made,
    chunkNames: 'chunk-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    packages: 'external',
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning',
    // the user's or our own tsconfig has no say in what is shipped
    tsconfigRaw: { compilerOptions: { target: 'es2024', verbatimModuleSyntax: true } },
    plugins: [assetUrls, bundledPackages],
  })
}

/** TypeScript files that others start by URL; each becomes a bundle of its own. */
function startedFiles(): string[] {
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] }
  const assets = new Set<string>()
  for (const source of productSources()) {
    for (const asset of assetsOf(source, readFileSync(join(root, source), 'utf8'), root)) {
      if (!asset.endsWith('.ts') && !isShipped(asset, files)) {
        throw new Error(`${source} names ${asset}, which package.json does not ship`)
      }
      assets.add(asset)
    }
  }
  return [...assets].filter((asset) => asset.endsWith('.ts') && !present.some((one) => one.source === asset))
}

/** Without checking: that is the business of `npm run types`, and an unfinished file must not stop `npm ci`. */
async function declarations(): Promise<void> {
  const files = present.filter((entry) => entry.specifier !== undefined).map((entry) => entry.source)
  if (files.length === 0) return
  const options = ['-p', 'tsconfig.types.json', '--noCheck', '--outDir', join(made, 'types')]
  await promisify(execFile)(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...options], {
    cwd: root,
  }).catch((error: { readonly stdout: string }) => {
    throw new Error(`the declarations could not be made:\n${error.stdout}`, { cause: error })
  })
}
