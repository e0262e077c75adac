/**
 * What a call's fingerprint is made of besides its inputs. Parts are kept by name, so that `why` can say which of them
 * differs.
 */
export interface FingerprintParts {
  readonly name: string
  /** digest of what the code reaches, or the author's `version` */
  readonly code: string
  /** declared surroundings: environment, variables, files read, interpreter; by name */
  readonly surroundings: Readonly<Record<string, string>>
}

/**
 * How the text begins that a fingerprint is the digest of: what calls share that differ in their inputs only. Those follow
 * as a text: values by content, files by name and content, directories by tree.
 */
export function fingerprintStart({ name, code, surroundings }: FingerprintParts): string {
  const lines = [name, code].map((line) => JSON.stringify(line))
  for (const each of Object.keys(surroundings).sort())
    lines.push(`${JSON.stringify(each)}:${JSON.stringify(surroundings[each])}`)
  // no line is empty: what follows the first empty one are the inputs
  return `${lines.join('\n')}\n\n`
}
