import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { filesBelow } from '../source-files.ts'
import type { Crossing } from './check.ts'
import { type PythonFolder, pythonFolders } from './table.ts'

const script = fileURLToPath(new URL('./imports.py', import.meta.url))

interface Import {
  readonly from: string
  /** a file, or the name that is not there */
  readonly to: string
  readonly isThere: boolean
  /** is it under `TYPE_CHECKING`? */
  readonly types: boolean
}

/** What imports what it may not below `python`, in a tree: within functions too. @throws if a file has no row */
export function pythonCrossings(tree: string): readonly Crossing[] {
  const files = filesBelow(
    'python',
    (path) => path.endsWith('.py') && !path.startsWith('python/tests/'),
    tree,
  ).map((path) => path.slice('python/'.length))
  const homeless = files.filter((file) => rowOf(file) === undefined)
  if (homeless.length > 0) throw new Error(`no row of the table holds ${homeless.join(', ')}`)
  const imports = JSON.parse(
    execFileSync('python3', ['-B', script, join(tree, 'python')], {
      input: JSON.stringify(files),
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    }),
  ) as readonly Import[]
  const counted = imports.filter(({ from, to, types }) => !(types && rowOf(from)?.typesOf === to))
  return [
    ...counted.flatMap((one) => {
      const rule = broken(one)
      return rule === undefined ? [] : [{ rule, from: one.from, to: one.to, cycle: [] }]
    }),
    ...cycles(counted),
  ]
}

/** The row of the innermost folder that holds a file. */
function rowOf(file: string): PythonFolder | undefined {
  return pythonFolders
    .filter(({ name }) => file === name || file.startsWith(`${name}/`))
    .sort((a, b) => b.name.length - a.name.length)[0]
}

function broken({ from, to, isThere }: Import): string | undefined {
  if (!isThere) return 'what is imported is there'
  const row = rowOf(from)
  const other = rowOf(to)
  if (row === undefined || other === undefined || row === other || row.mayImport.includes(other.name))
    return undefined
  return `${row.name} may import ${row.mayImport.length === 0 ? 'nothing of ours' : row.mayImport.join(', ')}`
}

/** One for each import that closes a way round, by a search in depth. */
function cycles(imports: readonly Import[]): Crossing[] {
  const found: Crossing[] = []
  const next = Map.groupBy(
    imports.filter(({ isThere }) => isThere),
    ({ from }) => from,
  )
  const done = new Set<string>()
  const way: string[] = []
  const visit = (file: string): void => {
    way.push(file)
    for (const { to } of next.get(file) ?? []) {
      const at = way.indexOf(to)
      if (at >= 0) found.push({ rule: 'no cycle', from: file, to, cycle: [...way.slice(at + 1), to] })
      else if (!done.has(to)) visit(to)
    }
    way.pop()
    done.add(file)
  }
  for (const file of next.keys()) if (!done.has(file)) visit(file)
  return found
}
