import { existsSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { entries } from './entries.ts'

/**
 * Files that code names by `new URL('./x.ts', import.meta.url)`: worker threads, child processes, Python.
 * A bundler moves the code that says so, so the build rewrites each to where the file lies from `dist/`,
 * and makes an entry of its own of every TypeScript file named like this.
 *
 * U1 every bundle file lies directly in `dist/`, so one relative path is right in all of them.
 * U2 no other use of `import.meta` that depends on where the code lies is let through.
 */

const literal = /new URL\(\s*(['"])(\.{1,2}\/[^'"]+)\1,\s*import\.meta\.url,?\s*\)/g
const place = /import\.meta\.(?:url|dirname|filename)/
/** asks whether it is bundled, and so knows that the answer differs */
const aware = /import\.meta\.url\.endsWith\('\.ts'\)/
const harmless = /\w*require\(\s*import\.meta\.url\s*\)/gi

/** Paths from the repository's root of what a source or test names in this form, there or not. */
export const namedBy = (source: string, text: string): string[] =>
  [...text.matchAll(literal)].map(([, , path]) => normalize(join(dirname(source), path as string)))

/** The same for what is shipped. @throws where it names what is not there, or in another form */
export function assetsOf(source: string, text: string, tree: string): string[] {
  const rest = text.replace(literal, '').replace(harmless, '')
  const line = rest
    .split('\n')
    .find((one) => place.test(one) && !aware.test(one) && !/^\s*(\/?\*|\/\/)/.test(one))
  if (line !== undefined) {
    throw new Error(
      `${source}: "${line.trim()}" is another file once bundled; write new URL('./file', import.meta.url)`,
    )
  }
  const targets = namedBy(source, text)
  const gone = targets.find((target) => !existsSync(join(tree, target)))
  if (gone !== undefined) throw new Error(`${source} names ${gone}, which is not there`)
  return targets
}

/** Name in `dist/` of a source that is started on its own. */
export const bundleName = (source: string): string =>
  entries.find((entry) => entry.source === source)?.name ??
  source
    .replace(/^src\//, '')
    .replace(/\.ts$/, '')
    .replaceAll('/', '-')

/** The source as it is bundled. */
export function rewriteAssets(source: string, text: string): string {
  return text.replace(literal, (_, _quote, path: string) => {
    const target = normalize(join(dirname(source), path))
    const from = target.endsWith('.ts') ? `./${bundleName(target)}.js` : `../${target}`
    return `new URL('${from}', import.meta.url)`
  })
}

/** Is a file shipped, by the `files` of package.json? */
export const isShipped = (path: string, files: readonly string[]): boolean =>
  files.some((one) => path === one || path.startsWith(`${one}/`)) || basename(path) === 'package.json'
