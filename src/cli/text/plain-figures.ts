import { shownName } from '../output/printable.ts'

/** Characters of a line, about. */
const room = 500
const longestText = 60

/** Numbers and short texts of an output: what a summary is made of. As many as fit on a line, and how many there are besides. */
export function plainFigures(output: unknown): string {
  if (output === null || typeof output !== 'object' || Array.isArray(output) || '$' in output) return ''
  const parts: string[] = []
  let used = 0
  let left = 0
  for (const [name, value] of Object.entries(output)) {
    if (!isFigure(value)) continue
    const part = `${shownName(name)} ${shownName(String(value))}`
    used += part.length
    if (used > room) left++
    else parts.push(part)
  }
  if (left > 0) parts.push(`${left} more with --json`)
  return parts.join(' · ')
}

const isFigure = (value: unknown): boolean =>
  typeof value === 'number' ||
  typeof value === 'boolean' ||
  (typeof value === 'string' && value.length < longestText)
