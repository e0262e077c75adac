import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import type { Digest } from '../model/refs.ts'
import { sha256All } from './sha256.ts'

/**
 * Packages as they are installed. Versions are read from the installed packages' own `package.json`, not from a
 * lock file: that is what runs, and it is the same for npm, pnpm, yarn and bun.
 */

/** What an answer depended on: files that were read, and files that would have changed it had they been there. */
export interface Trail {
  readonly read: Set<string>
  readonly absent: Set<string>
}

export const emptyTrail = (): Trail => ({ read: new Set(), absent: new Set() })

/** `zod` of `zod/v4`; undefined for what names no package: paths, `#internal`, URLs. */
export function packageNameOf(specifier: string): string | undefined {
  return /^(?:@[^/:\\%]+\/)?[^/@:#.\\%][^/:\\%]*(?=\/|$)/.exec(specifier)?.[0]
}

/** Real path of an installed package, found as Node finds it. */
export function packageFolder(name: string, from: string, trail: Trail): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (!folder.endsWith(`${sep}node_modules`)) {
      const candidate = join(folder, 'node_modules', name)
      if (existsSync(candidate)) return realpathSync(candidate)
      trail.absent.add(candidate)
    }
    if (dirname(folder) === folder) return undefined
  }
}

/** Does a path lie in installed code, not in the user's own? A package of a workspace is a link to the user's own. */
export const isInstalled = (path: string): boolean => path.includes(`${sep}node_modules${sep}`)

/** The package that an installed file belongs to. */
export function installedPackage(path: string): { readonly name: string; readonly folder: string } {
  const end = path.lastIndexOf(`${sep}node_modules${sep}`) + `${sep}node_modules${sep}`.length
  const name = packageNameOf(path.slice(end).replaceAll(sep, '/')) ?? path.slice(end)
  return { name, folder: join(path.slice(0, end), name) }
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly needs: readonly string[]
}

function manifestOf(folder: string, trail: Trail): Manifest {
  const path = join(folder, 'package.json')
  if (!existsSync(path)) {
    trail.absent.add(path)
    return { name: '', version: '', needs: [] }
  }
  trail.read.add(path)
  const text = readFileSync(path, 'utf8')
  const fields = parsed(text)
  if (fields === undefined) return { name: '', version: sha256All([text]), needs: [] }
  const field = (name: string): unknown =>
    typeof fields === 'object' && fields !== null && Object.hasOwn(fields, name)
      ? (fields as Record<string, unknown>)[name]
      : undefined
  const needs = ['dependencies', 'optionalDependencies', 'peerDependencies'].flatMap((kind) => {
    const listed = field(kind)
    return typeof listed === 'object' && listed !== null ? Object.keys(listed) : []
  })
  return {
    name: String(field('name') ?? ''),
    version: String(field('version') ?? ''),
    needs: [...new Set(needs)],
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    // what is broken there is said by who loads the package; here it only has to count
    return undefined
  }
}

/** Digest of the names and versions of an installed package and of all that it needs. */
export function packageDigest(folder: string, trail: Trail): Digest {
  const seen = new Set([folder])
  const versions: string[] = []
  for (const one of seen) {
    const { name, version, needs } = manifestOf(one, trail)
    versions.push(`${name}@${version}`)
    for (const need of needs) {
      if (packageNameOf(need) !== need) continue
      const found = packageFolder(need, one, trail)
      if (found !== undefined) seen.add(found)
    }
  }
  return sha256All(versions.sort())
}

/** `package.json` that governs the files of a folder: their module type, their internal imports. */
export function governingManifest(folder: string, trail: Trail): void {
  for (let at = folder; ; at = dirname(at)) {
    const path = join(at, 'package.json')
    if (existsSync(path)) {
      trail.read.add(path)
      return
    }
    trail.absent.add(path)
    if (dirname(at) === at) return
  }
}
