/** Parts of a fingerprint in people's words. Their texts are the canonical forms of `core/identity/canonical.ts`. */

/** `code steps.py:qc` → `code of steps.py:qc`. */
export function partName(part: string): string {
  const [, kind, name = ''] = /^(\w+)(?: (.*))?$/s.exec(part) ?? []
  if (kind === 'code') return `code of ${name}`
  if (kind === 'input') return /^\d+$/.test(name) ? `argument ${name}` : `input ${name}`
  if (kind === 'inputs') return name === '' ? 'inputs' : part
  if (kind !== 'surroundings') return part
  if (name === 'python') return 'Python environment'
  return name.startsWith('file ') ? `declared ${name}` : name
}

/** Short: of a digest as much as tells it from another. */
export function partText(text: string | undefined): string {
  if (text === undefined) return 'none'
  const [, name, file] = /^f("(?:[^"\\]|\\.)*")([0-9a-f]{64})x?$/.exec(text) ?? []
  if (name !== undefined && file !== undefined)
    return `file ${JSON.parse(name) as string} ${file.slice(0, 12)}`
  const [, sort = '', digest] = /^([dD]?)([0-9a-f]{64})$/.exec(text) ?? []
  if (digest !== undefined) return `${sort === 'd' ? 'directory ' : ''}${digest.slice(0, 12)}`
  if (text === '') return 'empty'
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
