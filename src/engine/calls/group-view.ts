import { AlmanacError } from '../../model/errors.ts'
import { type DirRef, FileRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import type { DataPlane } from '../../ports/data.ts'

/**
 * A directory with its files in groups: one directory a group, in it the files at the paths that they had; and how many
 * groups there are. Made anew from all names on each replay: so whatever names the groups may be any function.
 */
export async function groupedDir(
  of: DirRef,
  by: Value,
  { data, keyOf }: { readonly data: DataPlane; readonly keyOf: (path: string) => unknown },
): Promise<Value> {
  const name = by === null || by === undefined ? keyOf : captured(by as unknown as Expression)
  const groups = new Set<string>()
  const files: [string, FileRef][] = []
  for await (const { path, kind, digest, size, executable } of data.entries(of)) {
    if (kind !== 'file') continue
    const group = await name(path)
    if (group === null || group === undefined) continue
    checkName(group, path)
    groups.add(group)
    files.push([
      `${group}/${path}`,
      new FileRef(path.slice(path.lastIndexOf('/') + 1), digest, size, executable),
    ])
  }
  return { tree: await data.assemble(files), groups: groups.size }
}

interface Expression {
  readonly source: string
  readonly flags: string
}

/** What the groups of an expression capture, joined by `-`; without groups all that it matches. */
function captured({ source, flags }: Expression): (path: string) => string | undefined {
  // a sticky or global expression would go on where it left off
  const expression = new RegExp(source, flags.replace(/[gy]/g, ''))
  return (path) => {
    const match = expression.exec(path)
    if (match === null) return undefined
    return match.length === 1
      ? match[0]
      : match
          .slice(1)
          .filter((part) => part !== undefined)
          .join('-')
  }
}

function checkName(group: unknown, path: string): asserts group is string {
  const isName = typeof group === 'string' && group !== '' && group !== '.' && group !== '..'
  if (isName && !group.includes('/') && !group.includes('\0')) return
  throw new AlmanacError('ALM_VALUE_REFUSED', {
    path: 'map by',
    why: `${JSON.stringify(group) ?? String(group)} is no name for a group (that of ${path})`,
  })
}
