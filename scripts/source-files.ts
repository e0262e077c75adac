import { readdirSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..')

const skipped = new Set(['node_modules', '__pycache__', '.venv', 'fixtures'])
/** where examples and tests leave their outputs, and pip its copy of a package; `src/data` holds sources */
const isOutput = (path: string): boolean =>
  path === 'python/build' || (path.endsWith('/data') && path !== 'src/data')

/** Files below a folder of the repository, by path from its root, in order; none where there is no folder. */
export function filesBelow(folder: string, accept: (path: string) => boolean, tree = root): string[] {
  const found: string[] = []
  const walk = (path: string): void => {
    for (const entry of list(join(tree, path))) {
      const inner = path === '' ? entry.name : `${path}/${entry.name}`
      if (entry.isDirectory()) {
        if (!skipped.has(entry.name) && !isOutput(inner) && !entry.name.startsWith('.')) walk(inner)
      } else if (accept(inner)) found.push(inner)
    }
  }
  walk(folder)
  return found.sort()
}

function list(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

export const isTest = (path: string): boolean => /\.test(-d)?\.ts$/.test(path)

/** TypeScript sources of the product, without their tests. */
export const productSources = (tree = root): string[] =>
  filesBelow('src', (path) => path.endsWith('.ts') && !path.endsWith('.d.ts') && !isTest(path), tree)
