/** Steps into a value: keys and indexes. */
export type Path = readonly (string | number)[]

/**
 * One path after another. Those of a single name are there once for all that take that name: a run may have a million
 * futures of an output, and `[...path, name]` has room for sixteen steps more.
 */
export function joinPaths(path: Path, more: Path): Path {
  if (path.length + more.length !== 1) return path.length === 0 ? more : path.concat(more)
  const step = (path[0] ?? more[0]) as string | number
  const known = single.get(step)
  if (known !== undefined) return known
  // indexes of a long list
  if (single.size >= mostNames) single.clear()
  const made = Object.freeze([step])
  single.set(step, made)
  return made
}

const single = new Map<string | number, Path>()
const mostNames = 1000
