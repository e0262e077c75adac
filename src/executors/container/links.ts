import { lstat, readdir, readlink } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import type { Mount } from './mounts.ts'

/**
 * Directories that were put together of what lies with the user hold links to it, by absolute paths: these must lead
 * somewhere in the container too, so what they lead to is there at the same path, read only.
 */

/** Links are looked for in so many entries at most: directories of the user's own may be anything. */
const mostEntries = 200_000
/** More files than this are mounted with all that lies beside them. */
const fewFiles = 32

export async function linkedMounts(mounts: readonly Mount[]): Promise<Mount[]> {
  const targets = new Set<string>()
  const budget = { entries: mostEntries }
  for (const { source, write } of mounts) if (!write) await follow(source, targets, budget)
  const paths = targets.size <= fewFiles ? targets : new Set([...targets].map((path) => dirname(path)))
  return [...paths].map((path) => ({ source: path, target: path, write: false }))
}

async function follow(path: string, targets: Set<string>, budget: { entries: number }): Promise<void> {
  const stat = await lstat(path).catch(() => undefined)
  // the mount of a link is of what it leads to; only sealed directories are ours
  if (stat?.isDirectory() !== true || (stat.mode & 0o222) !== 0) return
  const open = [path]
  for (let folder = open.pop(); folder !== undefined && budget.entries > 0; folder = open.pop()) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      budget.entries--
      if (entry.isDirectory()) open.push(join(folder, entry.name))
      if (!entry.isSymbolicLink()) continue
      const target = await readlink(join(folder, entry.name))
      if (isAbsolute(target)) targets.add(target)
    }
  }
}
