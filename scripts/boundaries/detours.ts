import type { Crossing } from './check.ts'
import { layers } from './table.ts'

/**
 * Where a folder's own files lead one of its layers to another that it may not import itself: folders would then depend
 * on each other in a circle, although no file does. `imports`: what each file imports, tests left out.
 */
export const detours = (imports: ReadonlyMap<string, readonly string[]>): readonly Crossing[] =>
  Object.entries(layers).flatMap(([folder, rows]) => detoursIn(`src/${folder}/`, rows, imports))

function detoursIn(
  folder: string,
  rows: readonly (string | readonly string[])[],
  imports: ReadonlyMap<string, readonly string[]>,
): Crossing[] {
  const level = new Map(rows.flatMap((row, at) => [row].flat().map((name) => [name, at] as const)))
  const reached = reachedBy(folder, imports)
  const found: Crossing[] = []
  for (const [from, direct] of imports) {
    const layer = layerOf(folder, from)
    const here = layer === undefined ? undefined : level.get(layer)
    if (here === undefined) continue
    for (const own of direct)
      for (const to of reached(own)) {
        const there = layerOf(folder, to)
        if (there === undefined || there === layer || (level.get(there) ?? here) > here) continue
        found.push({
          rule: `${folder.slice(4)}${layer} is led to no layer above it or beside it`,
          from,
          to,
          cycle: [own, to],
        })
      }
  }
  return found
}

/** The folder of the folder that a file is in; undefined for the folder's own files, and for those of others. */
function layerOf(folder: string, file: string): string | undefined {
  const [layer, below] = file.startsWith(folder) ? file.slice(folder.length).split('/') : []
  return below === undefined ? undefined : layer
}

/** What files of the folder's folders one of its own files leads to, by way of others of its own. */
function reachedBy(folder: string, imports: ReadonlyMap<string, readonly string[]>) {
  const known = new Map<string, ReadonlySet<string>>()
  const isOwn = (file: string) => file.startsWith(folder) && layerOf(folder, file) === undefined
  const reached = (own: string): ReadonlySet<string> => {
    const before = known.get(own)
    if (before !== undefined) return before
    const found = new Set<string>()
    // cycles of files are found elsewhere
    known.set(own, found)
    if (!isOwn(own)) return found
    for (const to of imports.get(own) ?? []) {
      if (layerOf(folder, to) !== undefined) found.add(to)
      for (const further of reached(to)) found.add(further)
    }
    return found
  }
  return reached
}
