import { findSourceMap } from 'node:module'
import { fileURLToPath } from 'node:url'

/** Where a task was defined, in the author's own file: of what Node runs, which may be made of several. */
export function definedAt(
  place: string | undefined,
): { readonly file: string; readonly line: number } | undefined {
  const [, module, line, column] = /^(file:\/\/.*):(\d+):(\d+)$/.exec(place ?? '') ?? []
  if (module === undefined) return undefined
  const made = { file: pathOf(module), line: Number(line) }
  const found = findSourceMap(made.file)?.findOrigin(made.line, Number(column))
  if (found === undefined || !('fileName' in found)) return made
  return { file: pathOf(found.fileName), line: found.lineNumber }
}

const pathOf = (name: string): string => (name.startsWith('file://') ? fileURLToPath(name) : name)
